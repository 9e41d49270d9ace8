"""What was asked and answered, as monitoring reads it."""

import json
import stat
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from tests.serving.models import FIELDS, TWELVE, packaged, probability
from tests.serving.running import running

from clientela.registry.scorers import PredictionBatch
from clientela.serving.prediction_log import PredictionLog

SALT = "a-salt-of-sixteen-or-more"
DNI = "71234567"
DAY = datetime(2024, 6, 30, 23, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def manifest():
    return packaged()[1]


def asked(rows, ids=None):
    score = np.linspace(0.1, 0.9, rows)
    flags = np.zeros((rows, len(FIELDS)), dtype=bool)
    both = np.column_stack([1 - score, score])
    cases = [{**TWELVE, "plazo_meses": row + 1} for row in range(rows)]
    named = [case | ({"_id": ids[row]} if ids else {}) for row, case in enumerate(cases)]
    return named, PredictionBatch((score > 0.5).astype(int), both, score, flags, flags)


def log(folder, **how):
    settings = {"share": 1.0, "salt": SALT, "waiting": 100, "dropped": print, "now": lambda: DAY}
    return PredictionLog(folder, **(settings | how))


def lines(folder):
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def test_each_case_is_one_line_by_use_case_and_day(tmp_path, manifest):
    writing = log(tmp_path)
    writing.add(manifest, *asked(3), "request")
    writing.close(10)
    (path,) = tmp_path.rglob("*.jsonl")
    assert path.parent == tmp_path / "credit_payment" / "2024-06-30"
    first = lines(tmp_path)[0]
    assert list(first) == [
        "prediccion_id",
        "prediccion_momento",
        "prediccion_version",
        "prediccion_rol",
        "clase",
        "probabilidad",
        *(field.name for field in FIELDS),
    ]
    assert first["prediccion_momento"] == "2024-06-30T23:59:00+00:00"
    assert first["prediccion_version"] == manifest.version
    assert [line["plazo_meses"] for line in lines(tmp_path)] == [1, 2, 3]
    assert [line["clase"] for line in lines(tmp_path)] == ["no_paga", "no_paga", "paga_a_tiempo"]


def test_only_the_owner_may_read_it(tmp_path, manifest):
    folder = tmp_path / "log"
    writing = log(folder)
    writing.add(manifest, *asked(1), "request")
    writing.close(10)
    for path in [folder / "credit_payment", *folder.rglob("*.jsonl")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_ids_are_hashed_with_the_salt_alike_every_time(tmp_path, manifest):
    for name, salt in (("one", SALT), ("two", SALT), ("other", SALT + "!")):
        writing = log(tmp_path / name, salt=salt)
        writing.add(manifest, *asked(2, [DNI, "x"]), "request")
        writing.close(10)
    one, two, other = (lines(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one[0]["prediccion_id"] != other[0]["prediccion_id"]
    assert one[0]["prediccion_id"] != one[1]["prediccion_id"]
    assert DNI not in json.dumps(one)


def test_without_ids_each_case_has_one_of_its_own(tmp_path, manifest):
    writing = log(tmp_path)
    writing.add(manifest, *asked(3), "one")
    writing.add(manifest, *asked(3), "two")
    writing.close(10)
    assert len({line["prediccion_id"] for line in lines(tmp_path)}) == 6


def test_a_share_of_the_cases_is_logged(tmp_path, manifest):
    writing = log(tmp_path, share=0.3, waiting=10_000)
    writing.add(manifest, *asked(2000), "request")
    writing.close(10)
    # six standard deviations of a binomial
    assert abs(len(lines(tmp_path)) - 600) < 6 * (2000 * 0.3 * 0.7) ** 0.5


def test_what_finds_no_place_is_dropped_and_counted(tmp_path, manifest, monkeypatch):
    dropped = []
    monkeypatch.setattr(PredictionLog, "_run", lambda self: None)  # a disk that never answers
    writing = log(tmp_path, waiting=5, dropped=dropped.append)
    for _ in range(3):
        writing.add(manifest, *asked(3), "request")
    assert dropped == [3, 3]


def test_a_folder_that_cant_be_written_is_told_once_and_counted(tmp_path, manifest, caplog):
    (tmp_path / "file").write_text("")
    dropped = []
    writing = log(tmp_path / "file", dropped=dropped.append)
    writing.add(manifest, *asked(2), "request")
    writing.close(10)
    assert dropped == [2]
    assert caplog.text.count("Predictions can't be logged") == 1


def test_a_server_logs_what_it_answered_and_stops_with_nothing_left(served, tmp_path):
    folder = tmp_path / "log"
    with running(served=str(served), predictions=str(folder), predictions_salt=SALT) as server:
        body = {"data": [{**TWELVE, "_id": DNI}, {**TWELVE, "salario_cliente": 1}]}
        assert server.client.post("/predict", json=body).status_code == 200
        assert server.client.post("/predict", json={"data": [{}]}).status_code == 422
    logged = pd.DataFrame(lines(folder))
    truth = probability(logged["salario_cliente"], TWELVE["cuota_pactada"])
    assert logged["probabilidad"].tolist() == pytest.approx(truth.tolist())
    assert len(logged) == 2
    assert DNI not in "".join(path.read_text() for path in folder.rglob("*.jsonl"))


def test_ids_are_accepted_where_nothing_is_logged(api):
    assert api.client.post("/predict", json={"data": [{**TWELVE, "_id": DNI}]}).status_code == 200
