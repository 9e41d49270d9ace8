"""What a person decides about training, scoring and labels, as typed settings."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from pydantic import (
    ConfigDict,
    Field,
    HttpUrl,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from clientela.arrays import Codes
from clientela.features.preprocessing import PreprocessingSettings
from clientela.features.table_settings import BinaryTarget
from clientela.models.binary_decision import CostMatrix
from clientela.models.calibration import Calibrate
from clientela.models.fairness import FairnessSettings, SensitiveColumn
from clientela.models.scorecard import PointScale
from clientela.settings_base import FrozenSettings
from clientela.text import normalize_word

# What a person decides about training and scoring: the typed form of their parameters.


Role: TypeAlias = Literal["rule", "required", "challenger"]
FeatureGroup: TypeAlias = Literal["required", "all", "deciding"]
Holdout: TypeAlias = Literal["random", "time"]


class SearchRange(FrozenSettings):
    """An interval that tuning searches."""

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
        features: `all`; `required`: those of the requirement; `deciding`: all that may drive a
            decision (`features.withheld`). Only a model that sees no others can be the champion.
        role: `rule` is a yardstick without learning, `required` the baseline that the requirement
            names, `challenger` a better form.
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


class ReasonCode(FrozenSettings):
    """What several features say together, as an applicant is told it.

    Attributes:
        features: Names of features; `*` stands for any letters.
        es: In Spanish, for example "La cuota en relación con sus ingresos".
        en: In English.
    """

    features: tuple[str, ...] = Field(min_length=1)
    es: str = Field(min_length=1)
    en: str = Field(min_length=1)


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
        required_repeats: The same for the required model where it has rows of its own; None: as
            `repeats`.
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
        reason_codes: Code to what it says, of every feature that may decide; empty: reasons are
            single features, whichever way they point.
        points: How a scorecard prints log-odds, where one is the champion.
    """

    seed: int = 42
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    holdout: Holdout = "random"
    primary_metric: str
    folds: Annotated[int, Field(ge=2)] = 5
    repeats: PositiveInt = 2
    required_repeats: PositiveInt | None = None
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
    reason_codes: dict[str, ReasonCode] = {}
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
        labels: Feature to its name in the readers' language.
    """

    batch_size: PositiveInt = 50_000
    reasons: Annotated[int, Field(ge=0, le=10)] = 3
    labels: dict[str, str] = {}


# Parameters of made labels, typed; what people judged; and which of the two a model learns.


Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ProviderName: TypeAlias = Literal["offline", "bedrock", "openai"]
LearnedFrom: TypeAlias = Literal["labels", "truth", "mixed"]


class Settings(FrozenSettings):
    """Numbers are taken for words too: a version or a model may be written as one."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Rule(Settings):
    """Points for what one column says.

    Attributes:
        column: One of the columns that are shown.
        words: The words that earn the points, compared without accents and case; empty: a number.
        at_least: The smallest number that earns them, inclusive; None: any.
        below: The number from which on they are not earned; None: none.
    """

    column: str
    words: tuple[str, ...] = ()
    at_least: float | None = None
    below: float | None = None
    points: int

    @model_validator(mode="after")
    def _validate_condition(self) -> Self:
        numbers = self.at_least is not None or self.below is not None
        if bool(self.words) == numbers:
            raise ValueError("a rule needs either words, or a number (at_least, below, or both)")
        return self


class OfflineSettings(Settings):
    """The labeller that asks nobody: a sentence per row, and a scorecard of rules.

    Attributes:
        version: Of the rules; change it when you change them, it stands in `label_source`.
        rules: Each adds its points where it holds.
        positive_from: Points from which on a row is of the positive class.
        negative_to: Points up to which it is of the negative class; between both it abstains.
    """

    language: Literal["es", "en"] = "es"
    version: str = "1"
    rules: tuple[Rule, ...] = ()
    positive_from: int = 1
    negative_to: int = 0

    @model_validator(mode="after")
    def _validate_cutoffs(self) -> Self:
        if self.negative_to >= self.positive_from:
            raise ValueError(
                f"negative_to={self.negative_to} must be below positive_from={self.positive_from}"
            )
        return self


