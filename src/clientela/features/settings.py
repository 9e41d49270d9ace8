"""Settings of features: rules for the columns of a table, and windows for those of customers."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from clientela.settings_base import FrozenSettings
from clientela.text import make_slug, normalize_word

Part: TypeAlias = Literal["month", "weekday", "hour"]

# Part of a date to its name in a feature: `fecha_prestamo_mes`.
PART_NAMES: Mapping[Part, str] = {"month": "mes", "weekday": "dia_semana", "hour": "hora"}

# The word that groups all words which are not allowed.
OTHER = "OTRO"


class Rule(FrozenSettings):
    """Base of all rules: frozen, unknown keys refused, unquoted numbers taken as words."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class NumberRule(Rule):
    """Which values of a number are believed.

    Attributes:
        outside: What happens to others: `set_missing`, to be imputed, or `clip` to the bound.
        flag: Whether `<column>_invalido` tells which rows were changed.
    """

    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    outside: Literal["set_missing", "clip"] = "set_missing"
    flag: bool = False

    @model_validator(mode="after")
    def _check_bounds_order(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a cleaning rule for a number needs a minimum, a maximum, or both")
        if None not in (self.minimum, self.maximum) and self.minimum >= self.maximum:  # type: ignore[operator]
            raise ValueError(f"minimum={self.minimum} must be below maximum={self.maximum}")
        return self


class WordRule(Rule):
    """Which words of a text are believed, and how they are spelled.

    Attributes:
        allowed: The believable words in their spelling; None: any. The levels of an ordinal column
            are its allowed words.
        other: What happens to others: `set_missing`, to be imputed, or `group` under `OTRO`.
        folded: Whether words are compared without accents, case and surrounding blanks; without
            `allowed`, they are then spelled that way too.
        missing: What a row without a word holds instead, so that it is a category of its own; None:
            the word stays missing, to be imputed. It is believed wherever it is written.
        flag: Whether `<column>_invalido` tells which rows held other words.
    """

    allowed: tuple[str, ...] | None = Field(default=None, min_length=1)
    other: Literal["set_missing", "group"] = "set_missing"
    folded: bool = True
    missing: str | None = Field(default=None, min_length=1)
    flag: bool = False

    @model_validator(mode="after")
    def _check_words_differ(self) -> Self:
        words = [normalize_word(word) if self.folded else word for word in self.believed or ()]
        repeated = sorted({word for word in words if words.count(word) > 1})
        if repeated:
            raise ValueError(f"allowed words that can't be told apart: {', '.join(repeated)}")
        return self

    @property
    def believed(self) -> tuple[str, ...] | None:
        """The believable words, the one for missing words included; None: any."""
        if self.allowed is None:
            return None
        beside = () if self.missing in {None, *self.allowed} else (str(self.missing),)
        return (*self.allowed, *beside)


class Cleaning(Rule):
    """Cleaning rules by column.

    Attributes:
        words: Categorical or ordinal column to its rule.
    """

    enabled: bool = True
    numbers: dict[str, NumberRule] = {}
    words: dict[str, WordRule] = {}


class Band(Rule):
    """A number cut into named bands.

    Attributes:
        edges: Lower ends of all bands but the first, increasing.
    """

    column: str
    edges: tuple[FiniteFloat, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_edges_increase(self) -> Self:
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges must increase, got {list(self.edges)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """`menos de 25`, `25 a 40`, `40 o más`; an edge belongs to the band that it begins."""
        written = [str(int(edge)) if edge == int(edge) else repr(edge) for edge in self.edges]
        between = (f"{low} a {high}" for low, high in pairwise(written))
        return (f"menos de {written[0]}", *between, f"{written[-1]} o más")


class ColumnPairs(Rule):
    """New columns from two columns each.

    Attributes:
        columns: New column to its first and second operand.
    """

    enabled: bool = True
    columns: dict[str, tuple[str, str]] = {}


class Sums(Rule):
    """New columns that add up others."""

    enabled: bool = True
    columns: dict[str, Annotated[tuple[str, ...], Field(min_length=2)]] = {}


class ColumnSelection(Rule):
    """One new column for each of some columns."""

    enabled: bool = True
    columns: tuple[str, ...] = ()


class Bands(Rule):
    """New categories from numbers."""

    enabled: bool = True
    columns: dict[str, Band] = {}


class Dates(Rule):
    """New numbers from dates.

    Attributes:
        parts: Date column to the parts taken from it: month 1-12, weekday 0 (Monday) to 6, hour.
        days: New column to an earlier and a later date, whose distance in days it holds.
    """

    enabled: bool = True
    parts: dict[str, Annotated[tuple[Part, ...], Field(min_length=1)]] = {}
    days: dict[str, tuple[str, str]] = {}


class Enrichment(Rule):
    """Columns made from the cleaned columns of the same row, group by group, in this order.

    A later group may use the columns that an earlier one makes. A new column is missing where one
    of its operands is, and a ratio also where its denominator is 0.

    Attributes:
        logs: `log_<column>`: the logarithm of 1 + the number, negative ones counting as 0.
        dates: Parts of dates, and days between dates.
        missing_flags: `<column>_ausente`: 1 where a column has no value after cleaning.
    """

    sums: Sums = Sums()
    differences: ColumnPairs = ColumnPairs()
    products: ColumnPairs = ColumnPairs()
    ratios: ColumnPairs = ColumnPairs()
    logs: ColumnSelection = ColumnSelection()
    bands: Bands = Bands()
    dates: Dates = Dates()
    missing_flags: ColumnSelection = ColumnSelection()

    def list_numbers(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Each new number made from numbers, in the order they are made.

        Returns:
            Group, name and operands; a name that two groups make stands twice.
        """
        logs = {f"log_{name}": (name,) for name in self.logs.columns}
        groups: dict[str, tuple[bool, Mapping[str, tuple[str, ...]]]] = {
            "sums": (self.sums.enabled, self.sums.columns),
            "differences": (self.differences.enabled, self.differences.columns),
            "products": (self.products.enabled, self.products.columns),
            "ratios": (self.ratios.enabled, self.ratios.columns),
            "logs": (self.logs.enabled, logs),
        }
        return [
            (group, name, operands)
            for group, (enabled, columns) in groups.items()
            for name, operands in (columns.items() if enabled else ())
        ]

    def numbers(self) -> dict[str, tuple[str, ...]]:
        """Each new number made from numbers, with its operands, in the order they are made."""
        return {name: operands for _, name, operands in self.list_numbers()}

    def map_date_features(self) -> dict[str, tuple[str, ...]]:
        """Each new number made from dates, with its operands."""
        if not self.dates.enabled:
            return {}
        parts: dict[str, tuple[str, ...]] = {
            f"{name}_{PART_NAMES[part]}": (name,)
            for name, parts in self.dates.parts.items()
            for part in parts
        }
        return {**parts, **self.dates.days}

    def categories(self) -> dict[str, tuple[str, ...]]:
        """Each new category, with its operand."""
        if not self.bands.enabled:
            return {}
        return {name: (band.column,) for name, band in self.bands.columns.items()}

    def flags(self) -> dict[str, tuple[str, ...]]:
        """Each missing flag, with its operand."""
        if not self.missing_flags.enabled:
            return {}
        return {f"{name}_ausente": (name,) for name in self.missing_flags.columns}


CutoffMode = Literal["last_transaction", "calendar"]


class ScoringCutoffs(FrozenSettings):
    """From which past days the model that scores customers learns.

    Attributes:
        learn: `calendar`: from several days, each the same for everybody; `required`: from the
            rows of the required model (`cutoff_mode`).
        count: How many days at most; the youngest has one whole target window after it.
        days_apart: Days between two of them.
    """

    learn: Literal["calendar", "required"] = "calendar"
    count: PositiveInt = 7
    days_apart: PositiveInt = 15


class BacktestSettings(FrozenSettings):
    """On which past days the scores are tested.

    Attributes:
        dates: How many days at most, one target window apart; as many as the history allows.
    """

    dates: PositiveInt = 2


class FeatureParams(FrozenSettings):
    """Customer features, their cutoff and the target that begins there.

    Attributes:
        category: The target category, compared without accents and case.
        cutoff_mode: `last_transaction`: each customer's last transaction minus the target window;
            `calendar`: one date for everybody.
        as_of: The cutoff of calendar mode; None takes the latest one whose target window is whole.
        scoring_as_of: The cutoff for scoring; None takes the day after the last transaction.
        window_months: Lengths of the two windows for counts, amounts and points.
        category_months: Length of the window for the category's amount and share.
        points_balance: `at_cutoff` takes the points moved at or after the cutoff off the balance;
            `snapshot` is the balance as extracted, which knows the future.
        purchase_types: Transaction types that count as purchases of the category; None: all.
        minimum_transactions: Transactions before the cutoff that a customer needs to be trained on.
        extended: Whether the features beyond the required list are computed.
        scoring_cutoffs: From which past days the model that scores customers learns.
        backtest: On which past days its scores are tested.
    """

    category: str = Field(min_length=1)
    cutoff_mode: CutoffMode = "last_transaction"
    as_of: date | None = None
    scoring_as_of: date | None = None
    target_months: PositiveInt = 3
    window_months: tuple[PositiveInt, PositiveInt] = (3, 6)
    category_months: PositiveInt = 12
    points_balance: Literal["at_cutoff", "snapshot"] = "at_cutoff"
    purchase_types: tuple[str, ...] | None = None
    minimum_transactions: int = Field(default=0, ge=0)
    extended: bool = True
    scoring_cutoffs: ScoringCutoffs = ScoringCutoffs()
    backtest: BacktestSettings = BacktestSettings()

    @model_validator(mode="after")
    def _check_windows_and_category(self) -> Self:
        short, long = self.window_months
        if short >= long:
            raise ValueError(f"window_months should grow, e.g. [3, 6]; got [{short}, {long}]")
        if not self.slug:
            raise ValueError(
                f"category {self.category!r} holds no letter or digit to name columns by"
            )
        return self

    @property
    def rubro(self) -> str:
        """The category as transactions are compared by."""
        return normalize_word(self.category)

    @property
    def slug(self) -> str:
        """The category as it stands in column names: `tecnologia`."""
        return make_slug(self.category)

    @property
    def target(self) -> str:
        """The target's column name."""
        return f"target_compra_{self.slug}"
