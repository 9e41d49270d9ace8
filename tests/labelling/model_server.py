"""A language model on loopback that speaks Bedrock's Converse and OpenAI's chat completions.

What it does is a script: a function of the question and of how often it was asked.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DESCRIBED = "Persona que pide un crédito."
TOKENS = (100, 20)


@dataclass(frozen=True)
class Answer:
    """What comes back: a text and a reason to stop, or an error."""

    text: str = ""
    stop: str = "end_turn"
    error: tuple[int, str, str] | None = None
    after: float = 0.0
    silent: bool = False


@dataclass(frozen=True)
class Asked:
    """One question: its texts, and how often it was asked before."""

    system: str
    turns: tuple[str, ...]
    before: int

    @property
    def wants_label(self) -> bool:
        return '"label"' in self.system


Script = Callable[[Asked], Answer]


def agreeable(asked: Asked) -> Answer:
    """Describes everything alike, and calls it a good risk."""
    if asked.wants_label:
        return Answer('{"label": "good risk"}')
    return Answer(json.dumps({"description": DESCRIBED}, ensure_ascii=False))


def telling_apart(asked: Asked) -> Answer:
    """Describes each row in other words, so that each label is a question of its own."""
    if asked.wants_label:
        return agreeable(asked)
    told = {"description": f"Persona {asked.turns[0].encode().hex()}."}
    return Answer(json.dumps(told))


def throttled(code: str = "ThrottlingException") -> Answer:
    return Answer(error=(429, code, "Too many requests"))


@dataclass
class ModelServer:
    """A running server; `answered` counts each question that got an answer, by its texts."""

    url: str
    script: Script = agreeable
    asked: "Counter[tuple[str, ...]]" = field(default_factory=Counter)
    answered: "Counter[tuple[str, ...]]" = field(default_factory=Counter)
    # questions whose caller is gone: what is sent now reaches nobody
    gone: "Counter[tuple[str, ...]]" = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: tuple[int, int] = TOKENS
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)
    # whoever asks while it is not set, waits
    open: threading.Event = field(default_factory=threading.Event)

    @property
    def billed(self) -> int:
        return sum(self.answered.values()) * sum(self.tokens)


@contextmanager
def model_server(script: Script = agreeable) -> Iterator[ModelServer]:
    state = ModelServer("", script)
    state.open.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, state))
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        state.open.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, state: ModelServer, *args: Any) -> None:
        self.state = state
        super().__init__(*args)

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        state = self.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        converse = self.path.endswith("/converse")
        system, turns = _of_converse(body) if converse else _of_completions(body)
        with state.lock:
            state.bodies.append(body)
            state.paths.append(self.path)
            before = state.asked[system, *turns]
            state.asked[system, *turns] += 1
            state.at_once += 1
            state.most_at_once = max(state.most_at_once, state.at_once)
        state.open.wait()
        answer = state.script(Asked(system, turns, before))
        if answer.after or answer.silent:
            state.ended.wait(60 if answer.silent else answer.after)
        with state.lock:
            state.at_once -= 1
            lost = state.gone[system, *turns] > 0
            state.gone[system, *turns] -= lost
            if answer.error is None and not answer.silent and not lost:
                state.answered[system, *turns] += 1
        with suppress(OSError):
            form = _converse if converse else _completion
            self._send(*form(answer, state.tokens))

    def _send(self, status: int, content: dict[str, Any], error: str | None) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        if error is not None:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(payload)


def _of_converse(body: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    turns = tuple(message["content"][0]["text"] for message in body["messages"])
    return body["system"][0]["text"], turns


def _of_completions(body: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    system, *turns = (message["content"] for message in body["messages"])
    return system, tuple(turns)


def _converse(answer: Answer, tokens: tuple[int, int]) -> tuple[int, dict[str, Any], str | None]:
    if answer.error is not None:
        status, code, message = answer.error
        return status, {"message": message}, code
    content = {
        "output": {"message": {"role": "assistant", "content": [{"text": answer.text}]}},
        "stopReason": answer.stop,
        "usage": {
            "inputTokens": tokens[0],
            "outputTokens": tokens[1],
            "totalTokens": sum(tokens),
        },
        "metrics": {"latencyMs": 1},
    }
    return 200, content, None


OPENAI_STOPS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
}


def _completion(answer: Answer, tokens: tuple[int, int]) -> tuple[int, dict[str, Any], str | None]:
    if answer.error is not None:
        status, _, message = answer.error
        return status, {"error": {"message": message}}, None
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.stop == "content_filtered":
        message = {"role": "assistant", "content": None, "refusal": answer.text}
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": OPENAI_STOPS.get(answer.stop, "stop"),
    }
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {"choices": [choice], "usage": usage}, None
