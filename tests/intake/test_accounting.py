import pandas as pd
import pytest

from clientela.exceptions import RowsUnaccounted, TooManyBadRows
from clientela.intake.accounting import require_tolerable_share, row_account

REASONS = pd.DataFrame(
    {
        "_reason": [None, "duplicate_key", "extra_columns", "invalid_fecha", "missing_id"],
        "rows": [80, 2, 5, 5, 8],
    }
)
EXAMPLES = pd.DataFrame(
    {
        "_reason": ["duplicate_key", "extra_columns", "invalid_fecha", "missing_id"],
        "_file": ["a.csv"] * 4,
        "_line": [9, 7, 3, 5],
        "_value": [None, None, "30/02/2024", None],
    }
)


def test_a_tolerable_share_passes():
    require_tolerable_share(REASONS, EXAMPLES, "transactions", 0.2)


def test_too_many_bad_rows_name_the_three_commonest_reasons_with_examples():
    with pytest.raises(TooManyBadRows) as caught:
        require_tolerable_share(REASONS, EXAMPLES, "transactions", 0.19)
    message = str(caught.value)
    assert "20 of 100 rows of 'transactions' (20.0%) are unusable; tolerated: 19.0%" in message
    assert (
        "Commonest: 8 x missing_id (e.g. a.csv line 5); 5 x extra_columns (e.g. a.csv line 7); "
        "5 x invalid_fecha (e.g. a.csv line 3, value '30/02/2024'). "
    ) in message
    assert "duplicate_key" not in message
    assert "quarantine_transactions" in message


def test_an_empty_table_has_no_bad_share():
    require_tolerable_share(REASONS.head(0), EXAMPLES.head(0), "transactions", 0.0)


def test_an_account_adds_up_and_names_each_reason():
    reasons = pd.DataFrame({"_reason": ["missing_id", "duplicate_key"], "rows": [8, 2]})
    assert row_account(
        read=90,
        accepted=80,
        reasons=reasons,
        unknown={"id_cliente": 3},
        set_missing={"puntos": 4},
        repeated=None,
        name="transactions",
    ) == {
        "read": 90,
        "accepted": 80,
        "quarantined": 10,
        "reasons": {"duplicate_key": 2, "missing_id": 8},
        "unknown_references": {"id_cliente": 3},
        "set_missing": {"puntos": 4},
    }


def test_an_account_of_rows_without_a_key_tells_how_many_repeat_another():
    nothing = pd.DataFrame({"_reason": [], "rows": []})
    account = row_account(
        read=5, accepted=5, reasons=nothing, unknown={}, set_missing={}, repeated=2, name="loans"
    )
    assert account["repeated"] == 2


@pytest.mark.parametrize("read", [89, 91])
def test_an_account_that_does_not_add_up_stops(read):
    reasons = pd.DataFrame({"_reason": ["missing_id"], "rows": [10]})
    with pytest.raises(RowsUnaccounted, match=rf"{read} rows read, but 80 accepted \+ 10 quarant"):
        row_account(
            read=read,
            accepted=80,
            reasons=reasons,
            unknown={},
            set_missing={},
            repeated=None,
            name="transactions",
        )
