"""What is too large, too slow or no HTTP, over raw connections."""

import json
import select
import socket
import time

import pytest
from tests.serving.models import TWELVE
from tests.serving.running import running

BODY = json.dumps({"data": [TWELVE]}).encode()


@pytest.fixture(scope="module")
def small(served):
    limits = {"largest_body": 4096, "head_seconds": 0.5, "body_seconds": 0.5}
    with running(served=str(served), **limits) as server:
        yield server


def said(server, *parts: bytes, pause: float = 0.0, seconds: float = 10.0) -> bytes:
    """Whatever a server says until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        reply = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
                if select.select([connection], [], [], 0)[0]:
                    break  # it has spoken: more would only make it drop its words
            while chunk := connection.recv(65536):
                reply += chunk
        except ConnectionError:
            pass
        return reply


def head(*headers: str, path: str = "/predict") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_body_is_read_in_pieces(small):
    length = f"Content-Length: {len(BODY)}"
    parts = [BODY[:50], BODY[50:200], BODY[200:]]
    reply = said(small, head(length, "Connection: close"), *parts, pause=0.05)
    assert reply.startswith(b"HTTP/1.1 200")
    pieces = chunked(*parts)
    reply = said(small, head("Transfer-Encoding: chunked", "Connection: close"), pieces)
    assert reply.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [4097, 100_000, 3_000_000])
def test_a_body_that_says_it_is_too_large_is_refused(small, size):
    reply = said(small, head(f"Content-Length: {size}"), b"x" * size)
    assert reply.startswith(b"HTTP/1.1 413")
    assert b"at most 4096 bytes" in reply


@pytest.mark.parametrize("pieces", [5, 200])
def test_a_body_that_does_not_say_its_size_is_refused_while_it_comes(small, pieces):
    reply = said(small, head("Transfer-Encoding: chunked"), chunked(*[b"x" * 1000] * pieces))
    assert reply.startswith(b"HTTP/1.1 413")


def test_a_sender_who_asks_first_is_refused_before_sending(small):
    reply = said(small, head("Content-Length: 9999999", "Expect: 100-continue"))
    assert reply.startswith(b"HTTP/1.1 413")


def test_an_endless_body_is_cut_off(small):
    began = time.monotonic()
    endless = [b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)] * 60
    said(small, head("Transfer-Encoding: chunked"), *endless)
    assert time.monotonic() - began < 30


def test_a_body_that_does_not_come_is_refused(small):
    reply = said(small, head("Content-Length: 100"), b"x" * 10)
    assert reply.startswith(b"HTTP/1.1 408")


def test_a_caller_who_goes_away_disturbs_nobody(small):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", small.port)) as connection:
            connection.sendall(head("Content-Length: 100") + b"x")
    assert small.client.get("/ping").status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        (head("X-Long: " + "x" * 40_000),),
        (head(*[f"X-{number}: y" for number in range(5000)]),),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",),
        (b"GET / HTTP/1.1\r\nX-Long: ", *[b"x" * 9000] * 5),
    ],
)
def test_a_head_that_is_too_large_is_refused(small, parts):
    assert said(small, *parts, pause=0.1).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("parts", [(), (b"GET / HT",), (b"GET / HTTP/1.1\r\nHost: a\r\n",)])
def test_a_head_that_does_not_come_ends_the_connection(small, parts):
    assert said(small, *parts) == b""


def test_a_second_head_that_does_not_come_ends_the_connection_too(small):
    reply = said(small, b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /pi", pause=0.1)
    assert reply.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        "GET /ñ HTTP/1.1\r\n\r\n".encode(),
    ],
)
def test_what_is_no_http_is_refused(small, text):
    reply = said(small, text)
    assert reply.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


def test_two_requests_at_once_on_one_connection_are_both_answered(small):
    one = head(f"Content-Length: {len(BODY)}") + BODY
    last = head(f"Content-Length: {len(BODY)}", "Connection: close") + BODY
    assert said(small, one + last).count(b"HTTP/1.1 200") == 2


def test_an_upgrade_is_no_way_around(small):
    text = (
        b"GET /models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n"
        b"Upgrade: websocket\r\n\r\n"
    )
    assert b" 101 " not in said(small, text)
