"""The DAG that `kedro airflow create` writes with our template, without Airflow."""

import ast
import os
import re
import subprocess
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path

import jinja2
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import MemoryDataset
from tests.schedules.conftest import USE_CASES

VARIABLE = "clientela_project_path"


def needed(pipeline) -> set[tuple[str, str, str]]:
    """Each dataset that one node makes and another reads: maker, reader, dataset."""
    return {
        (maker.name, reader.name, dataset)
        for maker in pipeline.nodes
        for reader in pipeline.nodes
        for dataset in set(maker.outputs) & set(reader.inputs)
    }


def task_of(generated) -> dict[str, str]:
    return {node: name for name, task in generated.tasks.items() for node in task.nodes}


def test_each_pipeline_and_each_use_case_has_a_dag_of_its_own(dags):
    named = {name.strip("_") for name in pipelines} | {*USE_CASES}
    assert set(dags) == {f"clientela-{name.replace('_', '-')}-test" for name in named}


def test_the_usual_environment_is_not_part_of_the_id(generate):
    assert list(generate("--pipelines=training", "--env=local")) == ["clientela-training"]


def test_every_node_runs_in_exactly_one_task(dags):
    for name, generated in dags.items():
        listed = [node for task in generated.tasks.values() for node in task.nodes]
        assert sorted(listed) == sorted(node.name for node in generated.pipeline.nodes), name


def test_a_task_waits_for_exactly_the_tasks_whose_data_it_reads(dags):
    for name, generated in dags.items():
        tasks = task_of(generated)
        edges = {(tasks[maker], tasks[reader]) for maker, reader, _ in needed(generated.pipeline)}
        waits = {(before, t.task_id) for t in generated.tasks.values() for before in t.upstream}
        assert waits == {(before, after) for before, after in edges if before != after}, name


def test_no_tasks_wait_for_one_another(dags):
    for generated in dags.values():
        graph = {task.task_id: task.upstream for task in generated.tasks.values()}
        # a cycle means: a node outside a group reads from it and feeds it; store what it reads
        assert len([*TopologicalSorter(graph).static_order()]) == len(graph)


def test_what_is_kept_in_memory_stays_within_a_task(dags, project_root: Path, data_root: Path):
    bootstrap_project(project_root)
    with KedroSession.create(project_root, env="test", save_on_close=False) as session:
        catalog = session.load_context().catalog
    kept = 0
    for generated in dags.values():
        tasks = task_of(generated)
        for maker, reader, dataset in needed(generated.pipeline):
            if dataset not in catalog or isinstance(catalog.get(dataset), MemoryDataset):
                kept += 1
                assert tasks[maker] == tasks[reader], dataset
    assert kept


def test_ids_are_accepted_and_no_path_of_this_machine_is_in_the_file(dags, project_root: Path):
    for generated in dags.values():
        for task_id in generated.tasks:
            assert re.fullmatch(r"[\w.-]{1,250}", task_id), task_id
        text = generated.path.read_text("utf-8")
        texts = [n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)]
        assert [t for t in texts if isinstance(t, str) and re.match(r"[/~]|[A-Z]:\\", t)] == []
        assert str(project_root) not in text
        assert str(Path.home()) not in text


def test_runs_never_overlap_and_see_the_variables_of_the_machine(dags):
    for generated in dags.values():
        assert generated.dag["max_active_runs"] == generated.dag["max_active_tasks"] == 1
        assert generated.dag["catchup"] is False
        # credentials and BUCKET reach the project by its worker's environment
        assert all(task.keeps_environment for task in generated.tasks.values())


def test_the_schedule_is_weekly_unless_told_otherwise(generate):
    (weekly,) = generate("--pipelines=scoring").values()
    options = "--params=schedule=0 6 1 * *,timezone=America/Lima,retries=0"
    (monthly,) = generate("--pipelines=scoring", options).values()
    assert (weekly.dag["schedule"], weekly.dag["start_date"][-1]) == ("30 4 * * 1", "UTC")
    assert monthly.dag["schedule"] == "0 6 1 * *"
    assert monthly.dag["start_date"][-1] == "America/Lima"
    assert weekly.dag["default_args"]["retries"] == 2
    assert monthly.dag["default_args"]["retries"] == 0


@pytest.mark.parametrize(
    ("asked", "variables", "expected"),
    [
        ({}, {}, ("", "test", ".venv/bin/kedro", "")),
        (
            {},
            {VARIABLE: "una carpeta", "clientela_env": "aws", "clientela_kedro": "kedro"},
            ("una carpeta", "aws", "kedro", ""),
        ),
        (
            {"project_path": "otra", "env": "local", "run_parameters": "a=1"},
            {VARIABLE: "una carpeta", "clientela_env": "aws"},
            ("otra", "local", ".venv/bin/kedro", "a=1"),
        ),
    ],
)
def test_a_run_asks_its_parameters_then_airflows_variables(dags, asked, variables, expected):
    generated = dags["clientela-scoring-test"]
    params = {name: param["default"] for name, param in generated.dag["params"].items()} | asked
    (task, *_) = generated.tasks.values()
    given = {"params": params, "var": {"value": variables}}
    rendered = {n: jinja2.Template(v).render(given) for n, v in task.variables.items()}
    names = ("PROJECT_PATH", "ENVIRONMENT", "KEDRO", "RUN_PARAMETERS")
    assert tuple(rendered[name] for name in names) == expected


@pytest.fixture
def run_task(dags, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the command of a task in a project whose Kedro prints what it was given."""
    program = tmp_path / ".venv/bin/kedro"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@" "path=$PYTHONPATH"\n', "utf-8")
    program.chmod(0o755)
    (task, *_) = dags["clientela-training-test"].tasks.values()

    def run(**variables: str) -> "subprocess.CompletedProcess[str]":
        given = {"KEDRO": ".venv/bin/kedro", "ENVIRONMENT": "test", "PIPELINE": "training"}
        return subprocess.run(
            ["bash", "-c", task.command],
            env={"PATH": os.environ["PATH"], **given, "NODES": "a.b.c,a.b.d", **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def test_a_task_runs_its_nodes_with_the_projects_own_kedro(run_task, tmp_path: Path):
    (tmp_path / "un clon").symlink_to(tmp_path)
    # PYTHONPATH is Airflow's, whose modules are not for the project
    ran = run_task(PROJECT_PATH=f"{tmp_path}/un clon", RUN_PARAMETERS="", PYTHONPATH="plugins")
    assert ran.stdout.splitlines() == [
        f"{tmp_path}/un clon",
        "run",
        "--pipelines=training",
        "--nodes=a.b.c,a.b.d",
        "--env=test",
        "path=",
    ]


def test_parameters_of_a_run_are_never_read_as_code(run_task, tmp_path: Path):
    words = "a=$(touch dañado);b='c d'"
    ran = run_task(PROJECT_PATH=str(tmp_path), RUN_PARAMETERS=words)
    assert f"--params={words}" in ran.stdout.splitlines()
    assert not (tmp_path / "dañado").exists()


def test_without_a_project_a_task_fails_and_names_the_variable_to_set(run_task):
    ran = run_task(PROJECT_PATH="", RUN_PARAMETERS="")
    assert ran.returncode != 0
    assert f"Set the Airflow variable {VARIABLE}" in ran.stderr


def test_a_folder_that_is_not_there_fails_the_task(run_task, tmp_path: Path):
    ran = run_task(PROJECT_PATH=f"{tmp_path}/nada", RUN_PARAMETERS="")
    assert ran.returncode != 0
    assert "nada" in ran.stderr
    assert ran.stdout == ""
