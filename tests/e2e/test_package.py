"""What `kedro package` makes, in a folder without the project: a wheel and an archive of conf."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.small_project import variables

STATUS = "from clientela.cli.main import cli; cli()"


@pytest.fixture(scope="module")
def packaged(project_root: Path, tmp_path_factory):
    """Runs Python where nothing but the package lies: `packaged("-m", "clientela", …)`."""
    place = tmp_path_factory.mktemp("packaged")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=project_root, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "lib")  # noqa: S202 - built here
    with tarfile.open(place / "conf-clientela.tar.gz", "w:gz") as archive:
        archive.add(project_root / "conf", "conf")
    (place / "work").mkdir()

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments, "--conf-source=../conf-clientela.tar.gz"],
            cwd=place / "work",
            env=variables(place / "work") | {"PYTHONPATH": str(place / "lib")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run, place / "work"


def test_the_packaged_project_runs_from_the_archive_of_its_configuration(packaged):
    run, work = packaged
    small = "retail.data_generation.customers=300,retail.data_generation.transactions=3000"
    done = run(
        "-m", "clientela", "--pipelines=data_generation,ingestion", "--tags=purchase_intensity",
        f"--params={small}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (work / "data/03_primary/transactions.parquet").is_file()
    assert [path.name for path in work.iterdir()] == ["data"]


@pytest.mark.parametrize("command", [("-m", "clientela"), ("-c", STATUS, "status")])
def test_an_environment_that_the_archive_lacks_is_named_with_those_it_has(packaged, command):
    done = packaged[0](*command, "--env=tset")
    assert done.returncode == 1
    assert "or 'test'?" in done.stderr


def test_the_commands_of_the_project_read_the_archive(packaged):
    done = packaged[0]("-c", STATUS, "status")
    assert done.returncode == 0, done.stderr
    assert "Nothing registered yet" in done.stdout
