"""Parameters of XGBoost as the prebuilt container takes them, and the ranges that are searched."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from clientela.binary.balance import BALANCED
from clientela.exceptions import ConfigurationError, did_you_mean

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "n_estimators": "num_round",
        "learning_rate": "eta",
        "reg_lambda": "lambda",
        "reg_alpha": "alpha",
        "random_state": "seed",
    }
)
"""Parameters of XGBoost's scikit-learn form to those of the container, where they differ."""

SAME_NAMES: Final = frozenset(
    {
        "objective",
        "max_depth",
        "subsample",
        "colsample_bytree",
        "min_child_weight",
        "gamma",
        "scale_pos_weight",
        "tree_method",
        "max_bin",
        "max_delta_step",
    }
)

RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "max_depth": (3, 10),
        "eta": (0.01, 0.3),
        "subsample": (0.6, 1.0),
        "colsample_bytree": (0.6, 1.0),
        "min_child_weight": (1, 10),
    }
)
"""What a tuning job searches: the ranges of the pre-authorisation requirement."""

WHOLE: Final = frozenset({"max_depth"})
LOGARITHMIC: Final = frozenset({"eta"})
METRICS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"reg:squarederror": ("rmse", "Minimize"), "binary:logistic": ("auc", "Maximize")}
)
"""Objective to what is measured on the validation part, and which way is better."""


def objective_of(params: Mapping[str, Any]) -> str:
    """What XGBoost minimises.

    Args:
        params: In its scikit-learn form.

    Returns:
        One of `METRICS`.

    Raises:
        ConfigurationError: It is none that is known how to be measured.
    """
    objective = str(params.get("objective", "binary:logistic"))
    if objective not in METRICS:
        raise ConfigurationError(
            f"Training on SageMaker measures {' and '.join(METRICS)}; the objective is "
            f"{objective!r}. Train with kedro run --pipelines=training."
        )
    return objective


def hyperparameters(params: Mapping[str, Any], seed: int) -> dict[str, str]:
    """The parameters under the container's names, as it takes them: text.

    Args:
        params: In XGBoost's scikit-learn form.
        seed: Of every draw.

    Returns:
        Name to text, sorted.

    Raises:
        ConfigurationError: A parameter is none of the container's, or a word in place of a number.
    """
    objective = objective_of(params)
    found: dict[str, Any] = {
        "objective": objective,
        "eval_metric": METRICS[objective][0],
        "seed": seed,
    }
    for name, value in params.items():
        if name not in SAME_NAMES | set(NAMES):
            raise ConfigurationError(
                f"The XGBoost container of SageMaker has no parameter {name!r}. "
                + did_you_mean(name, SAME_NAMES | set(NAMES))
            )
        if value == BALANCED:
            raise ConfigurationError(
                f"{name}: {BALANCED} is a ratio of rows, and the XGBoost container of SageMaker "
                f"takes a number. Write the number, or train with kedro run --pipelines=training."
            )
        found[NAMES.get(name, name)] = value
    return {name: str(value) for name, value in sorted(found.items())}


def ranges() -> dict[str, list[dict[str, str]]]:
    """What is searched, as a tuning job takes it."""
    listed = {
        name: {
            "Name": name,
            "MinValue": f"{low:g}",
            "MaxValue": f"{high:g}",
            "ScalingType": "Logarithmic" if name in LOGARITHMIC else "Linear",
        }
        for name, (low, high) in RANGES.items()
    }
    return {
        "IntegerParameterRanges": [each for name, each in listed.items() if name in WHOLE],
        "ContinuousParameterRanges": [each for name, each in listed.items() if name not in WHOLE],
    }
