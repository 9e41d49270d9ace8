import shutil

import pytest
from kedro.io import DatasetError

from clientela.datasets.model_packages import RegistrationDataset, create_model_registry
from clientela.exceptions import ConfigurationError
from clientela.registry.model_registry import MlflowRegistry, Submission


def submission(role):
    return Submission(
        group=f"churn-{role}",
        use_case="customer_churn",
        role=role,
        version="0123456789ab",
        package=f"/models/{role}.tar.gz",
        package_sha256="a" * 64,
        prebuilt=None,
        metrics=None,
        grades={},
        description="A model.",
        problem_type="binary_classification",
        training_data_sha256="b" * 64,
    )


@pytest.fixture
def registrations(tmp_path, empty_registry):
    (tmp_path / "registry").mkdir()
    shutil.copy(empty_registry, tmp_path / "registry/mlflow.db")
    return RegistrationDataset(
        filepath=str(tmp_path / "registered.json"),
        registry={"kind": "mlflow", "uri": None},
        models={"path": str(tmp_path)},
    )


def test_models_are_registered_and_the_entries_come_back(registrations, tmp_path):
    registrations.save({role: submission(role) for role in ("champion", "required")})
    entries = registrations.load()
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/registry/mlflow.db")
    assert entries == {role: registry.models(f"churn-{role}")[0] for role in entries}
    assert [entry.status for entry in entries.values()] == ["pending", "pending"]


def test_registering_again_tells_what_a_person_decided_meanwhile(registrations, tmp_path):
    registrations.save({"champion": submission("champion")})
    registry = MlflowRegistry(f"sqlite:///{tmp_path}/registry/mlflow.db")
    registry.set_status(registrations.load()["champion"], "approved", "good")
    registrations.save({"champion": submission("champion")})
    entry = registrations.load()["champion"]
    assert (entry.number, entry.status) == (1, "approved")


def test_before_anything_is_registered_the_stage_is_named(registrations):
    assert not registrations.exists()
    with pytest.raises(DatasetError, match="kedro run --pipelines=deployment"):
        registrations.load()


def test_the_database_lies_below_the_root_of_models_unless_the_settings_say_otherwise():
    assert create_model_registry({"kind": "mlflow"}, "data/06_models/").uri == (
        "sqlite:///data/06_models/registry/mlflow.db"
    )
    elsewhere = {"kind": "mlflow", "uri": "postgresql://host/registry"}
    assert (
        create_model_registry(elsewhere, "s3://bucket/models").uri == "postgresql://host/registry"
    )


@pytest.mark.parametrize(
    ("settings", "models", "message"),
    [
        ({"kind": "mlflow"}, "s3://bucket/models", "can't lie at s3://bucket/models"),
        ({"kind": "sagemker"}, "models", "Did you mean 'sagemaker'"),
        ({}, "models", "No model registry .* is called 'None'"),
    ],
)
def test_a_registry_that_can_not_be_is_refused(settings, models, message):
    with pytest.raises(ConfigurationError, match=message):
        create_model_registry(settings, models)
