from datetime import datetime

import pytest

from clientela.exceptions import ConfigurationError
from clientela.serving.client import Applicant, Event, Outcome, build_record

# requirements of credit pre-authorisation, 8
APPLICANT = Applicant({"Age": 35, "Sex": "male", "Savings account": "little"}, "17", "")
ABOUT = {
    "use_case": "credit_preauth",
    "task": "binary",
    "classes": ["good risk", "bad risk"],
    "target": {"good risk": 0.0, "bad risk": 1.0},
}
OTHER = {"task": "ordinal", "score_name": "valor_esperado"}
SEGMENTS = {"task": "segments", "score_name": "cluster_id"}
SAID = Outcome(
    {
        "clase": "good risk",
        "probabilidad": 0.25,
        "probabilidades": {"good risk": 0.75, "bad risk": 0.25},
        "imputed": [],
        "unseen": [],
    }
)
NOW = datetime(2025, 7, 24, 22, 28, 47, 927439)  # noqa: DTZ001 - local, as the requirement has it


def test_a_record_has_the_required_form():
    made = build_record(APPLICANT, SAID, ABOUT, Event.of(ABOUT, "fraud", None), None, NOW)
    assert list(made.items()) == [
        ("input_data", {"Age": 35, "Sex": "male", "Savings account": "little"}),
        ("probability_fraud", 0.25),
        ("is_fraud", False),
        ("target", "good risk"),
        ("confidence", 0.75),
        ("timestamp", "2025-07-24T22:28:47.927439"),
    ]


def test_the_event_is_called_after_its_class_unless_it_has_a_name():
    made = build_record(APPLICANT, SAID, ABOUT, Event.of(ABOUT, None, None), None, NOW)
    assert made["probability_bad_risk"] == 0.25
    assert made["is_bad_risk"] is False


@pytest.mark.parametrize(
    ("threshold", "happens", "target", "confidence"),
    [
        (0.2, True, "bad risk", 0.25),
        (0.25, True, "bad risk", 0.25),
        (0.3, False, "good risk", 0.75),
    ],
)
def test_a_threshold_of_ones_own_decides(threshold, happens, target, confidence):
    made = build_record(APPLICANT, SAID, ABOUT, Event.of(ABOUT, "fraud", threshold), None, NOW)
    assert (made["is_fraud"], made["target"], made["confidence"]) == (happens, target, confidence)


def test_a_key_comes_first():
    made = build_record(APPLICANT, SAID, ABOUT, Event.of(ABOUT, "fraud", None), "id", NOW)
    assert next(iter(made.items())) == ("id", "17")


def test_without_an_answer_there_is_an_error():
    made = build_record(APPLICANT, Outcome(None, "Age: expected …"), ABOUT, None, None, NOW)
    assert list(made) == ["input_data", "error", "timestamp"]


def test_other_tasks_have_probabilities_and_an_expected_value():
    said = {
        "clase": "media",
        "valor_esperado": 1.7,
        "probabilidades": {"baja": 0.3, "media": 0.7},
        "imputed": [],
        "unseen": ["x"],
        "a_key_of_a_newer_server": 1,
    }
    made = build_record(APPLICANT, Outcome(said), OTHER, None, None, NOW)
    assert made["target"] == "media"
    assert made["expected"] == 1.7
    assert made["probabilities"] == {"baja": 0.3, "media": 0.7}
    assert made["confidence"] == 0.7


def test_a_segment_is_a_target():
    said = {"cluster_id": 7, "cluster_nombre": "Farmacia", "imputed": [], "unseen": []}
    made = build_record(APPLICANT, Outcome(said), SEGMENTS, None, None, NOW)
    assert (made["target"], made["expected"], made["confidence"]) == ("Farmacia", 7, None)


def test_only_a_model_of_two_classes_has_an_event():
    ordinal = {**ABOUT, "task": "ordinal"}
    assert Event.of(ordinal, None, None) is None
    with pytest.raises(ConfigurationError, match="has no two classes"):
        Event.of(ordinal, "fraud", None)
    with pytest.raises(ConfigurationError, match="needs a name of letters"):
        Event.of(ABOUT, "¿?", None)
