from typing import Any

import pytest
from pydantic import ValidationError

from clientela.features.settings import FeatureParams


@pytest.mark.parametrize(
    ("category", "rubro", "target"),
    [
        ("TECNOLOGÍA", "tecnologia", "target_compra_tecnologia"),
        (" Tecnologia ", "tecnologia", "target_compra_tecnologia"),
        ("DRUG GM", "drug gm", "target_compra_drug_gm"),
        ("Niños & Bebés", "ninos & bebes", "target_compra_ninos_bebes"),
    ],
)
def test_a_category_names_rows_and_columns(category: str, rubro: str, target: str) -> None:
    params = FeatureParams(category=category)
    assert (params.rubro, params.target) == (rubro, target)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"category": ""}, "at least 1 character"),
        ({"category": "¿?"}, "holds no letter or digit to name columns by"),
        ({"window_months": (6, 3)}, r"window_months should grow, e.g. \[3, 6\]; got \[6, 3\]"),
        ({"window_months": (3, 3)}, "window_months should grow"),
        ({"window_months": (0, 3)}, "greater than 0"),
        ({"target_months": 0}, "greater than 0"),
        ({"cutoff_mode": "today"}, "'last_transaction' or 'calendar'"),
        ({"points_balance": "future"}, "'at_cutoff' or 'snapshot'"),
        ({"minimum_transactions": -1}, "greater than or equal to 0"),
        ({"ventana": 3}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_parameters_are_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FeatureParams(**{"category": "ropa", **wrong})
