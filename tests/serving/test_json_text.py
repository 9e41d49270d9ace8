import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.serving.case_reader import (
    HARMLESS_BYTES,
    count_strings,
    find_repeated_key,
    has_more_values_than,
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
