import pandas as pd
import pytest

from clientela.exceptions import InvalidTargetError
from clientela.pipelines.eda.association import TargetSchema, build_persistence, build_target

CLASSES = ("sin_compra", "baja", "media", "alta")


def test_classes_are_counted_in_their_order_and_empty_ones_are_zero(target_frames):
    meaning = TargetSchema(target="target", classes=(*CLASSES, "altisima"))
    assert build_target(target_frames, meaning).counts == (100, 50, 35, 15, 0)


def test_a_class_that_nobody_named_is_an_error_that_names_the_nearest(target_frames):
    meaning = TargetSchema(target="target", classes=("sin_compra", "baja", "media", "altas"))
    with pytest.raises(InvalidTargetError, match=r"also holds alta\. Did you mean 'altas'"):
        build_target(target_frames, meaning)


def test_a_target_without_classes_has_no_class_findings(target_frames):
    assert build_target(target_frames, TargetSchema(target="target")) is None


def test_columns_of_the_schema_that_others_need_are_no_error():
    schema = {"target": "t", "classes": ["a", "b"], "key": "id", "values": [0, 1]}
    assert TargetSchema.model_validate(schema).classes == ("a", "b")


def test_windows_are_named_by_their_days():
    question = pd.DataFrame(
        {
            "category": ["TECNOLOGÍA"],
            "months": [3],
            "start": pd.to_datetime(["2023-07-01"]),
            "middle": pd.to_datetime(["2023-10-01"]),
            "end": pd.to_datetime(["2024-01-01"]),
        }
    )
    pairs = pd.DataFrame({"before": [0, 1], "after": [0, 3], "customers": [5, 2]})
    found = build_persistence({"question": question, "pairs": pairs}, CLASSES)
    assert found.borders == ("2023-07-01", "2023-10-01", "2024-01-01")
