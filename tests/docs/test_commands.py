"""Documented commands: each kind of run is run once, the others are checked for their words."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from tests.docs.conftest import RunKedro, Sample
from tests.docs.markdown import commands
from tests.kedro_session import session_of

from clientela.cli.main import cli

COMMANDS = commands()
DOCKER = [c for c in COMMANDS if c.startswith("docker ")]  # tests/project/test_image.py
KEDRO = [c for c in COMMANDS if "kedro " in c and c not in DOCKER]
CLIENTELA = [c for c in COMMANDS if re.search(r"(^|\s)clientela ", c) and c not in DOCKER]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
# what a person's own machine must bring, or the tests of another page run
OTHERS = {
    "source .venv/bin/activate",
    'aws s3 cp data/01_raw s3://my-bucket/raw --recursive --exclude "*" --include "*.csv"',
    ".venv/bin/pre-commit install",
}
# tests/docs/test_adding_a_use_case.py, tests/pipelines/own_table
OF_ANOTHER_TEST = ("purchase_home", "value_segments", "returns")
SELECTING = [
    c for c in KEDRO if "kedro run" in c and not any(name in c for name in OF_ANOTHER_TEST)
]
PER_TAG = [c for c in SELECTING if re.fullmatch(r"kedro run --tags=\w+", c)]
# a command of each kind, with what narrows it to the stages where its options are seen to work
RUN = {
    "kedro run --pipeline=training": ["--namespaces=customer_churn"],
    "kedro run --params=purchase_intensity.features.cutoff_mode=calendar": [
        "--pipelines=feature_engineering,ordinal_target",
        "--namespaces=purchase_intensity",
    ],
    "kedro run --namespaces=purchase_intensity": ["--pipelines=ordinal_target,scoring"],
    "kedro run --tags=customer_segments --params=customer_segments.segmentation.clustering.k=4": [
        "--pipelines=segmentation,scoring"
    ],
    "kedro run --pipelines=monitoring --tags=credit_payment --params=new_baseline=true": [],
    "kedro run --pipelines=deployment --tags=credit_payment": [],
    "kedro run --pipelines=ingestion,feature_engineering,scoring --tags=credit_payment "
    "--to-outputs=credit_payment.row_accounting,credit_payment.scores": [],
}


def words_of(command: str) -> list[str]:
    """The words of a command line behind the variables that it sets."""
    words = shlex.split(command)
    return words[next(i for i, word in enumerate(words) if "=" not in word) :]


def options_of(command: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words_of(command) if word.startswith("--"))


def listed(options: dict[str, str], name: str) -> set[str]:
    return set(filter(None, options.get(name, "").split(",")))


def test_every_command_is_of_a_form_that_is_checked():
    checked = {*KEDRO, *CLIENTELA, *MAKE, *DOCKER, *OTHERS}
    assert [c for c in COMMANDS if c not in checked and not c.startswith("sed ")] == []
    assert RUN.keys() <= set(SELECTING)


def test_make_commands_have_their_targets(project_root: Path):
    clean = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    for command in MAKE:
        name, *arguments = shlex.split(command)
        made = subprocess.run(
            [name, "--dry-run", *arguments],
            cwd=project_root,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, (command, made.stderr)


@pytest.mark.filterwarnings("ignore")  # plugins of Kedro warn when they are imported
def test_commands_of_kedro_and_our_own_exist_with_their_options(project_root: Path):
    groups = {"kedro": KedroCLI(project_root), "clientela": cli}
    for command in (*KEDRO, *CLIENTELA):
        program, *words = words_of(command)
        assert innermost(groups[program], words), command


def innermost(group: click.Group, words: list[str]) -> click.Context:
    """The command that words lead to, its options parsed."""
    found: click.Command = group
    while isinstance(found, click.Group):
        name = words.pop(0)
        parent, found = found, found.get_command(click.Context(found), name)
        assert found is not None, f"{parent.name} has no command {name}"
    return found.make_context(str(found.name), words)


@pytest.fixture(scope="module")
def known(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pipeline]:
    """The pipelines of the project's own switchboard, not another file's."""
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("CLIENTELA_TEST_ROOT", str(tmp_path_factory.mktemp("data")))
        with session_of(project_root, env="test"):
            return dict(pipelines)


def test_what_runs_select_exists(known: dict[str, Pipeline], project_root: Path):
    nodes = known["__default__"].nodes
    tags = {tag for node in nodes for tag in node.tags}
    namespaces = {str(node.namespace).split(".")[0] for node in nodes}
    for command in SELECTING:
        options = options_of(command)
        stages = listed(options, "--pipelines") | listed(options, "--pipeline")
        assert stages <= set(known), command
        assert listed(options, "--tags") <= tags, command
        assert listed(options, "--namespaces") <= namespaces, command
        assert listed(options, "--to-outputs") <= known["__default__"].all_outputs(), command
        if "--env" in options:
            assert (project_root / "conf" / options["--env"] / "globals.yml").exists(), command
    # the use cases with all that they need are everything
    chosen = {tag for command in PER_TAG for tag in listed(options_of(command), "--tags")}
    assert known["__default__"].only_nodes_with_tags(*chosen).nodes == nodes


def test_the_parameters_of_runs_exist(project_root: Path):
    known: dict[str, dict[str, object]] = {}
    for path in sorted((project_root / "conf/base/parameters").glob("*.yml")):
        text = path.read_text("utf-8")
        known |= {name: {} for name in re.findall(r"runtime_params:(\w+)", text)}
        for use_case, content in yaml.safe_load(text).items():
            known[use_case] = {**known.get(use_case, {}), **content}
    given = [one for c in SELECTING for one in listed(options_of(c), "--params")]
    assert given
    for parameter in given:
        place: object = known
        for name in parameter.split("=")[0].split("."):
            assert name in place, f"{parameter}: no parameter {name}"
            place = place[name]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*--pipeline")  # the older spelling, which must work as well
@pytest.mark.parametrize("command", RUN)
def test_a_documented_run_succeeds(command: str, sample: Sample, run_on: RunKedro):
    run_on(words_of(command)[2:] + RUN[command], sample)
