"""What may vary in a use case on a table, and what the columns of its features mean."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Self, TypeAlias

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from clientela.exceptions import did_you_mean
from clientela.features.settings import Cleaning, Enrichment, NumberRule, WordRule
from clientela.settings_base import FrozenSettings
from clientela.text import normalize_word

# What may vary in a use case on a table: the meaning of its columns, and what is made of them.


Reason: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

# What the project itself calls a column beside features: in scores, in the API, in its log …
RESERVED = re.compile(r"clase|probabilidad|sin_historial|_id|prediccion_(id|momento|version|rol)")
# … and beside the key of a row.
RESERVED_KEY = re.compile(r"imputadas|razon_\d+|p_.*|model|true|predicted|expected")

# How the flag of a cleaning rule ends.
INVALID = "_invalido"


class ClassLabel(FrozenSettings):
    """One class of a target.

    Attributes:
        label: How the data write it, compared without accents and case: "0" for numbers, "true" for
            booleans.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    label: str = Field(min_length=1)
    name: str = Field(min_length=1)

    @property
    def word(self) -> str:
        """The label as it is compared."""
        return normalize_word(self.label)


class BinaryTarget(FrozenSettings):
    """What is to be predicted."""

    column: str
    negative: ClassLabel
    positive: ClassLabel

    @model_validator(mode="after")
    def _check_classes_differ(self) -> Self:
        if self.negative.word == self.positive.word or self.negative.name == self.positive.name:
            raise ValueError("negative and positive need labels and names of their own")
        return self


class Maturity(FrozenSettings):
    """When a row is old enough for its label to be final.

    A row counts once its whole observation has passed, whatever its label: bad ends are known
    early, and taking only those of young rows would make young rows look bad. A row whose start or
    length is missing can't be judged, and counts as undated.

    Attributes:
        months: Its length in months; None with `term_column`.
        term_column: Column with its length in months; None with `months`.
        as_of: The day on which labels were taken; None: the latest date of `date_column`.
    """

    date_column: str
    months: PositiveInt | None = None
    term_column: str | None = None
    as_of: date | None = None

    @model_validator(mode="after")
    def _check_one_length(self) -> Self:
        if (self.months is None) == (self.term_column is None):
            raise ValueError("maturity needs either months, or term_column (a column with months)")
        return self


