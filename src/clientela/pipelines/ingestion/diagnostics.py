"""What is wrong with unusable values, and the settings that were tried on them and read them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import ibis
import pandas as pd

from clientela.column_rules import ColumnRule, TableRules
from clientela.datasets.table import read_into_memory
from clientela.pipelines.ingestion.validation import parse_value

PLACE = "conf/local/parameters.yml"
COMMONEST = 3
# What programs make of an id, or write where there is none.
NO_ID = ("nan", "null", "none", "NaT", "NA", "N/A", "#N/A", "#N/D", "#REF!", "#VALUE!")
DAMAGED_IDS = {
    "words for a missing value": f"^(?i:{'|'.join(NO_ID)})$",
    "numbers that a spreadsheet has shortened": r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$",
    "quotes or formulas of a spreadsheet": r"^(=\".*\"|'.*)$",
    "whole numbers with a decimal point": r"^[0-9]+\.0+$",
}
# Forms in which numbers and days are written; those of Latin America come first.
NUMBER_FORMS = [(",", "."), (".", ","), (",", " "), (".", " "), (",", "'"), (".", "'")]
DAY_FORMS = (
    "%d/%m/%Y", "%Y-%m-%d", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
)  # fmt: skip
TIMES = (" %H:%M:%S", " %H:%M", "T%H:%M", "")
TIME_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
# A mend is proposed where it makes so large a part of the unusable values usable.
ENOUGH = 0.95
FEW_WORDS = 5


def describe_mends(
    columns: Iterable[str],
    counts: Mapping[str, pd.DataFrame],
    rules: TableRules,
    use_case: str,
    name: str,
) -> str:
    """How to read the unusable values of some columns, as far as it was tried on them and works."""
    settings: dict[str, Any] = {}
    advice: dict[str, None] = {}
    usable = counts["usable"].set_index("column")["rows"]
    for column in columns:
        values = counts["values"].query("column == @column")
        if len(values):
            found = _find_mend(values, int(usable.get(column, 0)), column, rules)
            if isinstance(found, str):
                advice[found] = None
            else:
                inner = {**settings.get("columns", {}), **found.get("columns", {})}
                settings = found | settings | ({"columns": inner} if inner else {})
    if settings:
        line = format_settings_line(use_case, name, settings)
        advice[f"Tried on these values, this reads them, in {PLACE}: {line}."] = None
    return " ".join(sentence for sentence in advice if sentence)


def _find_mend(
    values: pd.DataFrame, usable: int, column: str, rules: TableRules
) -> dict[str, Any] | str:
    """Settings, or a sentence, that make the unusable values of a column usable; else nothing."""
    rule = rules.columns[column]
    common = values.head(COMMONEST)
    words = common[~common["value"].str.contains("[0-9]")]
    if rule.allowed is not None:
        return _find_mend_of_words(values, usable, column, rules)
    if words["rows"].sum() >= ENOUGH * values["rows"].sum() and rule.missing == "allow":
        return {"missing_words": [*rules.missing_words, *words["value"]]}
    if rule.is_date:
        return _find_date_formats(values, usable, rule, rules)
    exact = values["value"].str.fullmatch(r"[+-]?[0-9]+[.][0-9]{6,}")
    numbers = pd.to_numeric(values["value"].where(exact))
    noise = (numbers - numbers.round(2)).abs() < numbers.abs().clip(lower=1) * 1e-9
    if rule.type == "decimal" and _is_enough(values, noise.to_numpy()):
        seen, meant = values["value"].iloc[0], f"{numbers.iloc[0]:.2f}"
        return (
            f"{column} holds more than two decimals because it was computed in floating point "
            f"({seen} is {meant}): round it to two decimals in the export."
        )
    if usable < values["rows"].sum():  # a form for the whole table must not spoil what is read
        for decimal, thousands in NUMBER_FORMS:
            form = {"decimal": decimal, "thousands": thousands}
            if _is_enough(values, _try_rules(values, rule, rules.model_copy(update=form))):
                return form
    return ""


def _find_mend_of_words(
    values: pd.DataFrame, usable: int, column: str, rules: TableRules
) -> dict[str, Any] | str:
    """Another type, or further words, for a column that allows words."""
    rule, allowed = rules.columns[column], list(rules.columns[column].allowed or ())
    if all(re.fullmatch("[+-]?[0-9]+", word) for word in allowed):
        bounds = {"minimum": min(map(int, allowed)), "maximum": max(map(int, allowed))}
        changed = {"type": "integer", "allowed": None, **bounds}
        if _is_enough(values, _try_rules(values, rule.model_copy(update=changed), rules)):
            return {"columns": {column: changed}}
    if len(values) > FEW_WORDS:
        return ""
    words = [*(allowed if usable else ()), *values["value"]]
    line = _format_yaml_flow({"columns": {column: {"allowed": words}}})
    return (
        f"Write {', '.join(allowed)} in {column}, or declare the words that it holds: {line} (for "
        "a target also in features.target)."
    )


def _find_date_formats(
    values: pd.DataFrame, usable: int, rule: ColumnRule, rules: TableRules
) -> dict[str, Any] | str:
    """Formats in which dates are read, or why none can be."""
    local = values.assign(value=values["value"].str.replace(TIME_ZONE, "", regex=True).str.strip())
    if _is_enough(values, _try_rules(local, rule, rules)):
        return (
            "These dates carry a time zone (in Parquet: a timestamp with time zone), which is "
            "never guessed: name the zone whose local time they shall become under raw_text of "
            "the table in conf/local/globals.yml, for example timezone: America/Lima."
        )
    for day in DAY_FORMS:
        tried = {
            day + time: _try_rules(
                values, rule, rules.model_copy(update={"date_formats": (day + time,)})
            )
            for time in TIMES
        }
        if _is_enough(values, sum(tried.values()) > 0):
            new = [form for form, read in tried.items() if read.any()]
            return {"date_formats": [*(rules.date_formats if usable else ()), *new]}
    return ""


def _try_rules(values: pd.DataFrame, rule: ColumnRule, rules: TableRules) -> Any:
    """Which values the rules would read, as an array of booleans."""
    table = ibis.memtable(values[["value"]].reset_index(drop=True))
    read = parse_value(table["value"], rule, rules).notnull()
    return read_into_memory(table.select(read=read))["read"].to_numpy()


def _is_enough(values: pd.DataFrame, mended: Any) -> bool:
    return bool(values["rows"].to_numpy()[mended].sum() >= ENOUGH * values["rows"].sum())


def describe_repeated_keys(
    repeated: pd.DataFrame, rules: TableRules, use_case: str, name: str
) -> str:
    """Two rows with one key, and a key that tells such rows apart.

    Args:
        repeated: See `select_repeated_keys`.
    """
    key = list(rules.key)
    others = [str(c) for c in repeated.columns if c not in {*key, "_file", "_line"}]
    first = repeated[repeated.duplicated(key, keep=False)].groupby(key, sort=False).head(2).head(2)
    varied = [
        column for column in others if repeated.groupby(key)[column].nunique(dropna=False).max() > 1
    ]
    if not varied:
        return "The repeated rows are equal: the same rows stand twice in the files."
    places = " and ".join(f"{row['_file']} line {row['_line']}" for _, row in first.iterrows())
    differ = ", ".join(c for c in varied if not first.duplicated([*key, c]).any()) or varied[0]
    names = [
        column
        for column in varied
        if (column not in rules.columns or rules.columns[column].type in ("id", "text", "category"))
        and not repeated.duplicated([*key, column]).any()
    ]
    new: dict[str, Any] = {"key": [], "made_key": "id_fila", "duplicates": "keep"}
    if names:
        line = min(names, key=lambda column: column in rules.columns)  # one without a rule first
        new = {"key": [*key, line]}
        if line not in rules.columns:
            new["columns"] = {line: {"type": "id", "missing": "quarantine"}}
    return (
        f"The key {', '.join(key)} does not tell rows apart: {places} share it and differ in "
        f"{differ}. A key that does, in {PLACE}: {format_settings_line(use_case, name, new)}."
    )


def format_settings_line(use_case: str, table: str, settings: Mapping[str, object]) -> str:
    """Settings of a table as one line of YAML, complete from its first key.

    Args:
        settings: What to set; values that JSON can write.
    """
    inner = _format_yaml_flow(settings)
    return f"{use_case}: {{ingestion: {{tables: {{{table}: {inner}}}}}}}"


def _format_yaml_flow(value: object) -> str:
    if isinstance(value, Mapping):
        plain = {key: key if re.fullmatch(r"[\w ]+", key) else json.dumps(key) for key in value}
        parts = (f"{plain[key]}: {_format_yaml_flow(part)}" for key, part in value.items())
        return f"{{{', '.join(parts)}}}"
    return json.dumps(value, ensure_ascii=False)


def describe_damaged_ids(
    damaged: pd.DataFrame, rules: TableRules, use_case: str, name: str
) -> list[str]:
    """A sentence for each column with ids that a program has damaged; no id is in it."""
    sentences = []
    for row in damaged[damaged["rows"] > 0].to_dict("records"):
        mend = "Export the column as text."
        if row["kind"] == next(iter(DAMAGED_IDS)):
            words = [*rules.missing_words, *NO_ID]
            line = format_settings_line(use_case, name, {"missing_words": words})
            mend = f"So that they count as missing, in {PLACE}: {line}"
        sentences.append(
            f"{name}.{row['column']}: {row['rows']} ids are {row['kind']} (e.g. {row['_file']} "
            f"line {int(row['_line'])}). {mend}"
        )
    return sentences


def describe_isolated_dates(
    isolated: pd.DataFrame, rules: TableRules, use_case: str, name: str
) -> list[str]:
    """A sentence for each column with dates far from all others: which, where, how far.

    Args:
        isolated: See `count_isolated_dates`.
    """
    sentences = []
    for row in isolated[isolated["rows"] > 0].to_dict("records"):
        column, ends = (
            str(row["column"]),
            (pd.Timestamp(row["earliest"]), pd.Timestamp(row["latest"])),
        )
        day = pd.Timestamp(row["day"])
        nearest = min(ends, key=lambda end: abs(day - end))
        refused = rules.columns[column].refuses_isolated
        setting = {"columns": {column: {"isolated": "keep" if refused else "quarantine"}}}
        sentences.append(
            f"{name}.{column}: {row['rows']} row(s) lie far from all others: {day:%Y-%m-%d} "
            f"({row['_file']} line {int(row['_line'])}) is {abs((day - nearest).days)} days from "
            f"{nearest:%Y-%m-%d}, the nearest of the others. "
            f"{'Quarantined' if refused else 'Kept, though it may move the latest date'}; "
            f"otherwise, in {PLACE}: {format_settings_line(use_case, name, setting)}"
        )
    return sentences


def describe_unknown_references(name: str, counts: Mapping[str, pd.DataFrame]) -> list[str]:
    """A sentence for each column most of whose references are unknown: ids written in two ways."""
    accepted = int(counts["accepted"]["rows"].iloc[0])
    unknown = counts["unknown"]
    most = unknown[(unknown["rows"] * 2 > accepted) & unknown["known_shape"].notna()]
    return [
        f"{name}.{row['column']}: {row['rows']} of {accepted} references are unknown. Are the ids "
        f"written in two ways? Here they look like {row['shape']!r}, where they are known like "
        f"{row['known_shape']!r} (9 is any digit, a any letter)."
        for row in most.to_dict("records")
    ]
