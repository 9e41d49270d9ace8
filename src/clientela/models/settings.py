"""What a person decides about training and scoring: the typed form of their parameters."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from clientela.features.preprocessing import PreprocessingSettings
from clientela.models.binary_decision import CostMatrix
from clientela.models.calibration import Calibrate
from clientela.models.fairness import FairnessSettings
from clientela.models.scorecard import PointScale
from clientela.settings_base import FrozenSettings

Role: TypeAlias = Literal["rule", "required", "challenger"]
FeatureGroup: TypeAlias = Literal["required", "all"]
Holdout: TypeAlias = Literal["random", "time"]


class SearchRange(FrozenSettings):
    """An interval that tuning searches.

    Attributes:
        log: Whether to search its logarithm evenly.
        integer: Whether only whole numbers count.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _validate_search_bounds(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"low={self.low} must be positive with log, and below high={self.high}"
            )
        return self

    def has_value(self, value: Any) -> bool:
        """Whether a value lies in the interval."""
        return isinstance(value, int | float) and self.low <= value <= self.high


class SearchChoices(FrozenSettings):
    """A few values that tuning tries."""

    choices: tuple[str | int | float | bool, ...] = Field(min_length=2)

    def has_value(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.choices


class CandidateSettings(FrozenSettings):
    """One model, or rule, that competes.

    Attributes:
        kind: Which sort of estimator; the task type knows them by name.
        role: `rule` is a yardstick without learning, `required` the baseline that the requirement
            names, `challenger` a better form.
        features: Which features it sees.
        decisions: Decision rules from score to class, simplest first; empty where the kind
            decides by itself.
        params: Parameters of the estimator, by its own names.
        search: Parameters that tuning may change, whatever the role; their configured values are
            its first trial.
        preprocessing: How features of a table become numbers; None: the required form.
        calibrate: How probabilities are calibrated on rows that were not learned from.
        share: Share of the rows that the decision rule `share` decides as the positive class.
    """

    kind: str
    role: Role
    features: FeatureGroup = "all"
    decisions: tuple[str, ...] = ()
    params: dict[str, Any] = {}
    search: dict[str, SearchRange | SearchChoices] = {}
    preprocessing: PreprocessingSettings | None = None
    calibrate: Calibrate = "none"
    share: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _validate_search_start(self) -> Self:
        for name, space in self.search.items():
            if name not in self.params:
                raise ValueError(f"search.{name} needs a value in params, the first that is tried")
            if not space.has_value(self.params[name]):
                raise ValueError(
                    f"params.{name}={self.params[name]} lies outside what search.{name} allows "
                    f"({space}); move one of the two"
                )
        return self


class TuningSettings(FrozenSettings):
    """How long tuning may take.

    Attributes:
        trials: Trials for each candidate with a search, the configured parameters being the first.
        folds: Folds of the cross-validation that grades one trial.
        time_limit_seconds: Safety stop for each of them. A tuning that reaches it can't be
            repeated exactly, so the model card reports it.
    """

    trials: PositiveInt = 10
    folds: Annotated[int, Field(ge=2)] = 4
    time_limit_seconds: PositiveFloat | None = None


class TrainingSettings(FrozenSettings):
    """Parameters of the training stage.

    Attributes:
        seed: Seed of the split, the folds, tuning, the estimators and the bootstrap.
        test_share: Share of the rows that is kept for the one final test.
        holdout: Which rows that is: a stratified `random` draw, or the latest ones (`time`). Where
            rows have a time, the other way is reported beside it.
        primary_metric: The measure that picks champion and decision rule.
        folds: Folds of the cross-validation inside the training part.
        repeats: How often it is repeated with other folds.
        inner_folds: Folds inside each fit, from which cut points and calibration are learned.
        workers: Folds computed at the same time; never changes a result.
        bootstrap: Samples behind the intervals on the test part.
        explained_rows: Most rows of the training part that the global explanation reads.
        candidates: Name to candidate, simplest first: among equally good ones the first wins; one
            that is null is left out.
        labels: Feature to its name in the readers' language.
        cases: What the rows are, in the plural, in the readers' language.
        costs: What right and wrong decisions cost; None: each mistake one.
        fairness: Groups of people to compare; None: no decisions about people.
        points: How a scorecard prints log-odds, where one is the champion.
    """

    seed: int = 42
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    holdout: Holdout = "random"
    primary_metric: str
    folds: Annotated[int, Field(ge=2)] = 5
    repeats: PositiveInt = 2
    inner_folds: Annotated[int, Field(ge=2)] = 3
    workers: PositiveInt = 2
    bootstrap: Annotated[int, Field(ge=100)] = 1000
    explained_rows: PositiveInt = 2000
    tuning: TuningSettings = TuningSettings()
    candidates: dict[str, CandidateSettings]
    labels: dict[str, str] = {}
    cases: str = "clientes"
    costs: CostMatrix | None = None
    fairness: FairnessSettings | None = None
    points: PointScale = PointScale()

    @field_validator("candidates", mode="before")
    @classmethod
    def _leave_out_nulls(cls, candidates: Any) -> Any:
        # an environment takes a candidate of conf/base away by null
        if not isinstance(candidates, Mapping):
            return candidates
        return {name: entry for name, entry in candidates.items() if entry is not None}

    @model_validator(mode="after")
    def _require_rule_and_baseline(self) -> Self:
        for role in ("rule", "required"):
            if not self.filter_by_role(role):
                raise ValueError(f"candidates must hold at least one with role: {role}")
        return self

    def filter_by_role(self, role: str) -> dict[str, CandidateSettings]:
        """The candidates of one role, in their order."""
        return {name: entry for name, entry in self.candidates.items() if entry.role == role}

    @property
    def required(self) -> str:
        """Name of the required baseline: the first candidate with that role."""
        return next(iter(self.filter_by_role("required")))


class ScoringSettings(FrozenSettings):
    """Parameters of the scoring stage.

    Attributes:
        batch_size: Customers scored at a time.
        reasons: Reasons given for each score.
        labels: Feature to its name in the readers' language.
    """

    batch_size: PositiveInt = 50_000
    reasons: Annotated[int, Field(ge=0, le=10)] = 3
    labels: dict[str, str] = {}
