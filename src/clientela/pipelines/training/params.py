"""What nobody needs to say of a first model with two classes: every setting has a default."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from clientela.modelling.settings import CandidateSettings, TrainingSettings
from clientela.tabular.preprocessing import PreprocessingSettings

FIRST_CANDIDATES: Mapping[str, CandidateSettings] = MappingProxyType(
    {
        "clase_mayor": CandidateSettings(kind="majority", role="rule", decisions=("half",)),
        "logistica": CandidateSettings(
            kind="logistic_regression",
            role="required",
            features="required",
            decisions=("cost", "half"),
            preprocessing=PreprocessingSettings(scaling="standard"),
        ),
        "bosque": CandidateSettings(
            kind="random_forest",
            role="challenger",
            decisions=("cost", "half"),
            params={"n_estimators": 60, "max_depth": 8, "min_samples_leaf": 20},
        ),
        "xgboost": CandidateSettings(
            kind="xgboost_classifier",
            role="challenger",
            decisions=("cost", "half"),
            params={"n_estimators": 150, "max_depth": 3, "learning_rate": 0.06, "subsample": 0.8},
        ),
    }
)
"""A rule without learning, the required three kinds, each as modest as a few thousand rows allow.

`cost` stands before `half`: without costs both are one rule, and with costs it is the one that
costs less. Nothing is searched, so that a first run takes a minute.
"""


class BinaryTrainingSettings(TrainingSettings):
    """Parameters of the training stage for two classes; those of `TrainingSettings`, all optional.

    Attributes:
        primary_metric: The measure that picks champion and decision rule.
        candidates: Name to candidate, simplest first; those given take the place of all defaults.
        cases: What the rows are, in the plural, in the readers' language.
    """

    primary_metric: str = "roc_auc"
    candidates: dict[str, CandidateSettings] = Field(default_factory=lambda: dict(FIRST_CANDIDATES))
    cases: str = "casos"
