import pandas as pd
import pytest
from tests.labelling.conftest import FEATURES

from clientela.exceptions import LabellingError
from clientela.models.settings import LabellingSettings, normalize_truth, select_training_labels
from clientela.pipelines.labelling.audit import audit_labels, group_shares
from clientela.pipelines.labelling.run import require_few_lost

GOOD, BAD = "good risk", "bad risk"


def label_table(**changes):
    """Four rows: labelled and judged, labelled alone, abstained but judged, lost."""
    columns = {
        "id_solicitud": ["a", "b", "c", "d"],
        "description": ["x", "y", "z", None],
        "label": [GOOD, BAD, None, None],
        "label_source": ["rules-1", "rules-1", None, None],
        "status": ["labelled", "labelled", "abstained", "throttled"],
        "detail": ["", "", "", "HTTP 429"],
        "hostile": ["", "Purpose", "", ""],
        "invented": [0, 2, 0, 0],
        "truth": [BAD, None, GOOD, None],
    }
    return pd.DataFrame(columns | changes).astype(
        dict.fromkeys(("label", "label_source", "truth", "description"), "str")
    )


def learned(learn_from):
    table = select_training_labels(label_table(), "target", learn_from).set_index("id_solicitud")
    return table[["target", "label_source"]].astype(object).where(lambda t: t.notna(), None)


@pytest.mark.parametrize(
    ("learn_from", "expected"),
    [
        ("labels", {"a": (GOOD, "rules-1"), "b": (BAD, "rules-1"), "c": (None, None)}),
        ("truth", {"a": (BAD, "truth"), "b": (None, None), "c": (GOOD, "truth")}),
        ("mixed", {"a": (BAD, "truth"), "b": (BAD, "rules-1"), "c": (GOOD, "truth")}),
    ],
)
def test_every_row_that_is_learned_from_says_who_labelled_it(learn_from, expected):
    found = {
        key: tuple(row)
        for key, row in zip(
            *[learned(learn_from).index, learned(learn_from).to_numpy()], strict=True
        )
    }
    assert found == {**expected, "d": (None, None)}


def test_judgements_are_compared_without_accents_and_case():
    words = pd.Series(["GOOD RISK", " bad risk ", "maybe", None])
    found = normalize_truth(words, FEATURES.target)
    assert found.astype(object).where(found.notna(), None).to_list() == [GOOD, BAD, None, None]


def made(**changes):
    groups = {"Sex": {}}
    return LabellingSettings.model_validate(
        {"columns": ["Age"], "audit": {"groups": groups, "least_judged": 20}, **changes}
    )


def test_too_few_judgements_are_no_audit():
    found = audit_labels(label_table(), {}, FEATURES.target, made())
    assert (found["audited"], found["judged"], found["agreement"]) == (False, 1, None)


def test_an_audit_counts_what_became_of_every_row():
    found = audit_labels(label_table(), {}, FEATURES.target, made())
    assert found["status"] == {"abstained": 1, "labelled": 2, "throttled": 1}
    assert found["faithfulness"] == {"described": 3, "unfaithful": 1, "numbers": 2}
    assert (found["hostile"], found["lost"], found["source"]) == (1, 1, "rules-1")


def test_enough_judgements_are_compared_with_the_labels_of_the_same_rows():
    one = label_table().iloc[[0]]
    many = pd.concat([one] * 30 + [one.assign(label=BAD)] * 10, ignore_index=True)
    found = audit_labels(many, {}, FEATURES.target, made())
    assert found["audited"]
    assert found["agreement"]["measures"]["accuracy"]["value"] == 0.25
    assert found["commonest_share"] == 1.0


def test_the_favourable_label_is_counted_by_group():
    rows = pd.concat([label_table().iloc[:2]] * 40, ignore_index=True)
    people = pd.DataFrame({"Sex": ["male", "female"] * 40})
    shares = group_shares(rows, people, FEATURES.target, made()).set_index("group")
    assert shares["selection_rate"].to_dict() == {"female": 0.0, "male": 1.0}
    assert shares["verdict"].to_dict() == {"female": "below", "male": "most_favoured"}


def test_more_lost_rows_than_allowed_are_refused_by_reason():
    require_few_lost(label_table(), 0.25)
    with pytest.raises(LabellingError, match=r"1 of 4 rows have no label \(throttled 1\).*20.0%"):
        require_few_lost(label_table(), 0.2)
