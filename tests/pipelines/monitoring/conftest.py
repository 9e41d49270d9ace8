import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clientela.pipelines.monitoring.alerts import Alert


@pytest.fixture(scope="session")
def alert() -> Alert:
    return Alert(
        id="0123456789abcdef",
        use_case="credit_payment",
        period="2024-05",
        baseline="b1",
        n=3229,
        mode="period",
        text="ALERTA: Drift crítico detectado en promedio_ingresos_datacredito.",
        text_en="ALERT: Critical drift detected in promedio_ingresos_datacredito.",
        columns=(),
        state="watch",
        recommendation="investigate",
        advice="Investigar la causa antes de decidir.",
        reasons=("important_columns_moved",),
    )


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is reached directly, whatever the machine sends through a proxy."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@dataclass
class Receiver:
    """A webhook on loopback; it answers with `statuses` in turn, the last one for ever."""

    url: str
    statuses: list[int | str]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """Starts a webhook: `receiver(503, 200)`; the status `"silent"` never answers."""
    ended = threading.Event()
    servers: list[ThreadingHTTPServer] = []

    def start(*statuses: int | str) -> Receiver:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                made.requests.append((dict(self.headers), body))
                left = made.statuses
                status = left.pop(0) if len(left) > 1 else left[0]
                if status == "silent":
                    ended.wait(30)
                    return
                self.send_response(int(status))
                if status == 302:
                    self.send_header("Location", made.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        made = Receiver(f"http://127.0.0.1:{server.server_port}/hook?token=secreto", list(statuses))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return made

    yield start
    ended.set()
    for server in servers:
        server.shutdown()
        server.server_close()
