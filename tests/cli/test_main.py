import errno
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from botocore.exceptions import ConnectionClosedError
from click.testing import CliRunner

from clientela.cli import main
from clientela.exceptions import ConfigurationError, ServingError

HEAVY = {
    "boto3",
    "botocore",
    "fastapi",
    "fsspec",
    "ibis",
    "kedro",
    "mlflow",
    "numpy",
    "omegaconf",
    "pandas",
    "pydantic",
    "rich",
    "sklearn",
    "xgboost",
}


def test_to_list_the_commands_imports_nothing_heavy():
    listing = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from clientela.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(done.stdout.split()) == set()


def test_every_command_exists_and_tells_what_it_does():
    context = click.Context(main.cli)
    for name in main.cli.list_commands(context):
        command = main.cli.get_command(context, name)
        assert command.name == name
        assert main.read_command_summary(name)
        assert main.read_command_summary(name) == " ".join(
            command.help.partition("\n\n")[0].split()
        )


def test_the_help_lists_every_command():
    done = CliRunner().invoke(main.cli, ["--help"])
    assert done.exit_code == 0
    assert all(name in done.output for name in main.LAZY)


def test_a_command_that_does_not_exist_is_refused():
    done = CliRunner().invoke(main.cli, ["aprove"])
    assert done.exit_code == 2
    assert "No such command 'aprove'" in done.output


@pytest.fixture
def failing(monkeypatch):
    """What a person reads after a command ended by an error."""

    def read(error):
        @click.command("fail")
        def fail():
            raise error

        monkeypatch.setitem(main.cli.commands, "fail", fail)
        return CliRunner().invoke(main.cli, ["fail"])

    return read


@pytest.mark.parametrize("error", [ConfigurationError("Do this."), ServingError("Do that.")])
def test_an_error_of_ours_ends_with_its_message_alone(failing, error):
    done = failing(error)
    assert (done.exit_code, done.output) == (1, f"Error: {error}\n")


@pytest.mark.slow
def test_nothing_but_the_message_is_written_where_kedro_is_imported_for_it(project_root, tmp_path):
    command = [Path(sys.executable).parent / "clientela", "invoke", "--input", tmp_path / "no.csv"]
    server = "--url=http://127.0.0.1:9"
    done = subprocess.run(
        [*command, server], cwd=project_root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: http://127.0.0.1:9 gave no answer")


def test_denied_access_says_what_to_check(failing):
    done = failing(PermissionError("models/served"))
    assert done.exit_code == 1
    assert "Access was denied. Check AWS_PROFILE" in done.output


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), ConnectionClosedError(endpoint_url="http://store")],
)
def test_a_store_that_fails_is_told_without_a_traceback(failing, error):
    done = failing(error)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: Disk, store or network failed ({type(error).__name__}:")
    assert "What was done already is kept. Run the same command again." in done.output


def test_a_reader_that_has_seen_enough_is_told_nothing(failing):
    assert failing(BrokenPipeError(errno.EPIPE, "Broken pipe")).output == ""


def test_a_fault_of_the_program_keeps_its_traceback(failing):
    done = failing(KeyError("x"))
    assert isinstance(done.exception, KeyError)


def test_the_package_installs_the_command(project_root):
    project = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]
    module, _, name = project["scripts"]["clientela"].partition(":")
    assert (module, getattr(main, name)) == (main.__name__, main.cli)
