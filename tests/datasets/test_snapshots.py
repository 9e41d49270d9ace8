import hashlib
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DataCatalog, DatasetError

from clientela.datasets.files import SnapshotsDataset
from clientela.exceptions import ConfigurationError

UTF8 = {"open_args_save": {"encoding": "utf-8"}, "open_args_load": {"encoding": "utf-8"}}
JSON = {
    "type": "kedro_datasets.json.JSONDataset",
    "save_args": {"indent": 2, "ensure_ascii": False},
    "fs_args": UTF8,
}
TABLE = {
    "type": "clientela.datasets.table.TableDataset",
    "order_by": "dni",
    "load_as": "pandas",
    "engine": {"threads": 1},
}
JUNE, JULY = "2024-06-30", "2024-07-07"
SEGMENTS = pd.DataFrame({"dni": ["07045", "00012", "99001"], "cluster_id": [1, 0, -1]})


def identities(root):
    return SnapshotsDataset(path=f"{root}/identities", dataset=JSON, filename_suffix=".json")


def exports(root):
    return SnapshotsDataset(
        path=f"{root}/clientes_segmentados.parquet",
        dataset=TABLE,
        filename_suffix="/clientes.parquet",
    )


def files(root):
    found = sorted(path for path in Path(root).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def digests(root):
    return {name: hashlib.sha256(content).hexdigest() for name, content in files(root).items()}


def test_before_the_first_run_there_are_no_snapshots(tmp_path):
    assert identities(tmp_path).load() == {}
    assert not identities(tmp_path).exists()


def test_a_snapshot_comes_back_as_it_was_saved(tmp_path):
    identities(tmp_path).save({JUNE: {"names": {"1": "Farmacia y más"}}})
    loaded = identities(tmp_path).load()
    assert {name: load() for name, load in loaded.items()} == {
        JUNE: {"names": {"1": "Farmacia y más"}}
    }
    assert list(files(tmp_path)) == [f"identities/{JUNE}.json"]


def test_saving_one_date_leaves_the_others_and_replaces_itself(tmp_path):
    snapshots = identities(tmp_path)
    snapshots.save({JULY: {"k": 3}})
    snapshots.save({JUNE: {"k": 4}})
    snapshots.save({JULY: {"k": 5}})
    loaded = snapshots.load()
    assert [(name, load()) for name, load in loaded.items()] == [(JUNE, {"k": 4}), (JULY, {"k": 5})]


def test_a_snapshot_is_read_when_it_is_asked_for(tmp_path):
    identities(tmp_path).save({JUNE: {"k": 3}, JULY: {"k": 4}})
    loaded = identities(tmp_path).load()
    (tmp_path / f"identities/{JUNE}.json").write_text("not JSON")
    assert loaded[JULY]() == {"k": 4}
    with pytest.raises(DatasetError, match=r"JSONDataset.*\n.*Expecting value"):
        loaded[JUNE]()


def test_saving_again_gives_the_same_bytes(tmp_path):
    exports(tmp_path).save({f"fecha_modelo={JUNE}": SEGMENTS})
    before = digests(tmp_path)
    exports(tmp_path).save({f"fecha_modelo={JUNE}": SEGMENTS[::-1]})
    assert digests(tmp_path) == before


def test_folders_of_dates_are_a_hive_table_without_the_date_inside(tmp_path):
    exports(tmp_path).save({f"fecha_modelo={JUNE}": SEGMENTS})
    exports(tmp_path).save({f"fecha_modelo={JULY}": SEGMENTS[:2]})
    root = tmp_path / "clientes_segmentados.parquet"
    inside = pq.ParquetFile(root / f"fecha_modelo={JUNE}/clientes.parquet").schema_arrow.names
    assert inside == ["dni", "cluster_id"]
    read = pd.read_parquet(root)
    assert read.groupby("fecha_modelo", observed=True).size().to_dict() == {JUNE: 3, JULY: 2}
    assert list(exports(tmp_path).load()) == [f"fecha_modelo={JUNE}", f"fecha_modelo={JULY}"]


def test_stale_files_of_a_date_that_is_a_folder_are_removed_and_of_others_kept(tmp_path):
    exports(tmp_path).save({f"fecha_modelo={JUNE}": SEGMENTS, f"fecha_modelo={JULY}": SEGMENTS})
    root = tmp_path / "clientes_segmentados.parquet"
    for date in (JUNE, JULY):
        (root / f"fecha_modelo={date}/part-000.parquet").write_bytes(b"of an older version")
    exports(tmp_path).save({f"fecha_modelo={JUNE}": SEGMENTS})
    assert [str(Path(name).relative_to(root.name)) for name in files(tmp_path)] == [
        f"fecha_modelo={JUNE}/clientes.parquet",
        f"fecha_modelo={JULY}/clientes.parquet",
        f"fecha_modelo={JULY}/part-000.parquet",
    ]


def test_a_save_that_fails_leaves_the_old_snapshot_and_no_rest(tmp_path):
    identities(tmp_path).save({JUNE: {"k": 3}})
    before = files(tmp_path)
    with pytest.raises(DatasetError, match="not JSON serializable"):
        identities(tmp_path).save({JUNE: {"k": 4, "last": object()}})
    assert files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["identities"]


def test_what_a_killed_run_left_is_no_snapshot_and_goes_with_the_next(tmp_path):
    rest = tmp_path / "identities.writing" / f"{JUNE}.json"
    rest.parent.mkdir()
    rest.write_text('{"k":')
    assert identities(tmp_path).load() == {}
    identities(tmp_path).save({JULY: {"k": 3}})
    assert list(files(tmp_path)) == [f"identities/{JULY}.json"]


def test_other_files_in_the_folder_are_no_snapshots(tmp_path):
    identities(tmp_path).save({JUNE: {"k": 3}})
    (tmp_path / "identities/README.md").write_text("by hand")
    assert list(identities(tmp_path).load()) == [JUNE]


@pytest.mark.parametrize("suffix", ["", "/"])
def test_a_snapshot_needs_a_suffix(tmp_path, suffix):
    with pytest.raises(ConfigurationError, match=r"expected a filename_suffix such as .json"):
        SnapshotsDataset(path=str(tmp_path), dataset=JSON, filename_suffix=suffix)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"\.\."):
        identities(tmp_path / "models").save({"../../outside": {"k": 3}})
    assert files(tmp_path) == {}


def test_the_catalog_knows_whether_there_are_snapshots_and_keeps_the_metadata(tmp_path):
    metadata = {"kedro-viz": {"layer": "models"}}
    entry = {
        "type": "clientela.datasets.files.SnapshotsDataset",
        "path": str(tmp_path / "identities"),
        "filename_suffix": ".json",
        "dataset": JSON,
        "metadata": metadata,
    }
    catalog = DataCatalog.from_config({"identities": entry, "previous_identities": entry})
    assert not catalog.exists("previous_identities")
    catalog.save("identities", {JUNE: {"k": 3}})
    assert catalog.exists("previous_identities")
    assert catalog.load("previous_identities")[JUNE]() == {"k": 3}
    assert catalog["identities"].metadata == metadata
    assert json.loads((tmp_path / f"identities/{JUNE}.json").read_text("utf-8")) == {"k": 3}
