import pytest

from clientela.exceptions import ConfigurationError
from clientela.models.base import NamedRegistry, check_name

COLOURS = NamedRegistry("colour", {"rojo": 1, "azul": 2})


def test_entries_keep_their_order_and_are_found_by_name():
    assert list(COLOURS) == ["rojo", "azul"]
    assert len(COLOURS) == 2
    assert COLOURS.named("azul") == 2


def test_an_unknown_name_says_what_was_sought_and_what_is_near():
    with pytest.raises(ConfigurationError, match=r"No colour is called 'roj'\. .*'rojo'"):
        COLOURS.named("roj")
    with pytest.raises(
        ConfigurationError, match=r"No decision rule is called 'treshold'.*'thresholds'"
    ):
        check_name("decision rule", "treshold", ("argmax", "thresholds"))


def test_what_no_person_wrote_is_a_plain_mistake():
    with pytest.raises(KeyError):
        COLOURS["verde"]
