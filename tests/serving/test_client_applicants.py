import pytest
from tests.serving.models import FIELDS, TWELVE

from clientela.exceptions import ScoringDataError
from clientela.serving.client import read_applicants

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