class RetrySettings(Settings):
    """How long one call is tried.

    Attributes:
        attempts: At most so many; only what may pass is tried again.
        pause_seconds: Before the second attempt; doubled before each further one, and a random
            part of it, so that callers do not come back together.
    """

    connect_seconds: PositiveFloat = 5.0
    read_seconds: PositiveFloat = 60.0
    attempts: int = Field(default=6, ge=1, le=20)
    pause_seconds: NonNegativeFloat = 1.0
    longest_pause_seconds: NonNegativeFloat = 30.0


class Prices(Settings):
    """What tokens cost; see the price list of whoever answers.

    Attributes:
        input_per_million: Of a million tokens that are sent.
        output_per_million: Of a million tokens that come back.
    """

    input_per_million: NonNegativeFloat = 0.0
    output_per_million: NonNegativeFloat = 0.0
    currency: str = "USD"


class BudgetSettings(Settings):
    """What a run may spend. Answers that are stored cost nothing, so each run has its own budget.

    Whoever may send a bill is asked only with a limit; see `LabellingSettings.is_paid`.

    Attributes:
        tokens: Of both directions together; None: no limit.
        money: In the currency of the prices; None: no limit.
    """

    tokens: NonNegativeInt | None = None
    money: NonNegativeFloat | None = None


