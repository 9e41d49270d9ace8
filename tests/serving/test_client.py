from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.models import FIELDS, TWELVE

from clientela.exceptions import ConfigurationError, ScoringDataError, ServingError
from clientela.serving.client import (
    Applicant,
    Event,
    Outcome,
    RejectionError,
    build_record,
    predict_in_batches,
    read_applicants,
)

HEADER = ",".join(["id_fila", *TWELVE, "tendencia_ingresos", "fecha_prestamo", "Pago_atiempo"])


def row(key="a", trend="Creciente", moment="2024-03-01 10:00:00", **changes) -> str:
    values = {**TWELVE, **changes}.values()
    return ",".join(map(str, [key, *values, trend, moment, 1]))


@pytest.fixture
def read(tmp_path):
    def make(*lines, key=None, delimiter=",", encoding="utf-8"):
        path = tmp_path / "applicants.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return read_applicants(str(path), FIELDS, key, delimiter)

    return make


def test_rows_become_cases_and_other_columns_are_named(read):
    found = read(HEADER, row(), key="id_fila")
    (only,) = found.rows
    assert found.ignored == ["Pago_atiempo"]
    assert only.key == "a"
    assert only.problem == ""
    assert only.case == {
        **TWELVE,
        "tipo_credito": "4",
        "tendencia_ingresos": "Creciente",
        "fecha_prestamo": "2024-03-01T10:00:00",
    }


@pytest.mark.parametrize("nothing", ["", " ", "NA", "nan", "NaN", "null", "N/A"])
def test_cells_without_a_value_are_left_out(read, nothing):
    (only,) = read(HEADER, row(trend=nothing, moment=nothing)).rows
    assert only.problem == ""
    assert not {"tendencia_ingresos", "fecha_prestamo"} & set(only.case)


def test_a_row_that_breaks_a_field_says_so_and_the_others_are_read(read):
    found = read(HEADER, row(), row(edad_cliente="treinta", plazo_meses=""), "a,b", row())
    assert [bool(each.problem) for each in found.rows] == [False, True, True, False]
    assert "edad_cliente: expected a whole number from 0 to 150; got text" in found.rows[1].problem
    assert "plazo_meses: expected a whole number from 1; got nothing" in found.rows[1].problem
    assert "treinta" not in found.rows[1].problem
    assert found.rows[2].problem == "expected 16 values; got 2"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_accents_are_read_in_either_encoding(read, encoding):
    (only,) = read(HEADER, row(trend="Año"), encoding=encoding).rows
    assert only.case["tendencia_ingresos"] == "Año"


def test_another_delimiter_can_be_named(read):
    (only,) = read(HEADER.replace(",", ";"), row().replace(",", ";"), delimiter=";").rows
    assert only.case["salario_cliente"] == TWELVE["salario_cliente"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("",), "is empty"),
        (
            (HEADER.replace("salario_cliente", "salario"), row()),
            "lacks the columns salario_cliente",
        ),
        ((HEADER + ",edad_cliente", row() + ",1"), "same name: edad_cliente"),
        ((HEADER, '"a'), "can't be read as CSV: line 2"),
    ],
)
def test_a_file_that_cant_be_asked_about_is_refused(read, lines, words):
    with pytest.raises(ScoringDataError, match=words):
        read(*lines)


def test_a_key_column_has_to_be_there(read):
    with pytest.raises(ScoringDataError, match="lacks the columns dni"):
        read(HEADER, row(), key="dni")


def test_a_file_has_to_be_there(tmp_path):
    with pytest.raises(ScoringDataError, match="No file lies at"):
        read_applicants(str(tmp_path / "none.csv"), FIELDS, None, ",")


class Fussy:
    """Answers a case with itself; refuses as it is told to."""

    def __init__(self, bad=(), largest=1000, names=True, breaks_at=None):
        self.bad, self.largest, self.names, self.breaks_at = bad, largest, names, breaks_at
        self.calls = 0

    def fetch_description(self):
        raise NotImplementedError

    def predictions(self, cases):
        self.calls += 1
        if self.breaks_at is not None and any(case["n"] >= self.breaks_at for case in cases):
            raise ServingError("no answer")
        if len(cases) > self.largest:
            raise RejectionError(413, "too many")
        problems = {row: "bad" for row, case in enumerate(cases) if case["n"] in self.bad}
        if problems:
            # a server lists the first ones only
            shown = dict(list(problems.items())[:3]) if self.names else {}
            raise RejectionError(422, "something is wrong", shown)
        return [{"clase": case["n"]} for case in cases]


def asked(model, count, size=50):
    return [
        outcome.prediction["clase"] if outcome.prediction else outcome.problem
        for outcome in predict_in_batches(model, [{"n": n} for n in range(count)], size)
    ]


@settings(max_examples=40)
@given(st.integers(0, 120), st.sets(st.integers(0, 119)), st.integers(1, 60), st.booleans())
def test_each_case_has_its_own_outcome_in_order_whatever_is_refused(count, bad, largest, names):
    said = asked(Fussy(bad, largest, names), count)
    words = "bad" if names else "something is wrong"
    assert said == [words if n in bad else n for n in range(count)]


def test_good_cases_are_asked_about_in_batches():
    model = Fussy()
    assert asked(model, 120) == list(range(120))
    assert model.calls == 3


def test_where_there_is_no_answer_every_case_that_follows_says_so():
    model = Fussy(breaks_at=60)
    assert asked(model, 200) == [*range(50), *["no answer"] * 150]
    assert model.calls == 2


def test_nothing_is_asked_about_nothing():
    assert list(predict_in_batches(Fussy(), [], 5)) == []


def test_a_refusal_of_one_case_keeps_its_words():
    with pytest.raises(RejectionError, match="too many"):
        Fussy(largest=0).predictions([{"n": 1}])
    assert asked(Fussy(largest=0), 1) == ["too many"]


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
