from functools import cache

import numpy as np
import pytest
from tests.registry.agreement import as_bytes, split
from tests.registry.loans import served
from tests.segments.shoppers import LAYOUT
from tests.segments.shoppers import customers as shoppers

from clientela.exceptions import ModelFileError
from clientela.features.columns import InputField, build_columns
from clientela.features.segment_columns import ClusteringParams, SegmentationParams
from clientela.models.segment_model import (
    assign_to_stored_segments,
    build_stored_segmentation,
    fit_segmentation,
)
from clientela.registry.manifest import describe_segmentation
from clientela.registry.scorers import build_scorer, list_segment_fields

CLUSTERINGS = [
    ClusteringParams(),
    ClusteringParams(transformed=False, columns=("totales", "participacion")),
    ClusteringParams(columns=("participacion", "frecuencia", "recencia", "score")),
]


def customers():
    """The shoppers, with every column that segments can be made from."""
    found = shoppers()
    rng = np.random.default_rng(1)
    per_rubro = {
        name.format(slug): found[f"participacion_{slug}"] * scale + rng.random(len(found))
        for slug in LAYOUT.slugs
        for name, scale in {"frecuencia_{}": 12, "recencia_{}_dias": -200, "score_{}": 0.9}.items()
    }
    return found.assign(
        **per_rubro,
        ticket_promedio=rng.lognormal(3, 1, len(found)),
        recencia_dias=rng.integers(1, 90, len(found)).astype(float),
        rubros_distintos=3.0,
    )


@cache
def learned(clustering):
    params = SegmentationParams(clustering=clustering)
    made = fit_segmentation(customers(), LAYOUT, 3, None, params)
    return build_stored_segmentation(made, customers(), params), params


def scorer_for(model, *without):
    fields = [InputField(name=n, kind="number", required=True) for n in list_segment_fields(model)]
    told = describe_segmentation(model)
    target = {name: number for name, number in told["target"].items() if name not in without}
    return build_scorer(served(model, fields, classes=tuple(target), target=target)), fields


@pytest.mark.parametrize("clustering", CLUSTERINGS)
def test_every_customer_is_placed_as_the_scoring_stage_does(clustering):
    model, params = learned(clustering)
    scorer, fields = scorer_for(model)
    features = customers()
    features.loc[features.index[::5], "num_tx"] = 1.0
    cases = features[[each.name for each in fields]].to_dict("records")
    expected = assign_to_stored_segments(model, features, None, params)["cluster_id"]
    answers = scorer.answers(build_columns(cases, fields))
    assert answers.expected.tolist() == expected.tolist()
    assert -1 in set(answers.expected)
    ids = [scorer.manifest.target[scorer.manifest.classes[code]] for code in answers.codes]
    assert ids == expected.tolist()
    assert answers.probabilities.shape == (len(cases), 0)
    parts = [scorer.answers(build_columns(part, fields)) for part in split(cases, 1)]
    assert as_bytes(*parts) == as_bytes(answers)


def test_a_segment_gives_no_reasons_and_takes_any_number():
    scorer, fields = scorer_for(learned(ClusteringParams())[0])
    columns = build_columns([{each.name: 1e308 for each in fields}, {}], fields)
    assert scorer.reasons(columns, 3) == [[], []]
    answers = scorer.answers(columns)
    assert np.isfinite(answers.expected).all()
    assert answers.expected[1] == -1  # who never bought is nobody's customer yet
    assert answers.imputed.tolist() == [[False] * len(fields), [True] * len(fields)]


def test_a_manifest_that_does_not_name_every_segment_is_refused():
    model, _ = learned(ClusteringParams())
    with pytest.raises(ModelFileError, match=r"sin_actividad \(-1\) too; .* lack -1"):
        scorer_for(model, "Sin actividad")
