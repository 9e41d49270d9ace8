import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clientela.exceptions import ConfigurationError
from clientela.models.fairness import (
    COLUMNS,
    MISSING_GROUP,
    VERDICTS,
    FairnessSettings,
    SensitiveColumn,
    assign_sensitive_groups,
    fairness_table,
)

PEOPLE = pd.DataFrame({"sexo": list("FFFFMMMMMX"), "edad": [20, 25, 30, 61] + [40] * 6})
TRUE = np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 1])
DECIDED = np.array([1, 0, 1, 0, 1, 1, 1, 1, 0, 1])


def settings(**changes):
    return FairnessSettings(**{"columns": {"sexo": {}}, "minimum_group": 2} | changes)


def test_rates_of_each_group_and_their_distance_from_the_most_favoured():
    table = fairness_table(TRUE, DECIDED, PEOPLE, settings()).set_index("group")
    assert list(table.reset_index()[list(COLUMNS)].columns) == list(COLUMNS)
    women, men, small = (table.loc[name] for name in ("F", "M", "X"))
    assert women["rows"] == 4
    assert women["deserving_share"] == 0.5
    assert women["selection_rate"] == 0.5
    assert women["true_positive_rate"] == 0.5
    assert women["false_positive_rate"] == 0.5
    assert men["selection_rate"] == 0.8
    assert women["selection_ratio"] == 0.5 / 0.8
    assert women["tpr_gap"] == -0.5
    assert women["fpr_gap"] == 0.0
    assert table["verdict"].to_dict() == {"F": "below", "M": "most_favoured", "X": "too_few_rows"}
    assert small.drop(["column", "rows", "verdict"]).isna().all()


def test_the_limit_itself_is_within():
    people = pd.DataFrame({"sexo": ["F"] * 5 + ["M"] * 5})
    decided = np.array([1, 1, 1, 1, 0] + [1] * 5)
    table = fairness_table(decided, decided, people, settings())
    assert table["selection_ratio"].tolist() == [0.8, 1.0]
    assert table["verdict"].tolist() == ["within", "most_favoured"]


def test_where_class_1_is_a_refusal_the_favourable_decision_is_0():
    mirrored = fairness_table(1 - TRUE, 1 - DECIDED, PEOPLE, settings(favourable=0))
    pd.testing.assert_frame_equal(mirrored, fairness_table(TRUE, DECIDED, PEOPLE, settings()))


def test_a_rate_without_rows_behind_it_is_missing():
    ones = np.ones(10, dtype=int)
    table = fairness_table(ones, DECIDED, PEOPLE, settings())
    assert table["false_positive_rate"].isna().all()
    assert table["true_positive_rate"].tolist()[:2] == [0.5, 0.8]


def test_nobody_selected_is_said():
    table = fairness_table(TRUE, np.zeros(10, dtype=int), PEOPLE, settings())
    expected = ["nobody_selected", "nobody_selected", "too_few_rows"]
    assert table["verdict"].tolist() == expected


def test_groups_that_are_all_too_small_show_no_rates():
    table = fairness_table(TRUE, DECIDED, PEOPLE, settings(minimum_group=30))
    assert set(table["verdict"]) == {"too_few_rows"}
    assert table["selection_rate"].isna().all()


def test_without_sensitive_columns_the_table_is_empty_and_has_its_columns():
    table = fairness_table(TRUE, DECIDED, PEOPLE, settings(columns={}))
    assert table.columns.tolist() == list(COLUMNS)
    assert table.empty


def test_the_interval_is_wilsons():
    row = fairness_table(TRUE, DECIDED, PEOPLE, settings()).set_index("group").loc["F"]
    z, n, p = 1.959963985, 4, 0.5
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert row[["selection_lower", "selection_upper"]].tolist() == pytest.approx(
        [middle - half, middle + half]
    )


@hypothesis_settings(max_examples=25, deadline=None)  # a busy machine is no counterexample
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from("FMX")),
        min_size=1,
        max_size=25,
    ),
    seed=st.integers(0, 9),
)
def test_counts_add_up_and_the_order_of_rows_changes_nothing(rows, seed):
    frame = pd.DataFrame(rows, columns=["true", "decided", "sexo"])
    mixed = frame.sample(frac=1, random_state=seed)
    tables = [
        fairness_table(f["true"].to_numpy(), f["decided"].to_numpy(), f[["sexo"]], settings())
        for f in (frame, mixed)
    ]
    pd.testing.assert_frame_equal(*tables)
    assert tables[0]["rows"].sum() == len(rows)
    assert set(tables[0]["verdict"]) <= set(VERDICTS)


def groups_of(values, bands=()):
    return assign_sensitive_groups(
        pd.DataFrame({"c": values}), {"c": SensitiveColumn(bands=bands)}
    )["c"]


def test_bands_are_closed_below_and_missing_people_come_last():
    groups = groups_of([24.9, 25.0, 39, 40, 123, np.nan], bands=(25, 40))
    expected = ["<25", "[25, 40)", "[25, 40)", ">=40", ">=40", MISSING_GROUP]
    assert groups.tolist() == expected
    assert groups.cat.categories.tolist() == ["<25", "[25, 40)", ">=40", MISSING_GROUP]


def test_distinct_values_are_groups_in_their_own_order():
    assert groups_of([10, 9, 10]).cat.categories.tolist() == ["9", "10", MISSING_GROUP]
    mixed = groups_of(["F", None, "M", MISSING_GROUP])
    assert mixed.tolist() == ["F", MISSING_GROUP, "M", MISSING_GROUP]
    assert groups_of(pd.Series([1, "1", None], dtype=object)).tolist() == ["1", "1", MISSING_GROUP]


def test_a_column_that_is_absent_or_can_not_be_grouped_is_refused():
    with pytest.raises(ConfigurationError, match=r"'genero'.*no sensitive column.*Did you mean"):
        assign_sensitive_groups(pd.DataFrame({"genre": []}), {"genero": SensitiveColumn()})
    with pytest.raises(ConfigurationError, match="bands needs numbers"):
        groups_of(["F", "M"], bands=(1, 2))
    with pytest.raises(ConfigurationError, match=r"has 26 distinct values.*Give it bands"):
        groups_of(range(26))


def test_bands_that_do_not_increase_are_refused():
    with pytest.raises(ValidationError, match="bands must increase"):
        SensitiveColumn(bands=(40, 25))
