"""A page as Markdown: for registries and pull requests, where HTML is not shown."""

from collections.abc import Iterable

import pandas as pd

from clientela.reports.page import Block, Bullets, Page, Table, Text


def markdown(page: Page) -> str:
    """The page as Markdown; figures are left out.

    Args:
        page: A page whose tables hold text.

    Returns:
        The document. Its first line is the first statement of the summary.
    """
    lines = [page.summary[0], "", f"# {page.title}", "", page.subtitle, ""]
    lines += [f"- {statement}" for statement in page.summary[1:]]
    for section in page.sections:
        lines += ["", f"## {section.title}"]
        for block in section.blocks:
            lines += _block(block)
    return "\n".join(lines) + "\n"


def _block(block: Block) -> list[str]:
    if isinstance(block, Text):
        return ["", f"**{block.text}**" if block.emphasis else block.text]
    if isinstance(block, Bullets):
        return ["", *(f"- {item}" for item in block.items)]
    if isinstance(block, Table):
        return ["", f"*{block.title}*", "", *_table(block.frame), *_note(block.note)]
    return []


def _note(note: str) -> list[str]:
    return ["", note] if note else []


def _table(frame: pd.DataFrame) -> list[str]:
    columns = [str(name) for name in frame.columns]
    rows = (["" if pd.isna(cell) else str(cell) for cell in row] for row in frame.to_numpy())
    return [_row(columns), _row("---" for _ in columns), *(_row(row) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
