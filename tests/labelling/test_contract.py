import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.labelling.language_model import (
    InvalidResponse,
    RefusalResponse,
    parse_description,
    parse_label,
)

LABELS = ("good risk", "bad risk")


@pytest.mark.parametrize("label", LABELS)
def test_one_object_with_one_known_label_is_read(label):
    assert parse_label(f' {{"label": "{label}"}}\n', LABELS) == label


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_survives_as_a_description(text):
    assert parse_description(json.dumps({"description": text})) == text.strip()


@given(st.text(min_size=40))
def test_what_is_refused_is_not_repeated(text):
    with pytest.raises(InvalidResponse) as refused:
        parse_label(text, LABELS)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("good risk", "must be one JSON object"),
        ('Sure: {"label": "good risk"}', "no text around it"),
        ('{"label": "GOOD RISK"}', "exactly one of"),
        ('{"label": "good risk", "label": "good risk"}', "must not repeat a key"),
        ('{"label": "good risk", "why": "x"}', 'one key "label"'),
        ('{"risk": "good risk"}', 'one key "label"'),
        ('{"label": ["good risk"]}', "must be a string"),
        ('{"label": " "}', "not empty"),
        ('{"label": Infinity}', "Infinity is no JSON"),
        ("[" * 100_000, "must be one"),
    ],
)
def test_another_form_is_refused_with_what_is_wrong(answer, said):
    with pytest.raises(InvalidResponse, match=said):
        parse_label(answer, LABELS)


def test_a_description_that_never_ends_is_refused():
    with pytest.raises(InvalidResponse, match="at most 4000 characters, has 5000"):
        parse_description(json.dumps({"description": "x" * 5000}))


@pytest.mark.parametrize(
    "answer", ["I'm sorry, I can't.", "I cannot do that", "Lo siento, no puedo.", "As an AI, I"]
)
def test_an_apology_is_a_refusal(answer):
    with pytest.raises(RefusalResponse):
        parse_label(answer, LABELS)


def test_a_description_that_begins_like_an_apology_is_none():
    assert (
        parse_description('{"description": "No puedo leer la edad."}') == "No puedo leer la edad."
    )
