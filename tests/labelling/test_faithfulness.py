import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.labelling.run import count_invented_numbers

ROW = {"Age": 35, "Credit amount": 2500, "Duration": 12, "Rate": 2.5, "Purpose": "radio/TV 2"}


@pytest.mark.parametrize(
    "description",
    [
        "Un hombre de 35 años pide 2.500 a 12 meses.",
        "A man of 35 asks for 2,500 over 12 months at 2.5 %.",
        "Pide 2500,00 por 2 televisores.",
        "Pide 2\u00a0500.",
        "Sin números.",
    ],
)
def test_numbers_of_the_row_in_any_spelling_are_faithful(description):
    assert count_invented_numbers(description, ROW) == 0


@pytest.mark.parametrize(
    ("description", "count"),
    [
        ("Tiene 36 años.", 1),
        ("Pide 25000 a 24 meses.", 2),
        ("Tiene 35 años y 3 hijos.", 1),
        ("Pide 2.500.000.", 1),
    ],
)
def test_numbers_of_nobody_are_counted(description, count):
    assert count_invented_numbers(description, ROW) == count


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_number_is_faithful_if_and_only_if_the_row_has_it(said, known):
    assert (count_invented_numbers(f"Pide {said}.", {"amount": known}) == 0) is (said == known)


@given(st.integers(1000, 10**9), st.sampled_from([",", "."]))
def test_grouped_thousands_are_the_same_number(number, separator):
    text = f"{number:,}".replace(",", separator)
    assert count_invented_numbers(f"Pide {text}.", {"amount": number}) == 0
