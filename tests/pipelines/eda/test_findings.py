import json
from dataclasses import replace

import pytest

from clientela.pipelines.eda.association import Exploration, Persistence, TargetSchema, build_target
from clientela.pipelines.eda.findings import build_findings, collect_recommendations

CLASSES = ("sin_compra", "baja", "media", "alta")


@pytest.fixture(scope="module")
def exploration(profile, target_frames, moves):
    return Exploration(
        entry="purchase_intensity",
        profiles=(profile,),
        target=build_target(target_frames, TargetSchema(target="target", classes=CLASSES)),
        persistence=Persistence(
            category="TECNOLOGÍA",
            months=3,
            borders=("2023-07-01", "2023-10-01", "2024-01-01"),
            classes=CLASSES,
            counts=moves,
            kappa=0.62,
        ),
    )


@pytest.fixture(scope="module")
def found(exploration, parameters):
    return build_findings(exploration, parameters)


def test_findings_are_plain_json_and_the_same_twice(found, exploration, parameters):
    text = json.dumps(found, allow_nan=False, sort_keys=True)
    again = json.dumps(build_findings(exploration, parameters), allow_nan=False, sort_keys=True)
    assert text == again


def test_no_id_is_in_the_findings(found):
    assert "CLIENTE-" not in json.dumps(found)


def test_the_class_imbalance_is_counted(found):
    assert found["target"]["counts"] == dict(zip(CLASSES, [100, 50, 35, 15], strict=True))
    assert found["target"]["imbalance_ratio"] == 6.66667


def test_persistence_answers_the_binary_question_too(found):
    rule = found["persistence"]["binary_rule"]
    assert rule["accuracy"] == 0.8
    assert rule["repeated"] == 127 / 200
    assert rule["majority_accuracy"] == 0.5
    assert found["persistence"]["quadratic_weighted_kappa"] == 0.62


def test_three_things_to_know_stand_first(found):
    persistence, classes, binary = found["summary"]
    assert "TECNOLOGÍA tiene persistencia alta: el 63,5 %" in persistence
    assert "sin_compra 50,0 %" in classes
    assert "acierta el 80,0 %" in binary
    assert "dice poco" in binary


def test_the_gravest_advice_stands_first(found):
    kinds = [item["kind"] for item in found["recommendations"]]
    assert kinds[:3] == ["suspicious", "imbalance", "duplicate"]


def test_a_table_alone_is_told_by_its_quality(profile, parameters):
    (only,) = build_findings(Exploration("credit", (profile,)), parameters)["summary"]
    assert "model_input.edad (50,0 %)" in only


def test_buying_that_nobody_did_is_told_without_figures(profile, parameters, moves):
    nobody = Persistence("TECNOLOGÍA", 3, ("a", "b", "c"), CLASSES, 0 * moves, float("nan"))
    found = build_findings(Exploration("x", (profile,), persistence=nobody), parameters)
    assert "no hay clientes con historia suficiente" in found["summary"][0]
    assert found["persistence"]["binary_rule"]["accuracy"] is None


def test_what_was_said_of_a_column_is_not_said_again_of_a_later_table(profile, parameters):
    later = replace(profile, name="model_input")
    twice = collect_recommendations(Exploration(entry="x", profiles=(profile, later)), parameters)
    assert twice == collect_recommendations(Exploration(entry="x", profiles=(profile,)), parameters)
