"""Snapshots on S3, where listings are remembered and there are no folders to move."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import s3fs

from clientela.datasets.files import SnapshotsDataset

JUNE, JULY = "2024-06-30", "2024-07-07"
SEGMENTS = pd.DataFrame({"dni": ["00012", "07045", "99001"], "cluster_id": [0, 1, -1]})


@pytest.fixture
def keys(aws_client: Callable[[str], Any], store: str) -> Callable[[], list[str]]:
    """What lies in the store, asked without any cache between."""
    bucket, _, prefix = store.removeprefix("s3://").partition("/")

    def listed() -> list[str]:
        found = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix + "/")
        return [item["Key"].removeprefix(prefix + "/") for item in found.get("Contents", [])]

    return listed


def identities(store: str) -> SnapshotsDataset:
    return SnapshotsDataset(
        path=f"{store}/identities",
        dataset={"type": "kedro_datasets.json.JSONDataset"},
        filename_suffix=".json",
    )


def exports(store: str) -> SnapshotsDataset:
    return SnapshotsDataset(
        path=f"{store}/clientes_segmentados.parquet",
        dataset={
            "type": "clientela.datasets.table.TableDataset",
            "order_by": "dni",
            "load_as": "pandas",
        },
        filename_suffix="/clientes.parquet",
    )


def test_before_the_first_run_there_are_none_and_after_it_there_is_one(store, keys):
    snapshots = identities(store)
    assert snapshots.load() == {}
    assert not snapshots.exists()
    snapshots.save({JUNE: {"k": 3}})
    assert snapshots.exists()
    assert {name: load() for name, load in snapshots.load().items()} == {JUNE: {"k": 3}}
    assert keys() == [f"identities/{JUNE}.json"]


def test_one_date_is_replaced_and_the_others_stay(store, keys):
    exports(store).save({f"fecha_modelo={JUNE}": SEGMENTS, f"fecha_modelo={JULY}": SEGMENTS})
    exports(store).save({f"fecha_modelo={JULY}": SEGMENTS[:2]})
    loaded = {name: load()[list(SEGMENTS)] for name, load in exports(store).load().items()}
    pd.testing.assert_frame_equal(loaded[f"fecha_modelo={JUNE}"], SEGMENTS)
    pd.testing.assert_frame_equal(loaded[f"fecha_modelo={JULY}"], SEGMENTS[:2])
    assert keys() == [
        f"clientes_segmentados.parquet/fecha_modelo={date}/clientes.parquet"
        for date in (JUNE, JULY)
    ]


def test_stale_files_of_a_date_are_removed(store, keys):
    exports(store).save({f"fecha_modelo={JUNE}": SEGMENTS})
    folder = f"{store}/clientes_segmentados.parquet/fecha_modelo={JUNE}"
    s3fs.S3FileSystem().pipe_file(f"{folder}/part-000.parquet", b"of an older version")
    exports(store).save({f"fecha_modelo={JUNE}": SEGMENTS})
    assert keys() == [f"clientes_segmentados.parquet/fecha_modelo={JUNE}/clientes.parquet"]


def test_what_another_process_wrote_or_replaced_is_seen(store, aws_client):
    snapshots = identities(store)
    snapshots.save({JUNE: {"names": {}}})
    loaded = snapshots.load()
    assert loaded[JUNE]() == {"names": {}}
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    for date, content in ((JUNE, b'{"names": {"1": "Farmacia"}}'), (JULY, b"{}")):
        key = f"{prefix}/identities/{date}.json"
        aws_client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    assert loaded[JUNE]() == {"names": {"1": "Farmacia"}}
    assert list(snapshots.load()) == [JUNE, JULY]
