import json
import math
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from tests.serving.models import FIELDS, TWELVE

from clientela.features.columns import InputField
from clientela.serving.auth import ApiError
from clientela.serving.case_reader import (
    DATA,
    HARMLESS_BYTES,
    INSTANCES,
    CaseReader,
    RequestLimits,
    count_strings,
    find_repeated_key,
    has_more_values_than,
)

READER = CaseReader(FIELDS, RequestLimits(batch=50, word=20, problems=4))
DNI = "71234567"


def text(*cases, **more) -> bytes:
    return json.dumps({"data": list(cases), **more}).encode()


def refusal(content: bytes, **how) -> ApiError:
    with pytest.raises(ApiError) as found:
        READER.read_json(content, **how)
    return found.value


def problems(*cases):
    found = refusal(text(*cases))
    assert found.status == 422
    return [(problem.row, problem.field, problem.problem) for problem in found.problems]


def test_the_example_of_the_requirement_is_a_case():
    assert READER.read_json(text(TWELVE)) == [TWELVE]


def test_what_is_optional_may_be_left_out_or_null():
    cases = READER.read_json(text(TWELVE, {**TWELVE, "puntaje_datacredito": None}))
    assert "puntaje_datacredito" not in cases[0]
    assert cases[1]["puntaje_datacredito"] is None


@pytest.mark.parametrize("moment", ["2024-03-01", "2024-03-01T10:30:00", "2024-03-01 10:30"])
def test_a_moment_is_local_time_in_iso_form(moment):
    (case,) = READER.read_json(text({**TWELVE, "fecha_prestamo": moment}))
    assert case["fecha_prestamo"] == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("field", "value", "expected", "came"),
    [
        ("edad_cliente", 200, "a whole number from 0 to 150", "one outside"),
        ("edad_cliente", 12.5, "a whole number from 0 to 150", "one with decimals"),
        ("plazo_meses", 10**400, "a whole number from 1", "a number too large"),
        ("plazo_meses", 1e300, "a whole number from 1", "one outside"),
        ("edad_cliente", "35", "a whole number from 0 to 150", "text"),
        ("edad_cliente", True, "a whole number from 0 to 150", "true or false"),
        ("edad_cliente", None, "a whole number from 0 to 150", "null"),
        ("salario_cliente", -1, "a finite number from 0", "one outside"),
        ("salario_cliente", math.nan, "a finite number from 0", "no finite number"),
        ("salario_cliente", math.inf, "a finite number from 0", "no finite number"),
        ("salario_cliente", 10**400, "a finite number from 0", "a number too large"),
        ("salario_cliente", [1], "a finite number from 0", "an array"),
        ("tipo_credito", "x" * 21, "a word of 1 to 20 characters", "text of another length"),
        ("tipo_credito", "", "a word of 1 to 20 characters", "text of another length"),
        ("tipo_credito", {"a": 1}, "a word of 1 to 20 characters", "an object"),
        ("tipo_credito", False, "a word of 1 to 20 characters", "true or false"),
        ("tipo_credito", 10**16, "a word of 1 to 20 characters", "a number"),
    ],
)
def test_what_breaks_a_field_is_told_by_what_was_expected_and_what_came(
    field, value, expected, came
):
    assert problems({**TWELVE, field: value}) == [(0, field, f"expected {expected}; got {came}")]


@pytest.mark.parametrize(
    "moment",
    ["ayer", "2024-13-01", "2024-03-01T10:00:00Z", "1999-12-31", "2036-01-01", 1700000000, "17e8"],
)
def test_a_moment_with_an_offset_outside_or_as_a_number_is_refused(moment):
    ((row, field, words),) = problems({**TWELVE, "fecha_prestamo": moment})
    assert (row, field) == (0, "fecha_prestamo")
    assert words.startswith(
        "expected a local time such as 2024-06-30T10:15:00, without offset from 2000-01-01 to "
        "2035-12-31; got "
    )


def test_the_last_day_belongs_to_the_moments():
    assert READER.read_json(text({**TWELVE, "fecha_prestamo": "2035-12-31T23:59:59"}))


def test_whole_numbers_may_be_written_with_a_point():
    assert READER.read_json(text({**TWELVE, "plazo_meses": 12.0}))[0]["plazo_meses"] == 12


def test_a_field_that_is_missing_is_named():
    case = {name: value for name, value in TWELVE.items() if name != "plazo_meses"}
    assert problems(case) == [
        (0, "plazo_meses", "expected a whole number from 1; got nothing"),
    ]


def test_a_field_that_is_unknown_is_named_with_the_nearest_known_one():
    ((_, field, words),) = problems({**TWELVE, "puntaje_datacredit": 1})
    assert field is None
    assert words.startswith("the model does not know a field 'puntaje_datacredit'. Did you mean")
    assert "'puntaje_datacredito'" in words


@pytest.mark.parametrize("key", [DNI, "Ana Pérez", "ana@correo.pe", "x" * 41, "dni_71234567"])
def test_a_key_that_may_be_somebodys_data_is_not_repeated(key):
    ((_, field, words),) = problems({**TWELVE, key: 1})
    assert field is None
    assert key not in words


