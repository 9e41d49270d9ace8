import pytest
from kedro.io import DatasetError

from clientela.datasets.model_packages import PackageStoreDataset
from clientela.registry.manifest import ServedManifest
from clientela.registry.package import NewPackage, extract_archive
from clientela.storage import compute_sha256

CONTENT = b"a package"


def manifest(version="0123456789ab"):
    return ServedManifest.model_validate(
        {
            "use_case": "credit_payment",
            "role": "required",
            "group": "credit-payment-required",
            "version": version,
            "task": "binary",
            "problem_type": "binary_classification",
            "fields": [{"name": "plazo", "kind": "number", "required": True}],
            "classes": ["no_paga", "paga"],
            "target": {"no_paga": 0, "paga": 1},
            "score_name": "probabilidad",
            "grades": {"roc_auc": {"value": 0.7, "lower": 0.6, "upper": 0.8, "rule": 0.5}},
            "primary_metric": "roc_auc",
            "example": {"case": {"plazo": 12}, "label": "paga", "expected": 0.9},
            "model": {"training_rows": 80, "training_data_sha256": "b" * 64},
            "files": {"model.skops": "c" * 64},
        }
    )


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    folder = tmp_path / "packages" if request.param == "folder" else f"memory://{tmp_path.name}"
    return PackageStoreDataset(path=str(folder), role="required")


def test_the_files_lie_under_names_of_their_version_and_the_latest_is_known(store):
    store.save(
        NewPackage(manifest(), CONTENT, {"xgboost-model": b"native"}, {"auc": {"value": 0.7}})
    )
    stored = store.load()
    assert stored.package.endswith("/required-0123456789ab.tar.gz")
    assert stored.package_sha256 == compute_sha256(CONTENT)
    assert stored.manifest == manifest()
    submission = stored.submission
    assert submission.prebuilt.endswith("/required-0123456789ab-prebuilt.tar.gz")
    assert submission.metrics.endswith("/required-0123456789ab-metrics.json")
    assert submission.grades == {"roc_auc": 0.7}
    assert submission.description == (
        "credit_payment, required, learned from 80 rows; roc_auc 0.700 [0.600, 0.800], "
        "best rule 0.500: better."
    )


def test_the_prebuilt_archive_is_written_as_such(tmp_path):
    store = PackageStoreDataset(path=str(tmp_path), role="required")
    store.save(NewPackage(manifest(), CONTENT, {"xgboost-model": b"native", "code/a.json": b"{}"}))
    content = (tmp_path / "required-0123456789ab-prebuilt.tar.gz").read_bytes()
    assert extract_archive(content) == {"xgboost-model": b"native", "code/a.json": b"{}"}


def test_a_newer_package_leaves_the_older_one_and_is_the_latest(store):
    store.save(NewPackage(manifest(), CONTENT))
    first = store.load()
    store.save(NewPackage(manifest("f" * 12), b"another"))
    second = store.load()
    assert (second.manifest.version, second.prebuilt, second.metrics) == ("f" * 12, None, None)
    assert first.package != second.package


def test_the_same_package_writes_no_file_again(tmp_path):
    store = PackageStoreDataset(path=str(tmp_path), role="required")
    store.save(NewPackage(manifest(), CONTENT, None, {"auc": 1}))
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    store.save(NewPackage(manifest(), CONTENT, None, {"auc": 1}))
    assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == before
    assert len(before) == 3


def test_without_a_package_the_stage_that_makes_one_is_named(store):
    assert not store.exists()
    with pytest.raises(DatasetError, match="kedro run --pipelines=deployment"):
        store.load()


def test_a_damaged_package_is_not_given_on(tmp_path):
    store = PackageStoreDataset(path=str(tmp_path), role="required")
    store.save(NewPackage(manifest(), CONTENT))
    (tmp_path / "required-0123456789ab.tar.gz").write_bytes(b"half")
    with pytest.raises(DatasetError, match="not the one that was stored"):
        store.load()


def test_an_account_that_can_not_be_read_is_named(tmp_path):
    store = PackageStoreDataset(path=str(tmp_path), role="required")
    (tmp_path / "required.json").write_text("{", "utf-8")
    with pytest.raises(DatasetError, match=r"required\.json should name the package that counts"):
        store.load()
