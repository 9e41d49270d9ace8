"""A gateway on loopback before the stand-in for AWS: it sees every call, and can spoil them.

It knows what the stand-in does not: `UpdateEndpoint`, endpoints that take their time or fail,
tokens that make a repeated call the same one, and who may do what.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.aws.policy_oracle import Call, is_allowed

NOT_PASSED_ON = ("content-type", "connection", "date", "server", "transfer-encoding")
SPOILED = {
    "500": (500, "InternalFailure", "an internal error"),
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
}


@dataclass
class Fault:
    """What becomes of the next calls of an operation."""

    operation: str
    kind: str  # 500, throttled, silent, lost (done, but the answer never comes)
    times: int = 1


@dataclass
class Gateway:
    target: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    policy: dict[str, Any] | None = None
    # statuses that DescribeEndpoint gives in turn before the stand-in's own
    statuses: list[str] = field(default_factory=list)
    # configurations that never come up
    broken: set[str] = field(default_factory=set)
    # what was answered to a client's token: AWS answers the same again, the stand-in makes another
    tokens: dict[str, tuple[int, bytes, str]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def changes(self) -> list[str]:
        """The calls that were not questions."""
        questions = ("Describe", "List", "Head", "Get", "Invoke")
        return [name for name in self.operations() if not name.startswith(questions)]

    def fault(self, operation: str) -> str | None:
        for each in self.faults:
            if each.operation == operation and each.times:
                each.times -= 1
                return each.kind
        return None

    def answer(
        self, call: Call, forward: Callable[[bytes | None, str | None], tuple[int, bytes, str]]
    ) -> tuple[int, bytes, str]:
        if self.policy is not None and not is_allowed(call, self.policy):
            return refused(
                400 if call.service != "s3" else 403,
                "AccessDeniedException",
                f"User: arn:aws:iam::123456789012:user/u is not authorized to perform: "
                f"{call.action} on resource: {call.resource}",
            )
        if call.operation == "UpdateEndpoint":
            return self._updated(call, forward)
        token = call.body.get("ClientToken")
        if token in self.tokens:
            return self.tokens[token]
        status, body, kind = forward(None, None)
        if token is not None and status == 200:
            self.tokens[token] = status, body, kind
        if call.operation == "DescribeEndpoint" and status == 200:
            return status, self._described(body), kind
        return status, body, kind

    def _described(self, body: bytes) -> bytes:
        content = json.loads(body)
        if content["EndpointConfigName"] in self.broken:
            content |= {"EndpointStatus": "Failed", "FailureReason": "The ping failed."}
        if self.statuses:
            content["EndpointStatus"] = self.statuses.pop(0)
        return json.dumps(content).encode()

    def _updated(self, call: Call, forward: Callable[..., Any]) -> tuple[int, bytes, str]:
        """As AWS does it: one that does not come up leaves the endpoint as it was."""
        name, config = call.body["EndpointName"], call.body["EndpointConfigName"]

        def asked(operation: str, **request: Any) -> dict[str, Any]:
            status, body, _ = forward(json.dumps(request).encode(), f"SageMaker.{operation}")
            assert status == 200, body
            return dict(json.loads(body)) if body else {}

        found = asked("DescribeEndpoint", EndpointName=name)
        if config not in self.broken:
            asked("DescribeEndpointConfig", EndpointConfigName=config)
            noted = asked("ListTags", ResourceArn=found["EndpointArn"])["Tags"]
            asked("DeleteEndpoint", EndpointName=name)
            asked("CreateEndpoint", EndpointName=name, EndpointConfigName=config, Tags=noted)
        answer = json.dumps({"EndpointArn": found["EndpointArn"]}).encode()
        return 200, answer, "application/x-amz-json-1.1"


def refused(status: int, code: str, message: str) -> tuple[int, bytes, str]:
    body = json.dumps({"__type": code, "message": message})
    return status, body.encode(), "application/x-amz-json-1.1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: no waiting for acknowledgements
    gateway: ClassVar[Gateway]

    def do_POST(self) -> None:
        self.more = {"Content-Length": "0"}
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call.of(self.command, self.path, dict(self.headers), content)
        self.gateway.calls.append(call)
        kind = self.gateway.fault(call.operation)
        if kind in SPOILED:
            self.send(*refused(*SPOILED[kind]))
            return
        if kind == "silent":
            self.gateway.ended.wait(30)
        else:
            answer = self.gateway.answer(call, partial(self.forward, content))
            if kind is None:
                self.send(*answer)
                return
        self.close_connection = True

    def do_GET(self) -> None:
        self.do_POST()

    def do_HEAD(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def forward(
        self, content: bytes, body: bytes | None, target: str | None
    ) -> tuple[int, bytes, str]:
        place = urlsplit(self.gateway.target)
        connection = HTTPConnection(str(place.hostname), place.port, timeout=30)
        own = ("content-length", "expect")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in own}
        if target is not None:
            headers["X-Amz-Target"] = target
        connection.request(self.command, self.path, content if body is None else body, headers)
        reply = connection.getresponse()
        answer = reply.status, reply.read(), reply.headers.get("Content-Type", "")
        self.more = {k: v for k, v in reply.headers.items() if k.lower() not in NOT_PASSED_ON}
        connection.close()
        return answer

    def send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind or "text/plain")
        if self.command != "HEAD":
            self.more["Content-Length"] = str(len(body))
        for name, value in self.more.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def started(target: str) -> tuple[Gateway, ThreadingHTTPServer]:
    gateway = Gateway(target)
    handler = type("OwnHandler", (Handler,), {"gateway": gateway})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return gateway, server
