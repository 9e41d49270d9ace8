"""The log of monitoring: what was found and recommended, period by period.

Figures are rounded when they are made, so that earlier rows are written back to the last byte. A
rerun of a period replaces its own row. A file that was cut short, or that something else wrote, is
refused: nothing is appended to it, and nothing in it is lost.
"""

import csv
import io
from collections.abc import Sequence
from itertools import pairwise

from pydantic import ValidationError

from clientela.drift.log_row import LOG_COLUMNS, LogRow
from clientela.drift.state import PastPeriod
from clientela.exceptions import MonitoringLogError


def parsed_log(text: str) -> list[LogRow]:
    """One row per period and baseline, in the order of time, from the text of the log.

    Args:
        text: A whole file; empty before the first period.

    Returns:
        Its rows.

    Raises:
        MonitoringLogError: It was cut short, or is no log of ours.
    """
    if not text:
        return []
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    _check_header(header)
    if not text.endswith("\n"):
        raise _refused("a file that ends with a line break", "its last line stops in the middle")
    rows = [_parsed_row(cells, number) for number, cells in enumerate(lines, start=2)]
    for earlier, later in pairwise(rows):
        if _key(earlier) >= _key(later):
            raise _refused(
                "each period once per baseline, in the order of time",
                f"{later.period} after {earlier.period}",
            )
    return rows


def updated_log(log: Sequence[LogRow], new: Sequence[LogRow]) -> list[LogRow]:
    """The log with new periods in it, in the order of time.

    A new row takes the place of one of the same period and baseline, so that a rerun leaves what
    the run left. Later periods keep what was decided in them.

    Args:
        log: The rows that stand in it.
        new: The rows of this run.

    Returns:
        All rows, by period, then by baseline.
    """
    rows = {_key(row): row for row in (*log, *new)}
    return [rows[key] for key in sorted(rows)]


def log_text(log: Sequence[LogRow]) -> str:
    """The text of the log: CSV with a header, lines ended by a line feed.

    Args:
        log: Its rows, in order.

    Returns:
        What `parsed_log` reads back; the same rows give the same bytes.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LOG_COLUMNS)
    writer.writerows(row.cells() for row in log)
    return text.getvalue()


def history(log: Sequence[LogRow], period: str) -> list[PastPeriod]:
    """What was decided before a period, oldest first.

    Args:
        log: Rows in the order of time.
        period: Neither it nor what follows it is looked at, so that a rerun decides alike.

    Returns:
        Earlier periods, of every baseline.
    """
    return [row.as_past() for row in log if row.period < period]


def _key(row: LogRow) -> tuple[str, str]:
    return row.period, row.baseline


def _check_header(header: Sequence[str]) -> None:
    if tuple(header) == LOG_COLUMNS:
        return
    cut = LOG_COLUMNS[: len(header) - 1] == tuple(header[:-1])
    came = ",".join(header)[:200]
    raise _refused(
        f"the columns {','.join(LOG_COLUMNS)}",
        f"only the beginning of them: {came}" if cut else f"{came}",
    )


def _parsed_row(cells: Sequence[str], line: int) -> LogRow:
    if len(cells) != len(LOG_COLUMNS):
        raise _refused(f"{len(LOG_COLUMNS)} cells in each line", f"{len(cells)} in line {line}")
    try:
        return LogRow.model_validate(dict(zip(LOG_COLUMNS, cells, strict=True)))
    except ValidationError as err:
        names = ", ".join(str(each["loc"][0]) for each in err.errors())
        raise _refused("cells that monitoring writes", f"others in line {line}: {names}") from err


def _refused(expected: str, came: str) -> MonitoringLogError:
    return MonitoringLogError(
        f"The monitoring log can't be continued: expected {expected}, but got {came}. It was left "
        "as it is. Restore it from a copy, or move it away to begin a new one."
    )
