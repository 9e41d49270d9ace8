"""Every measure of a binary prediction by name, with one signature for all of them.

Targets are codes 0 and 1; class 1 is the positive one. Measures of classes read predicted codes
and the costs of decisions, measures of probabilities read the probability of class 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from clientela.binary import point_metrics as point
from clientela.binary import probability_metrics as probability
from clientela.binary.tallies import Tallies, tallies
from clientela.classification.codes import Codes, Floats
from clientela.classification.measures import Measure, PointMetric
from clientela.classification.named import Named


@dataclass(frozen=True)
class ProbabilityMetric(Measure):
    """A measure of predicted probabilities, computed from tallies."""

    of_tallies: Callable[[Tallies], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of probabilities of class 1."""
        del scale
        return float(self.of_tallies(tallies(y_true, predicted)))


Metric: TypeAlias = PointMetric | ProbabilityMetric

METRICS: Named[Metric] = Named(
    "metric",
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
    },
)
"""Every measure by the name that configuration uses."""
