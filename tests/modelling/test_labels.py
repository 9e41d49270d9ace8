import pytest

from clientela.text import format_feature_name


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("gasto_3m", "gasto en el trimestre"),
        ("puntos_ganados_6m", "puntos ganados (6 meses)"),
        ("pct_tecnologia_12m", "pct tecnologia (12 meses)"),
        ("edad", "edad"),
    ],
)
def test_configured_names_win_and_others_lose_their_underscores(feature, words):
    assert format_feature_name(feature, {"gasto_3m": "gasto en el trimestre"}) == words
