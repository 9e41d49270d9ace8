import pytest

from clientela.pipelines.data_generation.retail import CATEGORIES, list_spellings


def test_shares_of_all_rubros_add_up_to_one():
    assert sum(category.share for category in CATEGORIES) == pytest.approx(1.0, abs=1e-12)


def test_names_are_unique_and_include_the_target_category():
    names = [category.name for category in CATEGORIES]
    assert len(set(names)) == len(names)
    assert "TECNOLOGÍA" in names


def test_spellings_drop_accents_and_capitals():
    assert list_spellings("TECNOLOGÍA") == (
        "TECNOLOGÍA",
        "TECNOLOGIA",
        "Tecnología",
        "Tecnologia",
        "tecnología",
    )
