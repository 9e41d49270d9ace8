from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from clientela.features.segment_columns import (
    ClusteringParams,
    MembershipParams,
    NameOverride,
    NamingParams,
    SegmentationParams,
    SegmentFeatureParams,
    SegmentReportParams,
)

MODELS = [
    ClusteringParams,
    MembershipParams,
    NamingParams,
    SegmentationParams,
    SegmentFeatureParams,
    SegmentReportParams,
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_unknown_settings_are_refused(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model.model_validate({"ventana": 3})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_settings_never_change(model: type[BaseModel]) -> None:
    made = model()
    name = next(iter(type(made).model_fields))
    with pytest.raises(ValidationError, match="Instance is frozen"):
        setattr(made, name, None)


@pytest.mark.parametrize(
    ("model", "wrong", "message"),
    [
        (SegmentFeatureParams, {"window_months": 0}, "greater than 0"),
        (SegmentFeatureParams, {"rubros": []}, "at least 1 item"),
        (SegmentFeatureParams, {"top_rubros": 0}, "greater than 0"),
        (SegmentFeatureParams, {"categoricals": {"canal": 0}}, "greater than 0"),
        (SegmentFeatureParams, {"fecha_modelo": "ayer"}, "valid date"),
        (ClusteringParams, {"k": 1}, "greater than or equal to 2"),
        (ClusteringParams, {"columns": []}, "at least 1 item"),
        (ClusteringParams, {"columns": ["gasto"]}, "'participacion', 'frecuencia'"),
        (ClusteringParams, {"start": "tibio"}, "'warm' or 'cold'"),
        (ClusteringParams, {"minimum_transactions": 0}, "greater than 0"),
        (ClusteringParams, {"switch_margin": -0.1}, "greater than or equal to 0"),
        (ClusteringParams, {"minimum_overlap": 1.1}, "less than or equal to 1"),
        (ClusteringParams, {"candidates": [1, 4]}, r"grow from 2 or more.*got \[1, 4\]"),
        (ClusteringParams, {"candidates": [4, 4]}, r"grow from 2 or more.*got \[4, 4\]"),
        (NameOverride, {"name": "", "reason": "x"}, "at least 1 character"),
        (NameOverride, {"name": "Familias"}, "reason"),
        (MembershipParams, {"mode": "siempre"}, "'none', 'report' or 'export'"),
        (SegmentReportParams, {"min_customers": 0}, "greater than 0"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    model: type[BaseModel], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate(wrong)


def test_settings_come_as_configuration_files_write_them() -> None:
    made = SegmentFeatureParams.model_validate(
        {"fecha_modelo": "2024-06-30", "rubros": ["FARMACIA", "Ropa"], "window_months": None}
    )
    assert made.model_dump(include={"rubros", "window_months"}) == {
        "rubros": ("FARMACIA", "Ropa"),
        "window_months": None,
    }
    assert made.fecha_modelo is not None
    assert made.fecha_modelo.isoformat() == "2024-06-30"


def test_a_name_is_given_to_a_segment_with_a_reason() -> None:
    named = NamingParams.model_validate(
        {"overrides": {"2": {"name": "Familias", "reason": "Así las llama la campaña."}}}
    )
    assert named.overrides == {2: NameOverride(name="Familias", reason="Así las llama la campaña.")}
