"""The locks hold everything, say what they mean, and agree."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.project.locks import asked_by, hashes, pinned

LOCKS = (
    "requirements.lock",
    "schedules/airflow.lock",
    "docker/requirements-build.lock",
    "docker/requirements-serving.lock",
    "docker/requirements-pipeline.lock",
)
IMAGES = ("docker/requirements-serving.lock", "docker/requirements-pipeline.lock")
# of the project's own, what only a GPU needs, and how the images have it
NOT_IN_IMAGES = {"xgboost", "nvidia-nccl-cu12"}
WITHOUT_GPU = {"xgboost-cpu"}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_has_a_hash_and_no_index_is_named(name: str, project_root: Path):
    lock = project_root / name
    assert len(hashes(lock)) == len(pinned(lock)) > 0
    assert min(hashes(lock)) > 0
    assert "://" not in lock.read_text("utf-8")


def test_a_requirement_that_is_asked_for_with_extras_is_pinned_with_them(project_root: Path):
    # `coverage` pinned without `[toml]` once had pip choose a newer one than the lock has hashes of
    found = pinned(project_root / "requirements.lock")
    asked = [(one, by) for by in found.values() for one in asked_by(by) if one.extras]
    assert len(asked) > 3
    stripped = [
        f"{by.name} asks for {one}"
        for one, by in asked
        if (there := found.get(canonicalize_name(one.name))) and not one.extras <= there.extras
    ]
    assert stripped == []


@pytest.mark.parametrize("name", ["requirements.lock", *IMAGES])
def test_nothing_that_is_asked_for_is_left_out(name: str, project_root: Path):
    # the images install without looking for dependencies
    found = pinned(project_root / name)
    left_out = {
        f"{by.name} asks for {one}"
        for by in found.values()
        for one in asked_by(by)
        if canonicalize_name(one.name) not in {*found, *NOT_IN_IMAGES}
    }
    assert left_out == set()


def test_the_lock_has_what_the_project_asks_for_with_its_extras(project_root: Path):
    project = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(one for extra in optional for one in extra)]
    found = pinned(project_root / "requirements.lock")
    for one in map(Requirement, asked):
        assert one.extras <= found[canonicalize_name(one.name)].extras, one
        (version,) = found[canonicalize_name(one.name)].specifier
        assert one.specifier.contains(version.version), f"{one}: run make lock"


@pytest.mark.parametrize("name", IMAGES)
def test_the_images_have_the_versions_that_the_tests_ran_with(name: str, project_root: Path):
    tested = pinned(project_root / "requirements.lock")
    shipped = pinned(project_root / name)
    assert shipped["xgboost-cpu"].specifier == tested["xgboost"].specifier
    differing = [
        other
        for other, one in shipped.items()
        if other not in WITHOUT_GPU and one.specifier != tested[other].specifier
    ]
    assert differing == []
    assert set(shipped) & NOT_IN_IMAGES == set()
