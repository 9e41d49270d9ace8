import pytest
from pydantic import ValidationError

from clientela.models.settings import ScoringSettings, SearchChoices, SearchRange, TrainingSettings


def test_an_unknown_key_is_refused(settings):
    with pytest.raises(ValidationError, match="trails"):
        TrainingSettings.model_validate(settings | {"tuning": {"trails": 5}})


@pytest.mark.parametrize("role", ["rule", "required"])
def test_without_a_yardstick_there_is_nothing_to_compare_with(settings, role):
    kept = {k: v for k, v in settings["candidates"].items() if v["role"] != role}
    with pytest.raises(ValidationError, match=f"at least one with role: {role}"):
        TrainingSettings.model_validate(settings | {"candidates": kept})


@pytest.mark.parametrize("bounds", [{"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}])
def test_an_impossible_search_range_is_refused(bounds):
    with pytest.raises(ValidationError, match="below high"):
        SearchRange.model_validate(bounds)


def test_a_search_space_is_a_range_or_choices(settings):
    lineal = settings["candidates"]["lineal"] | {"search": {"l2": {"choices": [1.0, 2.0]}}}
    candidates = settings["candidates"] | {"lineal": lineal}
    made = TrainingSettings.model_validate(settings | {"candidates": candidates})
    assert made.candidates["lineal"].search == {"l2": SearchChoices(choices=(1.0, 2.0))}


def test_the_required_baseline_is_the_first_candidate_with_that_role(settings):
    assert TrainingSettings.model_validate(settings).required == "requerido"


def test_more_reasons_than_anybody_reads_are_refused():
    with pytest.raises(ValidationError, match="reasons"):
        ScoringSettings(reasons=11)


@pytest.mark.parametrize(
    ("params", "message"),
    [({}, "search.l2 needs a value in params"), ({"l2": 99.0}, "params.l2=99.0 lies outside")],
)
def test_tuning_starts_from_a_configured_value_inside_its_space(settings, params, message):
    lineal = settings["candidates"]["lineal"] | {"params": params}
    with pytest.raises(ValidationError, match=message):
        TrainingSettings.model_validate(
            settings | {"candidates": settings["candidates"] | {"lineal": lineal}}
        )
