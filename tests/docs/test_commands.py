"""Every documented command is run, or, where it lives long or needs a cloud, parsed in full."""

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
from tests.docs.markdown import commands, pages
from tests.kedro_session import session_of

from clientela.cli.main import cli

COMMANDS = commands()
KEDRO = [c for c in COMMANDS if "kedro " in c and not c.startswith("docker ")]
CLIENTELA = [
    c for c in COMMANDS if re.search(r"(^|\s)clientela ", c) and not c.startswith("docker ")
]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
DOCKER = [c for c in COMMANDS if c.startswith("docker ")]  # tests/project/test_image.py
# what a person's own machine must bring, or the tests of another page run
OTHERS = {
    "source .venv/bin/activate",
    'aws s3 cp data/01_raw s3://my-bucket/raw --recursive --exclude "*" --include "*.csv"',
    ".venv/bin/pre-commit install",
}
# their runs take other data and much longer: they are parsed, not run
REPORTS = (
    "docs/benchmarks.md",
    "docs/credit-payment-results.md",
    "docs/purchase-intensity-results.md",
)
# run by the sample that all tests here share
SHARED = (
    "kedro run",
    "kedro run --pipelines=monitoring",  # and a category changed since no longer fits its baseline
    "kedro run --pipelines=data_generation",
    "kedro run --tags=purchase_intensity",
    "kedro run --tags=customer_segments",
    "kedro run --tags=credit_payment",
    "kedro run --tags=customer_churn",
    "kedro run --tags=credit_preauth",
)
# tests/docs/test_adding_a_use_case.py, tests/pipelines/own_table
OF_ANOTHER_TEST = ("purchase_home", "value_segments", "returns")
SELECTING = [
    c for c in KEDRO if "kedro run" in c and not any(name in c for name in OF_ANOTHER_TEST)
]
RUN = [
    command
    for command in commands(*(page for page in pages() if page not in REPORTS))
    if command in SELECTING and command not in SHARED and "--env=" not in command
]


def words_of(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables that a command line sets, and its words."""
    words = shlex.split(command)
    count = next(i for i, word in enumerate(words) if "=" not in word)
    return dict(word.split("=", 1) for word in words[:count]), words[count:]


def options_of(command: str) -> dict[str, str]:
    _, words = words_of(command)
    return dict(word.split("=", 1) for word in words if word.startswith("--"))


def test_every_command_is_of_a_form_that_is_checked():
    unknown = [
        command
        for command in COMMANDS
        if command not in {*KEDRO, *CLIENTELA, *MAKE, *DOCKER, *OTHERS}
        and not command.startswith("sed ")
    ]
    assert unknown == []


@pytest.mark.parametrize("command", MAKE)
def test_a_make_command_has_its_target(command: str, project_root: Path):
    name, *arguments = shlex.split(command)
    clean = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    made = subprocess.run(
        [name, "--dry-run", *arguments],
        cwd=project_root,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr


@pytest.fixture(scope="module")
def kedro_cli(project_root: Path) -> click.Group:
    return KedroCLI(project_root)


@pytest.mark.filterwarnings("ignore")  # plugins of Kedro warn when they are imported
@pytest.mark.parametrize("command", KEDRO)
def test_a_kedro_command_exists_with_its_options(command: str, kedro_cli: click.Group):
    _, (program, *words) = words_of(command)
    assert program == "kedro"
    innermost(kedro_cli, words)


@pytest.mark.parametrize("command", CLIENTELA)
def test_a_command_of_our_own_exists_with_its_options(command: str):
    _, (program, *words) = words_of(command)
    assert program == "clientela"
    innermost(cli, words)


def innermost(group: click.Group, words: list[str]) -> click.Context:
    """The command that words lead to, its options parsed."""
    found: click.Command = group
    while isinstance(found, click.Group):
        name = words.pop(0)
        parent, found = found, found.get_command(click.Context(found), name)
        assert found is not None, f"{parent.name} has no command {name}"
    return found.make_context(str(found.name), words)


@pytest.fixture(scope="module")
def own_pipelines(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Has the pipelines registered from the project's own switchboard, not another file's."""
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("CLIENTELA_TEST_ROOT", str(tmp_path_factory.mktemp("data")))
        with session_of(project_root, env="test"):
            pass


@pytest.mark.parametrize("command", SELECTING)
def test_what_a_run_selects_exists(command: str, project_root: Path, own_pipelines):
    options = options_of(command)
    nodes = pipelines["__default__"].nodes
    stages = options.get("--pipelines", options.get("--pipeline", "__default__")).split(",")
    assert set(stages) <= set(pipelines)
    if "--tags" in options:
        assert set(options["--tags"].split(",")) <= {tag for node in nodes for tag in node.tags}
    if "--namespaces" in options:
        known = {str(node.namespace).split(".")[0] for node in nodes}
        assert set(options["--namespaces"].split(",")) <= known
    if "--env" in options:
        assert (project_root / "conf" / options["--env"] / "globals.yml").exists()


@pytest.mark.parametrize("command", [c for c in SELECTING if "--params=" in c])
def test_the_parameters_of_a_run_exist(command: str, project_root: Path):
    known: dict[str, dict[str, object]] = {}
    for path in sorted((project_root / "conf/base/parameters").glob("*.yml")):
        text = path.read_text("utf-8")
        known |= {name: {} for name in re.findall(r"runtime_params:(\w+)", text)}
        for use_case, content in yaml.safe_load(text).items():
            known[use_case] = {**known.get(use_case, {}), **content}
    for given in options_of(command)["--params"].split(","):
        place: object = known
        for name in given.split("=")[0].split("."):
            assert name in place, f"{given}: no parameter {name}"
            place = place[name]


def test_each_use_case_with_all_it_needs_is_what_the_sample_ran(own_pipelines):
    default = pipelines["__default__"]
    tags = {options_of(command)["--tags"] for command in SHARED if "--tags" in command}
    assert default.only_nodes_with_tags(*tags).nodes == default.nodes


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*--pipeline")  # the older spelling, which must work as well
@pytest.mark.parametrize("command", RUN)
def test_a_documented_run_succeeds(command: str, sample, run_command):
    _, words = words_of(command)
    run_command(words[2:] + narrowed(command), sample)


def narrowed(command: str) -> list[str]:
    """What keeps a run of everything to the stages where the given option is seen to work."""
    stages = {
        # all of them train again in tests/e2e/test_default_run.py
        frozenset({"--pipeline"}): ["--namespaces=customer_churn"],
        frozenset({"--params"}): [
            "--pipelines=feature_engineering,ordinal_target,training",
            "--namespaces=purchase_intensity",
        ],
        frozenset({"--namespaces"}): ["--pipelines=ordinal_target,scoring"],
        frozenset({"--tags", "--params"}): ["--pipelines=segmentation,scoring"],
    }
    if command.endswith("--pipelines=deployment"):
        # credit_payment, from which customer_churn differs by its settings alone, by its own
        # command; segments by tests/pipelines/segmentation
        return ["--namespaces=purchase_intensity"]
    return stages.get(frozenset(options_of(command)), [])


@pytest.mark.slow
def test_the_list_of_stages_can_be_asked_for(project_root: Path):
    assert "kedro registry list" in KEDRO
    listed = subprocess.run(
        [".venv/bin/kedro", "registry", "list"]
        if (project_root / ".venv/bin/kedro").exists()
        else ["kedro", "registry", "list"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "- training" in listed.stdout.splitlines()