def test_problems_of_all_rows_are_listed_up_to_a_limit():
    wrong = {**TWELVE, "edad_cliente": -1}
    found = refusal(text(TWELVE, wrong, TWELVE, *[wrong] * 4))
    assert [problem.row for problem in found.problems] == [1, 3, 4, 5]
    assert "(the first ones)" in found.message


@pytest.mark.parametrize("rows", [[], [{"edad_cliente": -1}]])
def test_thousands_of_unknown_fields_are_not_looked_at_one_by_one(rows):
    many = {f"x{number}": 0 for number in range(1001)}
    last = problems(*[{**TWELVE, **row} for row in rows], many)[-1]
    words = "a case has far more fields than the model knows. GET /models lists those"
    assert last == (len(rows) or None, None, words)


def test_a_case_that_is_no_object_is_told_so():
    assert problems(TWELVE, 5) == [
        (1, None, "expected an object with the fields of the model; got a number")
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"data": [', b"\xff\xfe", b'{"data": [{"a": "\xff"}]}', b"[" * 5000, b"{]"],
)
def test_what_is_no_json_is_refused_as_such(content):
    found = refusal(content)
    assert (found.status, found.code) == (400, "no_json")


@pytest.mark.parametrize(
    "content",
    [b"[]", b"null", b"5", b"{}", b'{"data": {}}', b'{"x": 1}', b'{"dat": []}'],
)
def test_a_body_of_another_form_is_told_the_right_one(content):
    found = refusal(content)
    assert found.status == 422
    (problem,) = found.problems
    assert (problem.row, problem.field) == (None, None)
    assert problem.problem == 'expected an object with one array of cases: {"data": [...]}'


def test_no_cases_are_refused():
    (problem,) = refusal(text()).problems
    assert problem.problem == "expected one case at least; got none"


def test_more_cases_than_the_limit_are_refused_as_too_large():
    found = refusal(text(*[TWELVE] * 51))
    assert (found.status, found.code) == (413, "too_many_cases")
    assert len(READER.read_json(text(*[TWELVE] * 50))) == 50


def test_instances_are_read_only_where_sagemaker_asks():
    content = json.dumps({"instances": [TWELVE]}).encode()
    assert READER.read_json(content, (DATA, INSTANCES)) == [TWELVE]
    assert refusal(content).status == 422
    both = json.dumps({"instances": [TWELVE], "data": [TWELVE]}).encode()
    assert refusal(both, names=(DATA, INSTANCES)).status == 422


def test_a_case_may_say_what_its_sender_calls_it():
    assert READER.read_json(text({**TWELVE, "_id": "a"}, TWELVE))[0]["_id"] == "a"
    assert problems({**TWELVE, "_id": 5}) == [
        (0, None, "_id: expected text of 1 to 128 characters")
    ]


def test_a_field_that_comes_twice_is_refused():
    once = json.dumps(TWELVE)
    again = once[:-1] + ', "edad_cliente": 71}'
    twice = f'{{"data": [{once}, {again}]}}'
    found = refusal(twice.encode())
    assert (found.status, found.code) == (422, "repeated_key")
    assert [(p.row, p.problem) for p in found.problems] == [
        (1, "expected each field once; 'edad_cliente' comes more than once")
    ]


def test_two_arrays_of_the_same_name_are_refused():
    once = json.dumps([TWELVE])
    found = refusal(f'{{"data": {once}, "data": {once}}}'.encode())
    assert found.problems[0].problem == "expected each field once; 'data' comes more than once"


@settings(max_examples=40)
@given(
    word=st.text(min_size=1, max_size=20),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2035, 12, 31)),  # noqa: DTZ001 - local
    ascii_only=st.booleans(),
)
def test_no_text_in_a_case_is_taken_for_a_repeated_key(word, moment, ascii_only):
    case = {**TWELVE, "tendencia_ingresos": word, "fecha_prestamo": moment.isoformat()}
    case["_id"] = word
    content = json.dumps({"data": [case] * 3}, ensure_ascii=ascii_only).encode()
    assert READER.read_json(content)[2]["tendencia_ingresos"] == word


JUNK = st.recursive(
    st.none() | st.booleans() | st.just(DNI) | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(DNI), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*TWELVE, DNI]), JUNK, max_size=4))
def test_no_value_is_ever_repeated(changes):
    assert DNI not in said_of(text({**TWELVE, **changes}))


def said_of(content: bytes) -> str:
    try:
        READER.read_json(content)
    except ApiError as found:
        return found.to_response("id").body.decode()
    return ""


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


LINE = ",".join(map(str, TWELVE.values())) + ",,,,"
HEADER = ",".join(field.name for field in FIELDS)


def test_csv_without_header_has_the_order_of_the_fields():
    cases, header = READER.read_csv(csv(LINE, LINE))
    assert not header
    assert [case["edad_cliente"] for case in cases] == [35, 35]
    assert "puntaje_datacredito" not in cases[0]


