import re
from pathlib import Path

import pandas as pd
import pytest

RIGHT = pd.DataFrame(
    {"id_cliente": ["a", "b"], "total_gasto": [10.0, 0.1], "log_total_gasto": [2.3, 0.0]}
)


def written(frame: pd.DataFrame, place: Path) -> Path:
    frame.to_parquet(place)
    return place


def test_amounts_must_be_equal_and_logarithms_nearly(tmp_path: Path) -> None:
    from agreement import differences

    found = RIGHT.assign(log_total_gasto=[2.3 + 1e-12, 0.0])
    left, right = written(RIGHT, tmp_path / "left"), written(found, tmp_path / "right")
    assert differences(left, right) == []
    written(found.assign(total_gasto=[10.0, 0.1 + 1e-12], log_total_gasto=[2.4, 0.0]), right)
    assert differences(left, right) == [
        "total_gasto: 1 rows differ",
        "log_total_gasto: 1 rows differ",
    ]


def test_a_folder_of_buckets_is_one_result(tmp_path: Path) -> None:
    from agreement import differences

    buckets = tmp_path / "buckets"
    buckets.mkdir()
    written(RIGHT.iloc[1:], buckets / "part-000.parquet")
    written(RIGHT.iloc[:1], buckets / "part-001.parquet")
    assert differences(written(RIGHT, tmp_path / "left"), buckets) == []


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (RIGHT.drop(columns="total_gasto"), r"columns differ: \['total_gasto'\]"),
        (RIGHT.iloc[:1], "id_cliente differs, or is not unique: 2 rows and 1"),
        (RIGHT.assign(total_gasto=[None, 0.1]), "total_gasto: 1 rows differ"),
        (RIGHT.assign(log_total_gasto=[None, 0.0]), "log_total_gasto: 1 rows differ"),
    ],
)
def test_missing_columns_customers_and_values_are_differences(
    found: pd.DataFrame, sentence: str, tmp_path: Path
) -> None:
    from agreement import differences

    left, right = written(RIGHT, tmp_path / "left"), written(found, tmp_path / "right")
    (said,) = differences(left, right)
    assert re.fullmatch(sentence, said)


def test_an_unordered_result_is_refused(tmp_path: Path) -> None:
    from agreement import differences

    place = written(RIGHT.iloc[::-1], tmp_path / "unordered")
    with pytest.raises(ValueError, match="unordered: not ordered by id_cliente"):
        differences(place, place)
