"""The historical distribution of a column against the current one."""

import altair as alt
import pandas as pd

from clientela.dashboard.charts.frame import BAR, finished, names
from clientela.dashboard.language import Language
from clientela.dashboard.palette import BASELINE, CURRENT, INK, SEVERITY_COLOURS

HIGH = 1.5
"""Of two bars side by side, in bars."""


def distribution_bars(cells: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Two bars per cell side by side: the share of rows in the baseline and now.

    Args:
        cells: Of `tables.distributions`.
        language: Of the words.

    Returns:
        The chart; cells that moved carry the change in points.
    """
    words = {
        "baseline_share": language.text("historical"),
        "current_share": language.text("current"),
    }
    long = cells.melt(["label", "place"], list(words), var_name="data", value_name="share")
    long = long.assign(
        data=long["data"].map(words), written=[language.numbers.percent(x) for x in long["share"]]
    )
    scale = alt.Scale(domain=list(words.values()), range=[BASELINE, CURRENT])
    bars = (
        alt.Chart(long)
        .mark_bar()
        .encode(
            y=names("label", list(cells["label"])),
            yOffset=alt.YOffset("data:N", sort=list(words.values())),
            x=_share_axis("share", language),
            color=alt.Color(
                "data:N", scale=scale, legend=alt.Legend(orient="top", title=None, offset=6)
            ),
            tooltip=[
                alt.Tooltip("label:N", title=language.text("bin")),
                alt.Tooltip("data:N", title=language.text("data")),
                alt.Tooltip("written:N", title=language.text("share_of_rows")),
            ],
        )
    )
    layers = bars + _changes(cells, language) if cells["moved"].any() else bars
    return finished(layers, len(cells) * HIGH, language)


def _share_axis(field: str, language: Language) -> alt.X:
    return alt.X(
        f"{field}:Q", title=language.text("share_of_rows"), axis=alt.Axis(format="%", tickCount=5)
    )


def _changes(cells: pd.DataFrame, language: Language) -> alt.Chart:
    """The change in points behind the longer bar of each cell that moved."""
    moved = cells[cells["moved"]]
    words = moved.assign(
        longer=moved[["baseline_share", "current_share"]].max(axis=1),
        written=[points(change, language) for change in moved["change"]],
    )
    base = alt.Chart(words).encode(
        y=names("label", list(cells["label"])),
        x=_share_axis("longer", language),
        text="written:N",
    )
    marks: alt.Chart = base.mark_text(align="left", dx=5, fontSize=12, fontWeight="bold", color=INK)
    return marks


def points(change: float, language: Language) -> str:
    """A change of a share, in percentage points with its sign.

    Args:
        change: Of a share.
        language: Of the separators.

    Returns:
        For example `▲ +12,3`.
    """
    arrow, sign = ("▲", "+") if change > 0 else ("▼", "\N{MINUS SIGN}")
    return f"{arrow} {sign}{language.numbers.text(abs(100 * change), 1)}"


def contribution_bars(cells: pd.DataFrame, language: Language) -> alt.LayerChart:
    """What each cell adds to the PSI.

    Args:
        cells: Of `tables.distributions`.
        language: Of the words.

    Returns:
        The chart; cells that moved are coloured.
    """
    words = {True: language.text("moved"), False: language.text("not_moved")}
    data = cells[["label", "contribution"]].assign(
        moved=cells["moved"].map(words),
        written=[language.numbers.text(x, 4) for x in cells["contribution"]],
    )
    scale = alt.Scale(domain=list(words.values()), range=[SEVERITY_COLOURS["ROJO"], BASELINE])
    bars = (
        alt.Chart(data)
        .mark_bar(size=BAR - 6)
        .encode(
            y=names("label", list(cells["label"])),
            x=alt.X(
                "contribution:Q",
                title=language.text("contribution"),
                axis=alt.Axis(tickCount=5),
            ),
            color=alt.Color(
                "moved:N", scale=scale, legend=alt.Legend(orient="top", title=None, offset=6)
            ),
            tooltip=[
                alt.Tooltip("label:N", title=language.text("bin")),
                alt.Tooltip("written:N", title=language.text("contribution")),
            ],
        )
    )
    return finished(bars, len(cells) * HIGH, language)