class LanguageModelSettings(Settings):
    """What holds for every language model.

    Attributes:
        model: As whoever answers calls it; stands in `label_source`.
        temperature: 0 for the same answer each time, as far as the model keeps that.
        per_minute: Calls begun in a minute, at most; None: as fast as they are answered.
    """

    model: str = Field(min_length=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    description_tokens: PositiveInt = 400
    label_tokens: PositiveInt = 150
    per_minute: PositiveFloat | None = None
    patience: RetrySettings = RetrySettings()
    prices: Prices = Prices()


class BedrockSettings(LanguageModelSettings):
    """Amazon Bedrock; credentials and profile come from the standard AWS chain.

    Attributes:
        model: A model id, or an inference profile's.
        region: Where the model is; None: that of aws.yml or of the AWS chain.
        guardrail: Identifier of a guardrail to apply; None: none.
    """

    model: str = Field(default="meta.llama3-70b-instruct-v1:0", min_length=1)
    region: str | None = None
    guardrail: str | None = None
    guardrail_version: str = "DRAFT"


class OpenAISettings(LanguageModelSettings):
    """Any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, LM Studio.

    Attributes:
        key_variable: Environment variable that holds the key, where the server asks for one.
        json_mode: Whether the server is asked to answer in JSON; older servers refuse to be.
    """

    model: str = Field(default="llama3.1", min_length=1)
    url: HttpUrl = HttpUrl("http://127.0.0.1:11434/v1")
    key_variable: str = "OPENAI_API_KEY"
    json_mode: bool = True


class AuditSettings(Settings):
    """How labels are checked.

    Attributes:
        groups: Sensitive column to how its groups are formed: the labels of each are counted.
        favourable: The label that people hope for, as a code: 0 where class 1 is a risk.
        stability_rows: Rows labelled again; 0: none. Each costs its calls once more.
        least_judged: Judged rows below which agreement is not stated.
        curve_sizes: Numbers of true labels that the learning curve tries.
    """

    groups: dict[str, SensitiveColumn] = {}
    favourable: Literal[0, 1] = 0
    stability_rows: NonNegativeInt = 50
    stability_repeats: int = Field(default=2, ge=2, le=20)
    least_judged: int = Field(default=50, ge=20)
    bootstrap: int = Field(default=1000, ge=100)
    curve_sizes: tuple[PositiveInt, ...] = (25, 50, 100, 200, 400)
    curve_repeats: PositiveInt = 10


class LabellingSettings(Settings):
    """Parameters of the labelling stage.

    Attributes:
        provider: Who labels: `offline`, `bedrock`, or `openai` (any server that speaks its form).
        columns: The columns that are shown, in their order.
        truth_column: Column with what people judged, in the words of the target's labels; it is
            never shown, and compared afterwards. Empty or absent: not judged.
        learn_from: What models learn: made `labels`, the `truth` alone, or `mixed`: the truth
            where it is known, else the label.
        suspicious: Rows with text that reads like an instruction: `hold` back, or `send` them.
        workers: Rows in work at the same time.
        max_lost_share: Largest share of the rows that may end without an answer.
        retry_lost: Whether rows that were refused or answered in another form are asked again;
            their answers were paid for.
        stop_after: Rows in a row without an answer after which the run stops.
    """

    provider: ProviderName = "offline"
    columns: tuple[str, ...] = Field(min_length=1)
    truth_column: str | None = None
    learn_from: LearnedFrom = "labels"
    suspicious: Literal["hold", "send"] = "hold"
    workers: int = Field(default=8, ge=1, le=64)
    max_lost_share: Share = 0.05
    retry_lost: bool = False
    stop_after: PositiveInt = 20
    budget: BudgetSettings = BudgetSettings()
    offline: OfflineSettings = OfflineSettings()
    bedrock: BedrockSettings = BedrockSettings()
    openai: OpenAISettings = OpenAISettings()
    audit: AuditSettings = AuditSettings()
    seed: int = 42

    @model_validator(mode="after")
    def _validate_shown_columns(self) -> Self:
        if self.truth_column in self.columns:
            raise ValueError(f"columns must not hold the truth column {self.truth_column!r}")
        unknown = sorted({rule.column for rule in self.offline.rules} - set(self.columns))
        if unknown:
            raise ValueError(f"offline.rules ask for columns that are not shown: {unknown}")
        if self.learn_from != "labels" and self.truth_column is None:
            raise ValueError(f"learn_from: {self.learn_from} needs truth_column")
        return self

    @property
    def language_model(self) -> LanguageModelSettings | None:
        """The settings of the language model that labels; None where rules do."""
        models = {"bedrock": self.bedrock, "openai": self.openai}
        return models.get(self.provider)

    @property
    def is_paid(self) -> bool:
        """Whether answers may cost money: all do, but those of a server on this machine."""
        if self.provider == "openai" and self.openai.url.host in LOOPBACK:
            return self.openai.prices.input_per_million + self.openai.prices.output_per_million > 0
        return self.language_model is not None


# Column with what people judged; and what `label_source` says where a model learns that.
TRUTH = "truth"


def normalize_truth(words: "pd.Series[Any]", target: BinaryTarget) -> "pd.Series[Any]":
    """What people judged, in the spelling of the target's labels.

    Returns:
        One of the labels; missing where nothing is said, or something else.
    """
    known = {entry.word: entry.label for entry in (target.negative, target.positive)}
    return words.map(lambda word: known.get(normalize_word(str(word))), na_action="ignore").astype(
        "str"
    )


def encode_labels(labels: "pd.Series[Any]", target: BinaryTarget) -> Codes:
    """Labels as 0 and 1."""
    return np.asarray(labels == target.positive.label, dtype=np.int64)


def select_training_labels(
    labels: pd.DataFrame, target: str, learn_from: LearnedFrom
) -> pd.DataFrame:
    """What a model is to learn of each row, and who said so.

    Returns:
        The label table's first column (the key), `description`, the target, `label_source`: who
        labelled, or `truth`; missing where the row is not learned from.
    """
    made, truth = labels["label"], labels[TRUTH]
    if learn_from == "labels":
        learned, source = made, labels["label_source"]
    else:
        known = truth.notna()
        learned = truth if learn_from == TRUTH else truth.where(known, made)
        source = labels["label_source"].mask(known, TRUTH).where(learned.notna())
    columns = {"description": labels["description"], target: learned, "label_source": source}
    return pd.DataFrame({labels.columns[0]: labels.iloc[:, 0], **columns})
