"""What a raw table must look like to be accepted: typed rules for its columns.

Ingestion applies them (`clientela.pipelines.ingestion.validation`); the input schema of a served
model repeats their bounds, so nothing here loads an engine.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from clientela.exceptions import ConfigurationError
from clientela.settings_base import FrozenSettings

ColumnType = Literal["id", "text", "category", "integer", "decimal", "float", "date", "timestamp"]

# What pandas calls the first column where its name is empty: the row numbers of an export.
ROW_NUMBER = "Unnamed: 0"


class ColumnRule(FrozenSettings):
    """How one column is read, and what happens to values that break a rule.

    Attributes:
        type: `id` and `text` stay text; `category` gets a second column, folded to lower case
            without accents; `decimal` is exact, with two decimals at most.
        required: Whether the column must stand in the header.
        missing: What a row without a value suffers: `allow` or `quarantine`.
        invalid: What a row with an unusable value suffers: `quarantine`, or `set_missing`, which
            keeps the row, empties the value and raises the flag column `<name>_invalid`.
        max_invalid_share: With `set_missing`, the largest tolerated share of unusable values
            among those that the column holds; None for the `max_bad_share` of the tables.
        allowed: The usable values of a text or category, compared without accents and case.
        folded_as: Name of a category's folded column; None for no such column.
        isolated: What a row suffers whose date lies far before or after all others: `quarantine`,
            or `keep`, which only names it in the log. None: as `invalid` says, where an emptied
            value is kept.
    """

    type: ColumnType
    required: bool = True
    missing: Literal["allow", "quarantine"] = "allow"
    invalid: Literal["quarantine", "set_missing"] = "quarantine"
    max_invalid_share: float | None = Field(default=None, ge=0, le=1)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    earliest: date | None = None
    latest: date | None = None
    allowed: tuple[str, ...] | None = None
    folded_as: str | None = None
    isolated: Literal["keep", "quarantine"] | None = None

    @property
    def is_date(self) -> bool:
        """Whether values are days or moments."""
        return self.type in ("date", "timestamp")

    @property
    def refuses_isolated(self) -> bool:
        """Whether a row is refused for a date far from all others."""
        return self.is_date and (self.isolated or self.invalid) == "quarantine"

    @model_validator(mode="after")
    def _validate_bounds(self) -> Self:
        numeric = self.type in ("integer", "decimal", "float")
        if (self.minimum is not None or self.maximum is not None) and not numeric:
            raise ValueError(f"minimum and maximum fit numbers, not {self.type}")
        if (self.earliest is not None or self.latest is not None) and not self.is_date:
            raise ValueError(f"earliest and latest fit dates, not {self.type}")
        if self.isolated is not None and not self.is_date:
            raise ValueError(f"isolated fits dates, not {self.type}")
        if self.allowed is not None and self.type not in ("text", "category"):
            raise ValueError(f"allowed fits text and category, not {self.type}")
        if self.folded_as is not None and self.type != "category":
            raise ValueError(f"folded_as fits category, not {self.type}")
        if self.max_invalid_share is not None and self.invalid != "set_missing":
            raise ValueError("max_invalid_share fits invalid: set_missing; rows have max_bad_share")
        if self.missing == "quarantine" and self.invalid == "set_missing":
            raise ValueError("invalid: set_missing would empty what missing: quarantine demands")
        return self


DIRECTIVES = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%H": r"(?P<H>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2}(?:\.[0-9]{1,9})?)",  # databases export fractions of seconds
}


def date_pattern(date_format: str) -> str:
    """The regular expression of a date format, with a named group per directive.

    Raises:
        ConfigurationError: The format lacks a year, month or day, or has an unknown directive.
    """
    pieces = re.split(r"(%.)", date_format)
    unknown = [p for p in pieces if p.startswith("%") and p not in DIRECTIVES]
    lacking = [d for d in ("%Y", "%m", "%d") if pieces.count(d) != 1]
    if unknown or lacking:
        raise ConfigurationError(
            f"date_formats: {date_format!r} should hold %Y, %m and %d once each, and beside them "
            f"only %H, %M, %S. {'Unknown: ' + ', '.join(unknown) if unknown else ''}"
        )
    return "^" + "".join(DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces) + "$"


class CellFormat(FrozenSettings):
    """How the text of a table is written; a served model reads text in the same form.

    Attributes:
        date_formats: Accepted formats of dates, tried in order: the directives %Y %m %d %H %M %S
            and literal characters.
        missing_words: Words that stand in a cell without a value, such as NA, compared without
            accents and case.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    date_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
    missing_words: tuple[str, ...] = ()


class TableRules(CellFormat):
    """The rules of one raw table.

    Attributes:
        key: Columns that identify a row; of rows with the same key one is kept.
        made_key: For a table without such columns, the name of a key made of each row's content
            and, among equal rows, a number. Row order and cutting into files never change it.
        duplicates: What happens to further rows of equal content under a made key: `keep` or
            `quarantine`.
        columns: Column name to its rule; columns without a rule pass through as text.
        unknown_references: What happens to rows whose reference is unknown: `keep` counts them.
    """

    key: tuple[str, ...] = ()
    made_key: str | None = None
    duplicates: Literal["keep", "quarantine"] = "quarantine"
    columns: dict[str, ColumnRule]
    unknown_references: Literal["keep", "quarantine"] = "keep"

    @model_validator(mode="after")
    def _validate_separators_and_keys(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands separators must differ")
        absent = [name for name in self.key if name not in self.columns]
        if absent:
            raise ValueError(f"the key columns {absent} have no rule under columns")
        return self

    @model_validator(mode="after")
    def _validate_key_kind(self) -> Self:
        if bool(self.key) == (self.made_key is not None):
            raise ValueError("a table needs either key (its columns), or made_key (a new name)")
        if self.made_key in self.columns:
            raise ValueError(
                f"made_key: {self.made_key!r} is a column of the table; name it as key"
            )
        if self.duplicates == "keep" and self.made_key is None:
            raise ValueError("duplicates: keep needs made_key, else rows would share a key")
        return self

    @property
    def cell_format(self) -> CellFormat:
        """How the table's text is written."""
        return CellFormat(**self.model_dump(include={*CellFormat.model_fields}))

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that identify a row once it is accepted."""
        return self.key if self.made_key is None else (self.made_key,)

    @property
    def flagged(self) -> tuple[str, ...]:
        """The columns whose unusable values are set missing, each with a flag of its own."""
        return tuple(c for c, rule in self.columns.items() if rule.invalid == "set_missing")


class IntakeRules(FrozenSettings):
    """The rules of every raw table of a use case.

    Attributes:
        max_bad_share: Largest tolerated share of quarantined rows, per table, and of emptied
            values, per column.
    """

    max_bad_share: float = Field(default=0.05, ge=0, le=1)
    tables: dict[str, TableRules]
