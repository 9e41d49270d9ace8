"""Ten thousand bodies that can't be answered, over connections that stay open."""

import http.client
import json
import random
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from tests.serving.models import FIELDS, TWELVE
from tests.serving.running import answers, wait_for

from clientela.serving.settings import ServingSettings

DNI = "71234567"
LIMIT = 256 * 1024
BODIES = 10_000
PATHS = ("/predict", "/models/credit_payment/predict", "/invocations")
GROWTH_MB = 60
PEAK, NOW = "VmHWM", "VmRSS"


def text(*cases) -> bytes:
    return json.dumps({"data": list(cases)}).encode()


def truncated(draw: random.Random) -> bytes:
    whole = text(*[TWELVE] * draw.randint(1, 5))
    return whole[: draw.randrange(len(whole))]


def huge(draw: random.Random) -> bytes:
    filler = draw.choice([b"[", b"0,", b'"a":0,', b"{}", b" ", b"\x00", b"9"])
    return b'{"data":[' + filler * ((LIMIT + draw.randint(1, LIMIT)) // len(filler))


def deep(draw: random.Random) -> bytes:
    opening = draw.choice([b"[", b'{"data":', b'{"data":[', b'[{"a":'])
    return opening * draw.randint(2, 20_000)


def many(draw: random.Random) -> bytes:
    filler = draw.choice([b"[]", b"{}", b"0", b'""', b"null"])
    return b'{"data":[' + b",".join([filler] * draw.randint(1, LIMIT // 10)) + b"]}"


def keys(draw: random.Random) -> bytes:
    pairs = ",".join(f'"{DNI}{number}":0' for number in range(draw.randint(1, 5000)))
    return f'{{"data":[{{{pairs}}}]}}'.encode()


def wrong(draw: random.Random) -> bytes:
    junk = [None, True, DNI, [], {}, [DNI], {DNI: DNI}, -1, -0.5, "", "x" * 500, 10**400]
    fields = [field for field in FIELDS if field.required and field.kind != "word"]
    field = draw.choice(fields)
    return text(TWELVE, {**TWELVE, field.name: draw.choice(junk)})


def infinite(draw: random.Random) -> bytes:
    name = draw.choice(["salario_cliente", "edad_cliente", "puntaje_datacredito"])
    number = draw.choice(
        ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4500, "0x1", "1."]
    )
    return text({**TWELVE, name: "?"}).replace(b'"?"', number.encode())


def repeated(draw: random.Random) -> bytes:
    name = draw.choice(list(TWELVE))
    once = json.dumps(TWELVE)
    return f'{{"data":[{once[:-1]}, "{name}": {TWELVE[name]}}}]}}'.encode()


def absent(draw: random.Random) -> bytes:
    name = draw.choice(list(TWELVE))
    return text({key: value for key, value in TWELVE.items() if key != name})


def noise(draw: random.Random) -> bytes:
    whole = bytearray(text(TWELVE))
    # outside of numbers and of texts, so that nothing else that is right comes of it
    marks = [at for at, byte in enumerate(whole) if byte in b'{}[]:",']
    for at in draw.sample(marks, draw.randint(1, 5)):
        whole[at] = draw.choice(b"\xff\x00\xc3;(\\")
    return bytes(whole)


def other(draw: random.Random) -> bytes:
    return draw.choice(
        [b"", b"null", b"[]", b"{}", b'""', b"0", b'{"data":5}', b'{"data":[]}', b"{"]
    )


KINDS = (truncated, huge, deep, many, keys, wrong, infinite, repeated, absent, noise, other)


class Asked(NamedTuple):
    """A server that answers nobody else, and how much memory it has."""

    client: httpx.Client
    pid: int
    port: int

    def megabytes(self, of: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = next(line for line in status.splitlines() if line.startswith(of))
        return int(found.split()[1]) / 1000


@pytest.fixture
def alone(process, port, tmp_path, request):
    """An API whose memory is nobody else's."""
    with (tmp_path / "log").open("w") as log:
        server = process(output=log, **getattr(request, "param", {}))
        try:
            wait_for(lambda: answers(port), 60)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield Asked(client, server.pid, port)
        finally:
            server.kill()
            server.wait()


def ask(number: int, connection: http.client.HTTPConnection):
    draw = random.Random(number)  # noqa: S311 - repeatable
    kind = KINDS[number % len(KINDS)]
    path = PATHS[number // len(KINDS) % len(PATHS)]
    connection.request("POST", path, kind(draw), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    return kind.__name__, reply.status, reply.read()


@pytest.mark.slow
@pytest.mark.parametrize("alone", [{"largest_body": LIMIT}], indirect=True, ids=["small limit"])
def test_each_malformed_body_is_refused_and_memory_stays_flat(alone):
    found: Counter[tuple[str, int]] = Counter()
    # it stays open, and is made anew where the server closed it
    with closing(http.client.HTTPConnection("127.0.0.1", alone.port, timeout=30)) as connection:
        for number in range(BODIES):
            if number == BODIES // 10:
                before = alone.megabytes(NOW)
            kind, status, reply = ask(number, connection)
            found[kind, status] += 1
            assert 400 <= status < 500, (kind, number, status)
            assert set(json.loads(reply)) == {"error", "request_id"}
            assert DNI.encode() not in reply, (kind, number)
    assert alone.megabytes(NOW) - before < GROWTH_MB
    assert {kind for kind, _ in found} == {kind.__name__ for kind in KINDS}
    assert {status for _, status in found} == {400, 413, 422}
    assert alone.client.post("/predict", json={"data": [TWELVE]}).status_code == 200


@pytest.mark.slow
def test_the_largest_body_of_many_values_is_refused_before_it_is_parsed(alone):
    limit = ServingSettings(served="s").largest_body
    before = alone.megabytes(PEAK)
    for filler in (b"0", b"{}", b"[]", b'{"a":0}'):
        times = limit // (len(filler) + 1) - 20
        body = b'{"data":[' + b",".join([filler] * times) + b"]}"
        reply = alone.client.post(
            "/predict", content=body, headers={"content-type": "application/json"}
        )
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_many_cases")
    assert alone.megabytes(PEAK) - before < GROWTH_MB
