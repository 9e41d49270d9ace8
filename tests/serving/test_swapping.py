"""Models change, and the server stops, while others ask."""

import json
import os
import signal
import subprocess
import sys
import threading
from itertools import count

import httpx
import pytest
from tests.serving.models import TWELVE, packaged, probability, publish, publish_bytes
from tests.serving.running import answers, running, wait_for

ROUNDS = 6


def test_no_request_is_dropped_while_models_are_swapped(tmp_path):
    shifts = {publish(tmp_path, shift=0.0).version: 0.0}
    problems, answered, stop = [], count(), threading.Event()
    seen = set()

    def ask(port: int, rows: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            while not stop.is_set():
                reply = client.post("/predict", json={"data": [TWELVE] * rows})
                told = reply.json()
                version = told.get("model", {}).get("version")
                seen.add(version)
                truth = probability(
                    TWELVE["salario_cliente"], TWELVE["cuota_pactada"], shifts.get(version, 99.0)
                )
                said = [prediction["probabilidad"] for prediction in told.get("predictions", [])]
                if reply.status_code != 200 or said != pytest.approx([truth] * rows):
                    problems.append((reply.status_code, version))
                next(answered)

    with running(served=str(tmp_path), poll_seconds=0.05) as api:
        asking = [threading.Thread(target=ask, args=(api.port, rows)) for rows in (1, 1, 400)]
        for thread in asking:
            thread.start()
        wait_for(lambda: seen)
        for number in range(2, ROUNDS + 2):
            # known before it is served
            shift = number / 10
            content, manifest = packaged(shift=shift)
            shifts[manifest.version] = shift
            publish_bytes(tmp_path, content, manifest, number)
            wait_for(lambda version=manifest.version: version in seen)
        stop.set()
        for thread in asking:
            thread.join()
    assert problems == []
    assert seen == set(shifts)
    assert next(answered) > ROUNDS


def ask_for_many(port: int, replies: list) -> None:
    body = {"data": [TWELVE] * 400}
    replies.append(httpx.post(f"http://127.0.0.1:{port}/predict", json=body, timeout=50))


@pytest.mark.slow
def test_requests_in_flight_are_answered_before_the_server_stops(process, port):
    server = process(slow=1.0)
    replies = []
    try:
        wait_for(lambda: answers(port), 60)

        asking = threading.Thread(target=ask_for_many, args=(port, replies))
        asking.start()
        while "asked" not in server.stdout.readline():
            assert server.poll() is None
        server.send_signal(signal.SIGTERM)
        asking.join(20)
        assert server.wait(20) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        out, err = server.communicate()
    (reply,) = replies
    assert (reply.status_code, len(reply.json()["predictions"])) == (200, 400)
    assert all(json.loads(line) for line in out.splitlines() + err.splitlines())


@pytest.mark.slow
def test_the_grace_of_a_stopping_server_is_bounded(process, port):
    server = process(slow=60.0, grace_seconds=1)
    try:
        wait_for(lambda: answers(port), 60)
        replies = []
        asking = threading.Thread(target=ask_for_many, args=(port, replies), daemon=True)
        asking.start()
        while "asked" not in server.stdout.readline():
            assert server.poll() is None
        server.send_signal(signal.SIGTERM)
        # what computes in a thread can't be stopped; the connection is
        asking.join(20)
        (reply,) = replies
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "stopping")
    finally:
        server.kill()
        server.communicate()


@pytest.mark.slow
def test_workers_answer_and_add_up_their_counts(process, port):
    server = process(slow=0.0, workers=2)
    try:
        wait_for(lambda: answers(port), 90)
        for _ in range(20):
            reply = httpx.post(f"http://127.0.0.1:{port}/predict", json={"data": [TWELVE]})
            assert reply.status_code == 200
        lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
        assert 'clientela_rows_total{use_case="credit_payment"} 20.0' in lines
        assert any(line.startswith("clientela_model_info{") and "1.0" in line for line in lines)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
        server.communicate()


@pytest.mark.slow
def test_a_container_without_models_says_why_it_ends(project_root, port, tmp_path):
    paths = os.pathsep.join([str(project_root / "src"), str(project_root)])
    done = subprocess.run(
        [sys.executable, "-m", "clientela.serving", "serve"],
        env={
            **os.environ,
            "PYTHONPATH": paths,
            "CLIENTELA_API_MODEL": str(tmp_path),
            "SAGEMAKER_BIND_TO_PORT": str(port),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "there are no files" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_server_loads_neither_kedro_nor_what_training_needs(project_root):
    code = (
        "import sys, clientela.serving.app, clientela.serving.__main__\n"
        "heavy = 'kedro ibis duckdb pandera optuna matplotlib boto3 mlflow streamlit kneed '\n"
        "heavy += 'fairlearn tqdm'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(project_root / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