class TabularFeatureParams(FrozenSettings):
    """The columns of a table with one row per case, and the features made of them.

    Attributes:
        key: Unique key of a row; never a feature.
        required: Columns that every table to be scored must bring, those of the requirement; empty:
            all. The others may be absent, and are imputed then; so may those whose missing word is
            a category of its own, which says something too.
        categorical: Features that are words without an order; numbers are read as words.
        ordinal: Features that are words with an order: column to its levels, lowest first.
        excluded: Columns that are no features, with the reason. One may stand among the features as
            well: taking it out of here is then all it takes to use it.
        sensitive: Columns kept beside the features, to compare groups of people by.
        withheld: Columns that may not drive a decision nor be its reason (age, sex, the calendar),
            with why: candidates with `features: deciding` see nothing that is made of them.
        kept: Those of `withheld` that a person lets decide all the same; a case whose main reason
            is one of them is referred to a person.
        time: Date column kept beside the features, to split by.
        maturity: When a label is final; None: always.
    """

    key: str
    target: BinaryTarget
    required: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: dict[str, Annotated[tuple[str, ...], Field(min_length=2)]] = {}
    excluded: dict[str, Reason] = {}
    sensitive: tuple[str, ...] = ()
    withheld: dict[str, Reason] = {}
    kept: tuple[str, ...] = ()
    time: str | None = None
    cleaning: Cleaning = Cleaning()
    enrichment: Enrichment = Enrichment()
    maturity: Maturity | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_excluded_columns(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        # a block whose last line was removed is None in YAML: it is as if it were not there
        given = {name: value for name, value in data.items() if value is not None}
        left_out = tuple(excluded) if isinstance(excluded := given.get("excluded"), Mapping) else ()
        for name in ("numeric", "categorical"):
            if isinstance(columns := given.get(name), list | tuple):
                given[name] = [column for column in columns if column not in left_out]
        if isinstance(levels := given.get("ordinal"), Mapping):
            given["ordinal"] = {k: v for k, v in levels.items() if k not in left_out}
        return given

    @model_validator(mode="after")
    def _check_unique_roles(self) -> Self:
        if not self.raw_features:
            raise ValueError("at least one column must be numeric, categorical or ordinal")
        names = [self.key, self.target.column, *self.excluded, *self.raw_features, *self._made()]
        for name, times in Counter(names).items():
            if times > 1:
                raise ValueError(f"the column {name!r} is given {times} meanings; give it one")
        read_twice = sorted(set(self.dates) & set(self.raw_features))
        if read_twice:
            raise ValueError(f"{', '.join(read_twice)}: a date, and a number or a word as well")
        hidden = {self.key, self.target.column} & {*self.dates, *self.sensitive}
        if hidden:
            raise ValueError(
                f"{sorted(hidden)} can't be the key or the target, and a date or group"
            )
        return self

    @model_validator(mode="after")
    def _check_reserved_names(self) -> Self:
        beside = [self.target.column, *self.inputs, *self.dates, *self.sensitive, *self._made()]
        taken = [name for name in dict.fromkeys(beside) if RESERVED.fullmatch(name)]
        if RESERVED.fullmatch(self.key) or RESERVED_KEY.fullmatch(self.key):
            taken.insert(0, self.key)
        if taken:
            raise ValueError(
                f"{', '.join(taken)}: the project calls columns of its own so. Rename the column "
                f"in the file's header and here, for example to archivo_{taken[0]}"
            )
        return self

    @model_validator(mode="after")
    def _check_rule_columns(self) -> Self:
        words = [*self.categorical, *self.ordinal]
        _require_known_columns("cleaning.numbers", self.cleaning.numbers, self.numeric)
        _require_known_columns("cleaning.words", self.cleaning.words, words)
        _require_known_columns("required", self.required, self.inputs)
        known = [*self.inputs, *self.dates, *self.sensitive, *self.excluded]
        _require_known_columns("withheld", self.withheld, known)
        _require_known_columns("kept", self.kept, self.withheld)
        if not set(self.needed) & set(self.raw_features):
            raise ValueError(
                "required must name at least one numeric, categorical or ordinal column"
            )
        _require_known_columns(
            "enrichment.missing_flags", self.enrichment.missing_flags.columns, self.raw_features
        )
        for name, levels in self.ordinal.items():
            rule = self.cleaning.words.get(name, WordRule())
            if rule.allowed is not None or rule.other == "group":
                raise ValueError(
                    f"cleaning.words.{name}: the levels of an ordinal column are its allowed "
                    "words, and others are set missing; leave allowed and other away"
                )
            if len({normalize_word(level) for level in levels}) < len(levels):
                raise ValueError(f"ordinal.{name}: levels that can't be told apart: {levels}")
        return self

    @model_validator(mode="after")
    def _check_missing_words(self) -> Self:
        for name, rule in self.cleaning.words.items():
            place, word = f"cleaning.words.{name}.missing", rule.missing
            if word is None:
                continue
            if name in self.ordinal:
                _require_known_columns(place, [word], self.ordinal[name])
            elif rule.allowed is None and rule.folded and word != normalize_word(word):
                raise ValueError(
                    f"{place}: the table's own words are folded, so {word!r} would stand beside "
                    f"{normalize_word(word)!r}; write it that way"
                )
            if name in self.enrichment.missing_flags.columns:
                raise ValueError(
                    f"{place}: enrichment.missing_flags tells the same; remove one of the two"
                )
        return self

    @model_validator(mode="after")
    def _check_operands(self) -> Self:
        known = list(self.numeric)
        for name, operands in self.enrichment.numbers().items():
            _require_known_columns(f"enrichment, {name}", operands, known)
            known.append(name)
        for name, operands in self.enrichment.categories().items():
            _require_known_columns(f"enrichment.bands, {name}", operands, known)
        left_out = sorted(set(self.dates_of_features) & set(self.excluded))
        if left_out:
            raise ValueError(f"enrichment.dates uses excluded columns: {', '.join(left_out)}")
        return self

    @property
    def raw_features(self) -> list[str]:
        """Columns of the table that are features themselves."""
        return [*self.numeric, *self.categorical, *self.ordinal]

    @property
    def dates_of_features(self) -> list[str]:
        """Date columns that features are made of."""
        operands = self.enrichment.map_date_features().values()
        return list(dict.fromkeys(name for names in operands for name in names))

    @property
    def inputs(self) -> list[str]:
        """Columns of the table that features are made of."""
        return [*self.raw_features, *self.dates_of_features]

    @property
    def listed(self) -> list[str]:
        """Columns that the requirement lists, in their order."""
        return list(self.required or self.inputs)

    @property
    def needed(self) -> list[str]:
        """Those of them that every table to be scored must bring."""
        words = {*self.categorical, *self.ordinal}
        return [
            name
            for name in self.listed
            if name not in words or self.get_word_rule(name).missing is None
        ]

    @property
    def dates(self) -> list[str]:
        """Every column that is read as a date."""
        beside = [self.time] if self.time is not None else []
        started = [self.maturity.date_column] if self.maturity is not None else []
        return list(dict.fromkeys([*self.dates_of_features, *beside, *started]))

    @property
    def invalid_flags(self) -> dict[str, tuple[str, ...]]:
        """Each flag of a cleaning rule, with its column."""
        if not self.cleaning.enabled:
            return {}
        rules: dict[str, NumberRule | WordRule] = {**self.cleaning.numbers, **self.cleaning.words}
        return {f"{name}{INVALID}": (name,) for name, rule in rules.items() if rule.flag}

    @property
    def made_numbers(self) -> dict[str, tuple[str, ...]]:
        """Each feature that is a new number, with its operands."""
        made = self.enrichment
        return self.invalid_flags | made.numbers() | made.map_date_features() | made.flags()

    def get_number_rule(self, name: str) -> NumberRule | None:
        """The rule that applies to a numeric column."""
        return self.cleaning.numbers.get(name) if self.cleaning.enabled else None

    def get_word_rule(self, name: str) -> WordRule:
        """The rule that applies to a categorical or ordinal column.

        Returns:
            The rule; without one in configuration, any word is believed as it is written. Words
            beside the levels of an ordinal column are never believed, with cleaning or without.
        """
        found = self.cleaning.words.get(name) if self.cleaning.enabled else None
        if name in self.ordinal:
            levels = {"allowed": self.ordinal[name], "other": "set_missing"}
            return (found or WordRule()).model_copy(update=levels)
        return found or WordRule(folded=False)

    def _made(self) -> list[str]:
        """Names of all new columns; one that two groups make stands twice."""
        made = self.enrichment
        groups = (self.invalid_flags, made.map_date_features(), made.flags(), made.categories())
        numbers = (name for _, name, _ in made.list_numbers())
        return [*numbers, *(name for group in groups for name in group)]


def _require_known_columns(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    available = list(known)
    for name in names:
        if name not in available:
            raise ValueError(
                f"{where}: {name!r} is not known there. {did_you_mean(name, available)}"
            )


# What the columns of the features of a table mean, for stages that know no use case.


class TabularSchema(BaseModel):
    """The meaning of each column of a model input on a table.

    A superset of what training asks of any schema (key, target, required, extra, classes, values).

    Attributes:
        target: Column with the class of a row, by its name.
        classes: Names of the negative and the positive class.
        categorical: Features that are words without an order.
        ordinal: Features that are words with an order: name to levels, lowest first.
        sources: Feature to the columns of the table that it is made of.
        inputs: Columns of the table that features are made of.
        needed: Those of them that every table to be scored must bring.
        sensitive: Columns to compare groups of people by; beside the features, or among them.
        withheld: Columns that may not drive a decision nor be its reason, with why.
        kept: Those of them that decide all the same.
        excluded: Columns of the table that are no features, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    target: str
    required: tuple[str, ...]
    extra: tuple[str, ...] = ()
    classes: tuple[str, str]
    values: tuple[float, float]
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ordinal: dict[str, tuple[str, ...]] = {}
    sources: dict[str, tuple[str, ...]]
    inputs: tuple[str, ...]
    needed: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    withheld: dict[str, str] = {}
    kept: tuple[str, ...] = ()
    time: str | None = None
    excluded: dict[str, str] = {}

    def find_features_using(self, column: str) -> list[str]:
        """The features that a column of the table takes part in."""
        return [name for name, columns in self.sources.items() if column in columns]


def feature_schema(params: TabularFeatureParams) -> dict[str, Any]:
    """Which columns of the model input mean what.

    Returns:
        The fields of `TabularSchema`, as they are stored in JSON.
    """
    raw, made = params.raw_features, params.made_numbers
    categories = params.enrichment.categories()
    required = [name for name in params.listed if name in raw]
    rest = [name for name in raw if name not in required]
    target = params.target
    schema = TabularSchema(
        key=params.key,
        target=target.column,
        required=tuple(required),
        extra=(*rest, *made, *categories),
        classes=(target.negative.name, target.positive.name),
        values=(0.0, 1.0),
        numeric=(*params.numeric, *made),
        categorical=(*params.categorical, *categories),
        ordinal=params.ordinal,
        sources={name: tuple(_find_sources(name, params)) for name in (*raw, *made, *categories)},
        inputs=tuple(params.inputs),
        needed=tuple(params.needed),
        sensitive=params.sensitive,
        withheld=params.withheld,
        kept=params.kept,
        time=params.time,
        excluded=params.excluded,
    )
    return schema.model_dump(mode="json")


def _find_sources(name: str, params: TabularFeatureParams) -> list[str]:
    """The columns of the table behind a feature, through all that was made in between."""
    made = params.made_numbers | params.enrichment.categories()
    if name not in made:
        return [name]
    found = (source for operand in made[name] for source in _find_sources(operand, params))
    return list(dict.fromkeys(found))


def find_imputed_cells(features: pd.DataFrame, schema: TabularSchema) -> list[list[str]]:
    """For each row, the columns of the table whose value is imputed.

    A value is imputed where it was absent, or where cleaning did not believe it. A date
    counts as imputed where all that is made of it is missing.

    Returns:
        Column names by row, in the order of the schema's inputs.
    """
    missing = features[[*schema.sources]].isna()
    by_input = {
        name: missing[name]
        if name in missing
        else missing[schema.find_features_using(name)].all(axis="columns")
        for name in schema.inputs
    }
    table = pd.DataFrame(by_input, index=features.index)
    return [list(table.columns[row]) for row in table.to_numpy()]
