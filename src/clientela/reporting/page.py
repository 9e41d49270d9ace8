"""Sections, tables and figures to one page of HTML that opens offline: images lie in the page."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from clientela.reporting.style import render_png
from clientela.text import NOTHING, NumberFormat

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
    """A list of short statements."""

    items: tuple[str, ...]
    kind: Literal["bullets"] = field(default="bullets", init=False)


@dataclass(frozen=True)
class Table:
    """A table, its numbers written as the readers write them.

    Attributes:
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
        note: What a reader must know to read it right.
    """

    title: str
    figure: Figure
    note: str = ""
    kind: Literal["image"] = field(default="image", init=False)


Block: TypeAlias = Text | Bullets | Table | Image


@dataclass(frozen=True)
class Section:
    """A part of a page with its own place in the navigation."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        subtitle: What it is about, in one line.
        summary: The few things to know, first of all.
    """

    title: str
    subtitle: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]


def render_html(page: Page, numbers: NumberFormat) -> str:
    """The page as one HTML document without outside resources: equal pages give equal bytes."""
    environment = Environment(
        loader=PackageLoader("clientela.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _encode_data_uri
    template = environment.get_template("page.html.j2")
    return template.render(page=page, cells=lambda table: _format_cells(table, numbers))


def _encode_data_uri(figure: Figure) -> str:
    return "data:image/png;base64," + base64.b64encode(render_png(figure)).decode("ascii")


def _format_cells(table: Table, numbers: NumberFormat) -> list[list[tuple[str, bool]]]:
    """Each cell's text, and whether it is a number (set to the right)."""
    columns = []
    for name, values in table.frame.items():
        default: CellFormat = "number" if pd.api.types.is_numeric_dtype(values) else "text"
        chosen = table.formats.get(str(name), default)
        columns.append([(_format_value(v, chosen, numbers), chosen != "text") for v in values])
    return [list(row) for row in zip(*columns, strict=True)]


def _format_value(value: Any, cell_format: CellFormat, numbers: NumberFormat) -> str:
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


def render_markdown(page: Page) -> str:
    """The page as Markdown, for registries and pull requests, where HTML is not shown.

    Args:
        page: A page whose tables hold text; its figures are left out.

    Returns:
        The document. Its first line is the first statement of the summary.
    """
    lines = [page.summary[0], "", f"# {page.title}", "", page.subtitle, ""]
    lines += [f"- {statement}" for statement in page.summary[1:]]
    for section in page.sections:
        lines += ["", f"## {section.title}"]
        for block in section.blocks:
            match block:
                case Text():
                    lines += ["", f"**{block.text}**" if block.emphasis else block.text]
                case Bullets():
                    lines += ["", *(f"- {item}" for item in block.items)]
                case Table():
                    lines += ["", f"*{block.title}*", "", *_render_table(block.frame)]
                    lines += ["", block.note] if block.note else []
    return "\n".join(lines) + "\n"


def _render_table(frame: pd.DataFrame) -> list[str]:
    columns = [str(name) for name in frame.columns]
    rows = [["" if pd.isna(cell) else str(cell) for cell in row] for row in frame.to_numpy()]
    escaped = [
        [cell.replace("|", "\\|") for cell in row]
        for row in (columns, ["---"] * len(columns), *rows)
    ]
    return [f"| {' | '.join(row)} |" for row in escaped]
