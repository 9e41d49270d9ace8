import pytest

from clientela.exceptions import did_you_mean


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
