"""A run that is killed is gone on with, and nothing that was answered is paid twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.labelling.model_server import model_server, telling_apart
from tests.serving.running import wait_for

from clientela.pipelines.labelling.response_cache import FileAnswerStore

ROWS, WORKERS, SECONDS = 100, 16, 120

pytestmark = pytest.mark.slow


@pytest.fixture
def begun(project_root: Path, tmp_path: Path):
    """Starts a process that labels, with its answers in a folder."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(url: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.labelling.labelling_process"]
        words = [url, str(tmp_path / "answers"), str(ROWS)]
        process = subprocess.Popen(
            [*command, *words], cwd=project_root, env=os.environ, stderr=subprocess.DEVNULL
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("answers_first", [1, 120])
def test_a_killed_run_is_gone_on_with_and_pays_only_for_the_rest(begun, tmp_path, answers_first):
    with model_server() as server:

        def closing(asked):
            # from then on everybody waits, so that each worker has kept what it was answered
            if sum(server.answered.values()) >= answers_first - 1:
                server.open.clear()
            return telling_apart(asked)

        server.script = closing
        process = begun(server.url)
        wait_for(lambda: server.at_once == WORKERS and not server.open.is_set(), SECONDS)
        process.send_signal(signal.SIGKILL)
        process.wait()
        paid = server.answered.copy()
        assert answers_first <= len(paid) < 2 * ROWS
        server.gone.update(server.asked - paid)  # nobody hears these answers any more

        server.script = telling_apart
        server.open.set()
        assert begun(server.url).wait(SECONDS) == 0

        again = {question: server.answered[question] - paid[question] for question in paid}
        assert set(again.values()) == {0}
        assert len(server.answered) == 2 * ROWS
    assert len(FileAnswerStore(str(tmp_path / "answers"))) == 2 * ROWS
