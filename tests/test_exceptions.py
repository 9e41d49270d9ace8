import inspect
import re

import pytest

from clientela import exceptions
from clientela.exceptions import ClientelaError, did_you_mean

CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, ClientelaError)
}


def drawn_parents():
    """Each class of the drawing at the top of the file, with the class that it hangs below."""
    above, parents = [], {}
    for line in exceptions.__doc__.splitlines():
        found = re.match(r"^((?:│   |    |├── |└── )*)([A-Z]\w+)(?:  |$)", line)
        if found:
            depth, name = len(found[1]) // 4, found[2]
            above = [*above[:depth], name]
            parents[name] = above[depth - 1] if depth else None
    return parents


def test_the_drawing_shows_the_tree_as_it_is():
    bases = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}
    assert drawn_parents() == bases | {"ClientelaError": None}


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("id_client", "Did you mean 'id_cliente'?"),
        ("ID_CLIENTE", "Did you mean 'id_cliente'?"),
        ("fech", "Did you mean 'fecha'?"),
        ("xyz", "Known: fecha, id_cliente."),
    ],
)
def test_a_hint_names_the_nearest_words_or_all(wrong, hint):
    assert did_you_mean(wrong, ["id_cliente", "fecha", "fecha"]) == hint


def test_a_hint_among_nothing_says_so():
    assert did_you_mean("fecha", []) == "Known: none."
