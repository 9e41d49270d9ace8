import socket

import pandas as pd
import pytest

from clientela.models.settings import LabellingSettings, OfflineSettings
from clientela.pipelines.labelling.language_model import build_cases
from clientela.pipelines.labelling.providers import OfflineLabeller

LABELS = ("good risk", "bad risk")
RULES = OfflineSettings.model_validate(
    {
        "version": "3",
        "rules": [
            {"column": "account", "words": ["Poco"], "points": 2},
            {"column": "months", "at_least": 24, "points": 1},
            {"column": "months", "at_least": 36, "below": 48, "points": 1},
        ],
        "positive_from": 3,
        "negative_to": 1,
    }
)


def label(**fields):
    return OfflineLabeller(RULES, LABELS).label({"account": "mucho", "months": 1, **fields}, "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "good risk"),
        ({"months": 24}, "good risk"),
        ({"account": "POCO"}, None),
        ({"months": 36}, None),
        ({"account": "poco", "months": 24}, "bad risk"),
        ({"account": "poco", "months": 48}, "bad risk"),
        ({"account": "poco", "months": "unknown"}, None),
    ],
)
def test_points_add_up_to_a_label_or_to_none_in_the_middle(fields, expected):
    assert label(**fields).text == expected


def test_labels_of_rules_say_which_version_made_them():
    assert OfflineLabeller(RULES, LABELS).source == "rules-3"


def test_a_description_tells_every_column_in_the_language():
    fields = {"Age": 35, "Housing": "own"}
    spanish = OfflineLabeller(RULES, LABELS).describe(fields).text
    english = OfflineLabeller(RULES.model_copy(update={"language": "en"}), LABELS)
    assert spanish == "Solicitud con estos datos: Age: 35; Housing: own."
    assert english.describe(fields).text == "An application with these data: Age: 35; Housing: own."


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"column": "x", "points": 1}, "either words, or a number"),
        ({"column": "x", "words": ["a"], "below": 3, "points": 1}, "either words, or a number"),
    ],
)
def test_a_rule_asks_for_words_or_for_a_number(rule, said):
    with pytest.raises(ValueError, match=said):
        OfflineSettings.model_validate({"rules": [rule]})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"truth_column": "a"}, "must not hold the truth column 'a'"),
        ({"learn_from": "truth"}, "learn_from: truth needs truth_column"),
        ({"offline": {"rules": [{"column": "c", "words": ["x"], "points": 1}]}}, r"\['c'\]"),
        ({"offline": {"positive_from": 2, "negative_to": 2}}, "must be below positive_from=2"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        LabellingSettings.model_validate({"columns": ["a", "b"], **changes})


def test_cases_come_in_the_order_of_their_keys_with_whole_numbers_and_unknown():
    rows = pd.DataFrame(
        {"key": ["b", "a"], "Age": [35.0, 20.5], "Job": pd.array([2, None], "Int64"), "x": [0, 0]}
    )
    first, second = build_cases(rows, "key", ["Age", "Job"])
    assert (first.key, dict(first.fields)) == ("a", {"Age": 20.5, "Job": "unknown"})
    assert repr(dict(second.fields)) == "{'Age': 35, 'Job': 2}"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_labelling_by_rules_asks_no_network(no_network, labelled):
    rows = pd.DataFrame(
        {"id_solicitud": ["a"], "Age": [30], "Sex": ["male"], "Purpose": ["car"], "truth": [None]}
    )
    made = LabellingSettings.model_validate({"columns": ["Age", "Sex", "Purpose"]})
    table = labelled(rows, made)
    assert list(table["label_source"]) == ["rules-1"]
