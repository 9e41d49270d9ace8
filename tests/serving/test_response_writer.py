import csv
import io
import json

import numpy as np
import pytest
from tests.serving.models import FIELDS, packaged

from clientela.registry.scorers import PredictionBatch
from clientela.serving.schemas import ResponseWriter

NAMES = [field.name for field in FIELDS]


def answers(rows: int = 3, seed: int = 1) -> PredictionBatch:
    rng = np.random.default_rng(seed)
    score = rng.random(rows)
    flags = rng.random((2, rows, len(FIELDS))) < 0.2
    both = np.column_stack([1 - score, score])
    return PredictionBatch((score > 0.5).astype(int), both, score, flags[0], flags[1])


def obvious(said: PredictionBatch, row: int) -> dict:
    """Written out one by one."""
    return {
        "clase": ("no_paga", "paga_a_tiempo")[said.codes[row]],
        "probabilidad": said.expected[row],
        "probabilidades": {
            "no_paga": said.probabilities[row, 0],
            "paga_a_tiempo": said.probabilities[row, 1],
        },
        "imputed": [name for at, name in enumerate(NAMES) if said.imputed[row, at]],
        "unseen": [name for at, name in enumerate(NAMES) if said.unseen[row, at]],
    }


@pytest.fixture(scope="module")
def manifest():
    return packaged()[1]


def test_each_case_has_one_prediction_in_order(manifest):
    said = answers(200)
    reply = json.loads(ResponseWriter(manifest).json(said))
    assert reply["model"] == {
        "use_case": "credit_payment",
        "version": manifest.version,
        "role": "champion",
    }
    assert reply["predictions"] == [obvious(said, row) for row in range(200)]
    assert list(reply["predictions"][0]) == list(obvious(said, 0))


def test_reasons_come_where_they_were_asked_for(manifest):
    reply = json.loads(ResponseWriter(manifest).json(answers(2), [["a", "b"], []]))
    assert [prediction["reasons"] for prediction in reply["predictions"]] == [["a", "b"], []]


def test_a_segment_is_an_id_and_a_name():
    manifest = packaged("customer_segments")[1]
    none = np.zeros((2, 2), dtype=bool)
    said = PredictionBatch(np.array([1, 0]), np.empty((2, 0)), np.array([7.0, 3.0]), none, none)
    reply = json.loads(ResponseWriter(manifest).json(said))
    assert reply["predictions"] == [
        {"cluster_id": 7, "cluster_nombre": "Farmacia", "imputed": [], "unseen": []},
        {"cluster_id": 3, "cluster_nombre": "Supermercado", "imputed": [], "unseen": []},
    ]


@pytest.mark.parametrize("header", [True, False])
def test_csv_has_class_score_and_probabilities(manifest, header):
    said = answers(4)
    lines = list(
        csv.reader(io.StringIO(ResponseWriter(manifest).csv(said, header=header).decode()))
    )
    if header:
        assert lines.pop(0) == ["clase", "probabilidad", "no_paga", "paga_a_tiempo"]
    assert [float(line[1]) for line in lines] == said.expected.tolist()
    assert [float(line[3]) for line in lines] == said.probabilities[:, 1].tolist()
