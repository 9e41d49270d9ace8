"""What the image check can't see, or sees only after minutes (docker/check.sh)."""

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from tests.docs.markdown import commands
from tests.project.dockerfile import Stage, stages
from tests.project.locks import pinned

from clientela.models.stored_model import OUR_ESTIMATORS

SHIPPED = ("pipeline", "serving")
SERVED = (
    "clientela.serving.__main__",
    "clientela.serving.app",
    "clientela.serving.app",
    "clientela.registry.scorers",
    "clientela.registry.package",
    "clientela.registry.package",
)
# imports modules, and refuses every package that the image does not have
IMPORTING = """
import importlib, json, sys
refused, modules = json.loads(sys.argv[1]), json.loads(sys.argv[2])

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, Refusing())
for module in modules:
    importlib.import_module(module)
"""


@pytest.fixture(scope="module")
def dockerfile(project_root: Path) -> dict[str, Stage]:
    return stages(project_root / "Dockerfile")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_image_runs_as_a_numbered_user_without_a_shell(name: str, dockerfile):
    stage = dockerfile[name]
    # Kubernetes can tell that a number is not root; it can't of a name
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", stage.last("USER") or "")
    assert isinstance(json.loads(stage.last("ENTRYPOINT") or ""), list)
    after = [step for step, _ in stage.steps]
    assert not {"COPY", "ADD", "RUN"} & set(after[after.index("USER") :])


def test_every_locked_installation_checks_hashes(dockerfile):
    steps = [words for stage in dockerfile.values() for step, words in stage.steps if step == "RUN"]
    locked = [words for words in steps if ".lock" in words]
    assert len(locked) == 3
    assert [words for words in locked if "--require-hashes" not in words] == []


def test_personal_settings_and_data_stay_out_of_the_images(project_root: Path):
    lines = (project_root / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"  # what is not named stays out
    assert rules.index("!conf") < rules.index("conf/local")
    assert {rule for rule in rules if rule.startswith("!data/")} == {
        "!data/06_models/.gitkeep",
        "!data/06_models/served",
    }


def test_the_api_and_every_model_need_only_what_the_image_has(project_root: Path):
    shipped = set(pinned(project_root / "docker/requirements-serving.lock")) | {"clientela"}
    refused = [
        package
        for package, distributions in packages_distributions().items()
        if package != "xgboost" and not {canonicalize_name(one) for one in distributions} & shipped
    ]
    assert {"kedro", "duckdb", "ibis", "mlflow", "optuna"} <= set(refused)
    modules = [*SERVED, *sorted({path.rpartition(".")[0] for path in OUR_ESTIMATORS})]
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTING, json.dumps(refused), json.dumps(modules)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2000:]


class Pinged(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/ping" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def listening(status: int) -> Iterator[int]:
    handler = type("Answering", (Pinged,), {"status": status})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health(project_root: Path, variable: str, port: int) -> int:
    """Exit code of the health check of a container whose server listens on a port."""
    nobody = {"CLIENTELA_API_PORT": "1", "SAGEMAKER_BIND_TO_PORT": "1"}
    return subprocess.run(
        [sys.executable, project_root / "docker/healthy.py"],
        env={**os.environ, **nobody, variable: str(port)},
        check=False,
    ).returncode


def test_a_server_is_healthy_as_long_as_it_answers(project_root: Path):
    with listening(200) as port:
        assert health(project_root, "CLIENTELA_API_PORT", port) == 0
        assert health(project_root, "SAGEMAKER_BIND_TO_PORT", port) == 0
    with listening(503) as port:
        assert health(project_root, "CLIENTELA_API_PORT", port) == 1
    assert health(project_root, "CLIENTELA_API_PORT", 1) == 1


def test_the_health_check_looks_where_the_image_serves(script, dockerfile):
    ports = script("docker/healthy.py").ports({})
    assert (dockerfile["serving"].last("EXPOSE") or "").split() == [str(port) for port in ports]


DOCKER = [command for command in commands() if command.startswith("docker ")]


def test_documented_docker_commands_fit_the_dockerfile(dockerfile):
    assert DOCKER
    for command in DOCKER:
        words = shlex.split(command)
        if words[1] == "build":
            targets = [words[n + 1] for n, word in enumerate(words) if word == "--target"]
            assert set(targets) <= set(SHIPPED), command
            assert words[-1] == ".", command
        else:
            assert words[1] == "run", command
            images = {word for word in words if word.partition("-")[0] == "clientela"}
            assert images <= {"clientela", "clientela-pipeline"}, command
            ports = [words[n + 1] for n, word in enumerate(words) if word in ("-p", "--publish")]
            exposed = (dockerfile["serving"].last("EXPOSE") or "").split()
            assert {port.rpartition(":")[2] for port in ports} <= set(exposed), command
