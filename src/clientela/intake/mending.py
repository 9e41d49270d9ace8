"""Lines to paste, so that a table is read as it is written."""

import json
from collections.abc import Iterable, Mapping

from clientela.intake.rules import ColumnType, TableRules

PLACE = "conf/local/parameters.yml"
NUMBERS: tuple[ColumnType, ...] = ("integer", "decimal", "float")
DATES: tuple[ColumnType, ...] = ("date", "timestamp")
# what most exports of Latin America hold, where the file does not hold what the rules declare
OTHER_DATES = ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]


def settings_line(use_case: str, table: str, settings: Mapping[str, object]) -> str:
    """Settings of a table as one line of YAML, complete from its first key.

    Args:
        use_case: The entry that the table belongs to.
        table: The table.
        settings: What to set; keys without blanks, values that JSON can write.

    Returns:
        For example `retail: {ingestion: {tables: {transactions: {decimal: ","}}}}`.
    """
    inner = _flow(settings)
    return f"{use_case}: {{ingestion: {{tables: {{{table}: {inner}}}}}}}"


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(part)}" for key, part in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def reading_hint(use_case: str, table: str, rules: TableRules, columns: Iterable[str]) -> str:
    """How to declare the form of values that can't be read.

    Args:
        use_case: The entry that the table belongs to.
        table: The table.
        rules: Its rules.
        columns: Those that hold such values.

    Returns:
        A sentence with a line to paste; empty where no column holds numbers or dates.
    """
    types = {rules.columns[column].type for column in columns}
    settings: dict[str, object] = {}
    if types.intersection(NUMBERS):
        comma = rules.decimal == "."
        settings |= {"decimal": ",", "thousands": "."} if comma else {"decimal": "."}
        settings |= {} if comma else {"thousands": ","}
    if types.intersection(DATES):
        settings["date_formats"] = OTHER_DATES
    if not settings:
        return ""
    return (
        f"If they are only written in another form, declare it for the whole table in {PLACE}, for "
        f"example: {settings_line(use_case, table, settings)}. "
    )
