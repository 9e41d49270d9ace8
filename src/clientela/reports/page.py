"""Sections, tables and figures to one page of HTML that opens offline: images lie in the page."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from clientela.reports.numbers import NOTHING, NumberFormat
from clientela.reports.style import png

CellFormat: TypeAlias = Literal["number", "percent", "text", "decimal"]


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: Plain text; markup in it is shown, not obeyed.
        emphasis: Whether it stands in a box of its own.
    """

    text: str
    emphasis: bool = False
    kind: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True)
class Bullets:
    """A list of short statements.

    Attributes:
        items: Plain text each.
    """

    items: tuple[str, ...]
    kind: Literal["bullets"] = field(default="bullets", init=False)


@dataclass(frozen=True)
class Table:
    """A table, its numbers written as the readers write them.

    Attributes:
        title: What a row is.
        frame: Columns named as they shall be read.
        formats: Column to how it is written; numbers are recognised, others are text.
        note: What a reader must know to read it right.
    """

    title: str
    frame: pd.DataFrame
    formats: Mapping[str, CellFormat] = field(default_factory=dict)
    note: str = ""
    kind: Literal["table"] = field(default="table", init=False)


@dataclass(frozen=True)
class Image:
    """A figure.

    Attributes:
        title: What it shows; read aloud where images are not seen.
        figure: The drawing.
        note: What a reader must know to read it right.
    """

    title: str
    figure: Figure
    note: str = ""
    kind: Literal["image"] = field(default="image", init=False)


Block: TypeAlias = Text | Bullets | Table | Image


@dataclass(frozen=True)
class Section:
    """A part of a page with its own place in the navigation.

    Attributes:
        title: Its heading.
        blocks: Its content, in order.
    """

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: Its heading.
        subtitle: What it is about, in one line.
        summary: The few things to know, first of all.
        sections: Its content, in order.
    """

    title: str
    subtitle: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]


def html(page: Page, numbers: NumberFormat) -> str:
    """The page as one HTML document without outside resources.

    Args:
        page: The report.
        numbers: How its readers write numbers.

    Returns:
        The document; the same page gives the same bytes.
    """
    environment = Environment(
        loader=PackageLoader("clientela.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    template = environment.get_template("page.html.j2")
    return template.render(page=page, cells=lambda table: _cells(table, numbers))


def _data_uri(figure: Figure) -> str:
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")


def _cells(table: Table, numbers: NumberFormat) -> list[list[tuple[str, bool]]]:
    """Each cell's text, and whether it is a number (set to the right)."""
    columns = [_column(table, str(name), numbers) for name in table.frame.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(table: Table, name: str, numbers: NumberFormat) -> list[tuple[str, bool]]:
    values = table.frame[name]
    default: CellFormat = "number" if pd.api.types.is_numeric_dtype(values) else "text"
    chosen = table.formats.get(name, default)
    return [(_written(value, chosen, numbers), chosen != "text") for value in values]


def _written(value: Any, cell_format: CellFormat, numbers: NumberFormat) -> str:
    if pd.isna(value):
        return NOTHING
    match cell_format:
        case "percent":
            return numbers.percent(float(value))
        case "decimal":
            return numbers.text(float(value), 3)
        case "number":
            return numbers.readable(float(value))
        case _:
            return str(value)
