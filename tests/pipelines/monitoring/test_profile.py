import json

import pytest
from tests.pipelines.monitoring.profiled_loans import loans, profile_of

from clientela.exceptions import InvalidProfileError
from clientela.pipelines.monitoring.profile import BaselineProfile, read_profile

PROFILE = profile_of(loans(300))


def stored(**changes: object) -> str:
    return json.dumps(json.loads(PROFILE.model_dump_json()) | changes)


def with_column(name: str, **changes: object) -> str:
    columns = json.loads(PROFILE.model_dump_json())["columns"]
    return stored(columns=columns | {name: columns[name] | changes})


def test_a_stored_profile_is_read_as_it_was():
    assert read_profile(PROFILE.model_dump_json(indent=1)) == PROFILE


def test_a_truncated_file_is_refused():
    with pytest.raises(InvalidProfileError, match=r"can't be read .* Restore the file"):
        read_profile(PROFILE.model_dump_json()[:-100])


@pytest.mark.parametrize("text", ["[]", "3", '{"use_case": "x"}'])
def test_a_file_without_a_version_is_refused(text):
    with pytest.raises(InvalidProfileError, match="should be of version 1; got None"):
        read_profile(text)


def test_another_version_is_refused():
    with pytest.raises(
        InvalidProfileError, match=r"should be of version 1; got 2.* build the profile"
    ):
        read_profile(stored(version=2))


def test_an_unknown_field_is_refused():
    with pytest.raises(InvalidProfileError, match="umbral: Extra inputs"):
        read_profile(stored(umbral=0.1))


@pytest.mark.parametrize(
    ("column", "changes", "message"),
    [
        ("salario_cliente", {"missing": 7}, "missing values should add up to 7 rows; got 0"),
        ("salario_cliente", {"n": 301}, "cells should add up to 301 rows; got 300"),
        ("salario_cliente", {"counts": [300]}, "cells make bins of"),
        ("salario_cliente", {"points": [2.0, 1.0]}, "points should ascend"),
        ("salario_cliente", {"minimum": 0.0}, "should be the minimum and the maximum"),
        (
            "version_politica",
            {"edges": [{"value": 3.0}]},
            r"every edge and decile should be a point; \[3",
        ),
        ("version_politica", {"points": [1.0, 2.0], "maximum": 2.0}, "2 points make 6 cells"),
        ("tendencia_ingresos", {"other": 5}, "should add up to 300 rows; got 305"),
        ("tendencia_ingresos", {"counts": [300]}, "got 1 counts for 3 different"),
        ("tendencia_ingresos", {"other_values": ["b", "a"]}, "other_values should ascend"),
        ("tendencia_ingresos", {"type": "fecha"}, "columns.tendencia_ingresos"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused_by_column(column, changes, message):
    with pytest.raises(InvalidProfileError, match=message):
        read_profile(with_column(column, **changes))


def test_a_column_has_the_rows_of_the_profile():
    with pytest.raises(InvalidProfileError, match="should have the 299 rows; it has 300"):
        read_profile(stored(rows=299))


def test_a_profile_needs_no_rows_to_be_exact_to_the_last_digit():
    again = BaselineProfile.model_validate_json(PROFILE.model_dump_json())
    assert again.columns["saldo_mora"].points == PROFILE.columns["saldo_mora"].points
