"""Counts the project's own files that one API request, and a loan row in a run, pass through.

`python benchmarks/call_path.py api` fits a small model, serves it in this process and predicts one
case; `python benchmarks/call_path.py loan` scores and monitors the loans of a project whose default
run is finished, in the present folder. Both print each file with the functions that were called.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import clientela

HERE = Path(__file__).parent
PACKAGE = str(Path(clientela.__file__).parent)
Calls = Mapping[str, set[str]]


@contextmanager
def record_calls() -> Iterator[Calls]:
    """Every function of the package that is called in any thread, by file."""
    calls: dict[str, set[str]] = defaultdict(set)

    def record(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ARG001 - a profiler's form
        code = frame.f_code
        # the body of a module runs when it is imported: no row passes it
        if event == "call" and code.co_name != "<module>" and code.co_filename.startswith(PACKAGE):
            calls[code.co_filename.removeprefix(PACKAGE).strip("/")].add(code.co_qualname)

    threading.setprofile(record)
    sys.setprofile(record)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def trace_api_request() -> Calls:
    """One case of simulated loans through `POST /predict`, served in this process."""
    from fastapi.testclient import TestClient  # noqa: PLC0415 - needed by this path only

    with tempfile.TemporaryDirectory(prefix="clientela-path-") as folder:
        fit = [
            sys.executable,
            "-W",
            "ignore",
            HERE / "serving_model.py",
            folder,
            "xgboost_regularizado",
        ]
        subprocess.run(fit, check=True)
        os.environ["CLIENTELA_API_SERVED"] = f"{folder}/served"
        from clientela.serving.app import create_app_from_environment  # noqa: PLC0415 - reads the variable

        case = Path(folder, "one.json").read_bytes()
        with (
            record_calls() as before,
            TestClient(create_app_from_environment(), base_url="http://127.0.0.1") as client,
        ):
            request = {"content": case, "headers": {"Content-Type": "application/json"}}
            client.post("/predict", **request).raise_for_status()
            before.clear()
            client.post("/predict", **request).raise_for_status()
            return {name: set(functions) for name, functions in before.items()}


def trace_loan_run() -> Calls:
    """The nodes of scoring and monitoring of `credit_payment`, in the project of this folder."""
    from kedro.framework.session import KedroSession  # noqa: PLC0415 - needed by this path only
    from kedro.framework.startup import bootstrap_project  # noqa: PLC0415
    from kedro.pipeline.node import Node  # noqa: PLC0415

    total: dict[str, set[str]] = defaultdict(set)
    run_node = Node.run

    def run_and_record(node: Node, *args: Any, **options: Any) -> Any:
        with record_calls() as calls:
            outputs = run_node(node, *args, **options)
        for name, functions in calls.items():
            total[name] |= functions
        return outputs

    Node.run = run_and_record
    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        session.run(pipeline_names=["scoring", "monitoring"], tags=["credit_payment"])
    return total


def main() -> None:
    """Print the count, then the files."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", maxsplit=1)[0])
    parser.add_argument("path", choices=["api", "loan"])
    calls = trace_api_request() if parser.parse_args().path == "api" else trace_loan_run()
    for name, functions in sorted(calls.items()):
        print(f"{name}: {', '.join(sorted(functions))}")
    print(f"{len(calls)} files, {sum(map(len, calls.values()))} functions")


if __name__ == "__main__":
    main()
