import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Self

import pytest
from click.testing import CliRunner
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline

USE_CASES = ("customer_segments", "credit_preauth")


class Task:
    """What the generated file asks of Airflow's BashOperator."""

    def __init__(self, **arguments: Any) -> None:
        self.task_id: str = arguments["task_id"]
        self.command: str = arguments["bash_command"]
        self.variables: dict[str, str] = arguments["env"]
        self.keeps_environment: bool = arguments["append_env"]
        self.upstream: set[str] = set()

    @property
    def nodes(self) -> list[str]:
        return self.variables["NODES"].split(",")

    def set_upstream(self, others: list["Task"]) -> None:
        self.upstream |= {other.task_id for other in others}


class Dag(dict[str, Any]):
    """What the generated file asks of Airflow's DAG."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Generated(NamedTuple):
    """A generated file, what it declares, and the pipeline it was made from."""

    path: Path
    dag: Dag
    tasks: dict[str, Task]
    pipeline: Pipeline


def stand_ins() -> dict[str, ModuleType]:
    """Modules that the generated file imports and this environment has not."""
    names = ("airflow", "airflow.sdk", "airflow.providers", "airflow.providers.standard")
    operators = "airflow.providers.standard.operators"
    modules = {n: ModuleType(n) for n in (*names, operators, f"{operators}.bash", "pendulum")}
    modules["airflow.sdk"].__dict__.update(
        DAG=Dag, Param=lambda default, **schema: {"default": default, **schema}
    )
    modules[f"{operators}.bash"].__dict__.update(BashOperator=Task)
    modules["pendulum"].__dict__.update(datetime=lambda *date, tz: (*date, tz))
    return modules


@pytest.fixture(scope="session")
def generate(
    project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, Generated]]:
    """Runs `kedro airflow create` with our template: `generate("--all")` gives DAG id to DAG."""
    plugin = pytest.importorskip(
        "kedro_airflow.plugin", reason="kedro-airflow is not installed: the extra `airflow` has it"
    )

    def made(*options: str, chosen: Mapping[str, Pipeline] | None = None) -> dict[str, Generated]:
        folder = tmp_path_factory.mktemp("dags")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CLIENTELA_TEST_ROOT", str(folder / "data"))
            for name, module in stand_ins().items():
                patch.setitem(sys.modules, name, module)
            template = project_root / "schedules/dag.py.j2"
            fixed = ["--group-by=memory", "--env=test", f"--jinja-file={template}"]
            result = CliRunner().invoke(
                plugin.create,
                [*fixed, f"--target-dir={folder}", *options],
                obj=bootstrap_project(project_root),
            )
            assert result.exit_code == 0, result.output
            found = [(path, runpy.run_path(str(path))) for path in sorted(folder.glob("*.py"))]
        known = chosen or dict(pipelines)
        return {
            content["dag"]["dag_id"]: Generated(
                path,
                content["dag"],
                content["operators"],
                known[content["VARIABLES"]["PIPELINE"]],
            )
            for path, content in found
        }

    return made


@pytest.fixture(scope="session")
def dags(generate: Callable[..., dict[str, Generated]]) -> dict[str, Generated]:
    """One DAG per pipeline, and one for each of two use cases as `make dags` writes it."""
    generated = generate("--all")
    default = pipelines["__default__"]
    for tag in USE_CASES:
        chosen = {"__default__": default.only_nodes_with_tags(tag)}
        generated |= generate(f"--tags={tag}", f"--params=tag={tag}", chosen=chosen)
    return generated
