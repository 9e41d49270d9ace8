"""Every measure of a binary prediction by name, with one signature for all of them.

Targets are codes 0 and 1; class 1 is the positive one. Measures of classes read predicted codes
and the costs of decisions, measures of probabilities read the probability of class 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from numpy.typing import NDArray

from clientela.binary import point_metrics as point
from clientela.binary import probability_metrics as probability
from clientela.binary.tallies import Codes, Floats, Tallies, tallies
from clientela.exceptions import ConfigurationError, did_you_mean


@dataclass(frozen=True)
class PointMetric:
    """A measure of predicted classes, computed from tables of counts."""

    name: str
    greater_is_better: bool
    of_counts: Callable[[Floats, Floats], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], costs: Floats) -> float:
        """The measure of one set of predicted codes."""
        return float(self.of_counts(point.class_counts(y_true, predicted), costs))


@dataclass(frozen=True)
class ProbabilityMetric:
    """A measure of predicted probabilities, computed from tallies."""

    name: str
    greater_is_better: bool
    of_tallies: Callable[[Tallies], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], costs: Floats) -> float:
        """The measure of one set of probabilities of class 1."""
        del costs
        return float(self.of_tallies(tallies(y_true, predicted)))


Metric: TypeAlias = PointMetric | ProbabilityMetric

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            PointMetric("accuracy", True, point.accuracy),
            PointMetric("precision", True, point.precision),
            PointMetric("recall", True, point.recall),
            PointMetric("f1", True, point.f1),
            PointMetric("specificity", True, point.specificity),
            PointMetric("balanced_accuracy", True, point.balanced_accuracy),
            PointMetric("mcc", True, point.matthews_correlation),
            PointMetric("expected_cost", False, point.cost_per_row),
            PointMetric("saving_over_all_positive", True, point.saving_over_all_positive),
            PointMetric("saving_over_all_negative", True, point.saving_over_all_negative),
            ProbabilityMetric("roc_auc", True, probability.roc_auc),
            ProbabilityMetric("gini", True, probability.gini),
            ProbabilityMetric("ks", True, probability.kolmogorov_smirnov),
            ProbabilityMetric("pr_auc", True, probability.pr_auc),
            ProbabilityMetric("pr_auc_rare", True, probability.pr_auc_rare),
            ProbabilityMetric("brier", False, probability.brier),
            ProbabilityMetric("brier_skill", True, probability.brier_skill),
            ProbabilityMetric("log_loss", False, probability.log_loss),
            ProbabilityMetric("calibration_error", False, probability.calibration_error),
        )
    }
)
"""Every measure by the name that configuration uses."""


def metric_named(name: str) -> Metric:
    """The measure that configuration calls by this name.

    Args:
        name: A key of `METRICS`.

    Returns:
        The measure with its direction.

    Raises:
        ConfigurationError: No measure has this name.
    """
    if name not in METRICS:
        raise ConfigurationError(f"No metric is called {name!r}. {did_you_mean(name, METRICS)}")
    return METRICS[name]