def test_csv_with_header_may_have_another_order_and_fewer_columns():
    names = ",".join(reversed(TWELVE))
    values = ",".join(map(str, reversed(TWELVE.values())))
    cases, header = READER.read_csv("\ufeff".encode() + csv(names, values))
    assert header
    assert cases[0]["tipo_credito"] == "4"
    assert cases[0]["salario_cliente"] == 3e6


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (csv("1,2"), 422, "expected 16 columns; got 2"),
        (csv(HEADER + ",x", LINE + ",1"), 422, "the model does not know a field 'x'"),
        (csv(HEADER.replace("huella_consulta", "plazo_meses"), LINE), 422, "each field once"),
        (csv(LINE.replace("35", "treinta")), 422, "got text"),
        (csv(LINE.replace("35", "nan")), 422, "got "),
        (csv(HEADER), 422, "expected one case at least"),
        (b"", 422, "expected one case at least"),
    ],
)
def test_csv_that_does_not_fit_is_refused(content, status, words):
    with pytest.raises(ApiError) as found:
        READER.read_csv(content)
    assert found.value.status == status
    assert words in found.value.problems[0].problem


@pytest.mark.parametrize("content", [b'"a', b"\xff,1", b'"a"b,1', b'"' + b"a" * 200_000 + b'"'])
def test_what_is_no_csv_is_refused_as_such(content):
    with pytest.raises(ApiError, match=r"The body should be CSV"):
        READER.read_csv(content)


def test_csv_has_a_limit_of_cases_too():
    with pytest.raises(ApiError, match="At most 50 cases"):
        READER.read_csv(csv(*[LINE] * 51))


def case_schema(reader: CaseReader) -> dict:
    (schema,) = TypeAdapter(reader.bodies[DATA]).json_schema()["$defs"].values()
    return schema


def test_the_schema_documents_each_field_with_its_limits():
    schema = case_schema(READER)
    assert schema["required"] == list(TWELVE)
    assert schema["additionalProperties"] is False
    age = schema["properties"]["edad_cliente"]
    assert (age["type"], age["minimum"], age["maximum"]) == ("integer", 0, 150)
    assert age["description"] == "A whole number from 0 to 150."
    score = schema["properties"]["puntaje_datacredito"]
    assert score["description"].startswith("Del buró. A finite number. May be left out or null")


def test_a_field_with_a_word_for_no_word_says_so():
    field = InputField(name="x", kind="word", required=False, missing="unknown")
    described = case_schema(CaseReader([field], RequestLimits(1, 9, 1)))["properties"]["x"]
    assert described["description"] == (
        "A word of 1 to 9 characters. May be left out or null: it then counts as unknown."
    )


def test_a_field_of_every_form_can_be_described():
    field = InputField(
        name="x", kind="number", required=True, minimum=0.5, maximum=9, seen_minimum=1
    )
    described = case_schema(CaseReader([field], RequestLimits(1, 1, 1)))["properties"]["x"]
    assert described["description"] == (
        "A finite number from 0.5 to 9. The model learned from 1; beyond that its answer is a "
        "guess."
    )


TEXTS = st.text(alphabet=st.sampled_from('ab"\\ñ/\n\u20ac{}[],:'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def strings_in(value):
    """Counted by walking through what was parsed: keys and texts."""
    if isinstance(value, str):
        return 1
    if isinstance(value, list):
        return sum(map(strings_in, value))
    if isinstance(value, dict):
        return sum(1 + strings_in(inner) for inner in value.values())
    return 0


@settings(max_examples=40)
@given(VALUES, st.booleans())
def test_the_strings_of_a_text_are_counted_whatever_is_escaped_in_them(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert count_strings(text) == strings_in(value)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), min_size=1, max_size=6))
def test_a_key_that_comes_twice_makes_more_strings_than_are_parsed(pairs):
    text = "{" + ",".join(f'"{key}": {value}' for key, value in pairs) + "}"
    repeated = len(dict(pairs)) < len(pairs)
    assert (count_strings(text.encode()) > strings_in(json.loads(text))) == repeated


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"data": [{"a": 1}, {"a": 1, "b": 2, "a": 3}]}', (1, "a")),
        (b'{"data": [{"a": 1}], "data": [{"a": 1, "a": 2}]}', (None, "data")),
        (b'{"data": [{"\\u0061": 1, "a": 2}]}', (0, "a")),
    ],
)
def test_where_a_key_comes_twice_is_found(text, found):
    assert find_repeated_key(text) == found


def test_a_text_of_many_values_is_recognised_before_it_is_parsed():
    text = b'{"data":[' + b"0," * HARMLESS_BYTES + b"0]}"
    assert has_more_values_than(text, values=1000)
    assert not has_more_values_than(text, values=HARMLESS_BYTES)


def test_a_small_text_may_hold_anything():
    assert not has_more_values_than(b"[" * HARMLESS_BYTES, values=1)
