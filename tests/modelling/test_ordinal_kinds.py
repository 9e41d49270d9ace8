import pytest
from kedro.config import OmegaConfigLoader

from clientela.exceptions import ConfigurationError
from clientela.models.estimator_kinds import ORDINAL_KINDS
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.settings import CONFIG_LOADER_ARGS

REQUIRED = {
    "n_estimators": 300,
    "max_depth": 4,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "objective": "reg:squarederror",
}


@pytest.fixture
def shipped(project_root):
    loader = OmegaConfigLoader(str(project_root / "conf"), **CONFIG_LOADER_ARGS)
    return TrainingSettings.model_validate(loader["parameters"]["purchase_intensity"]["training"])


def test_the_shipped_baseline_has_exactly_the_required_parameters(shipped, schema):
    entry = shipped.candidates[shipped.required]
    assert (entry.params, entry.decisions, entry.features) == (REQUIRED, ("nearest",), "required")
    model = create_problem("ordinal", schema, shipped).build_estimator(
        shipped.required, entry.params, "nearest"
    )
    chosen = model.regressor.get_params()
    assert {name: chosen[name] for name in REQUIRED} == REQUIRED
    assert {name for name, value in chosen.items() if value is not None} - set(REQUIRED) <= {
        "enable_categorical", "missing", "n_jobs", "random_state",
    }  # fmt: skip
    assert (model.decision, tuple(model.values)) == ("nearest", (0.0, 1.0, 2.0, 4.0))


def test_every_shipped_candidate_can_be_built(shipped, schema):
    problem = create_problem("ordinal", schema, shipped)
    for name, entry in shipped.candidates.items():
        for decision in entry.decisions:
            assert problem.build_estimator(name, entry.params, decision).decision == decision


@pytest.mark.parametrize("kind", sorted(ORDINAL_KINDS))
def test_a_parameter_that_the_kind_does_not_have_is_refused(schema, settings, kind):
    candidate = {"kind": kind, "role": "challenger", "params": {"depht": 2}}
    made = settings | {"candidates": settings["candidates"] | {"x": candidate}}
    with pytest.raises(ConfigurationError, match=f"kind '{kind}' has no parameter 'depht'"):
        create_problem("ordinal", schema, TrainingSettings.model_validate(made))


def test_the_last_quarter_rule_needs_its_column(schema, settings):
    without = schema | {"extra": ["sin_historial"]}
    with pytest.raises(ConfigurationError, match="Switch the extra features on"):
        create_problem("ordinal", without, TrainingSettings.model_validate(settings))


def test_the_last_quarter_rule_takes_the_bounds_of_the_target(schema, settings):
    other = schema | {"lower_bounds": [0, 2, 5, 9]}
    problem = create_problem("ordinal", other, TrainingSettings.model_validate(settings))
    assert problem.build_estimator("ultimo_trimestre", {}, None).lower_bounds == (0, 2, 5, 9)
