"""Where a variable moved: the worst first, then its distribution against the baseline."""

from collections.abc import Collection, Sequence
from functools import partial

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from clientela.dashboard.components import (
    BAR,
    BASELINE,
    CURRENT,
    INK,
    SEVERITY_COLOURS,
    PageContext,
    get_content_or_explain,
    name_axis,
    plot_threshold_lines,
    severity_colour,
    severity_names,
    show_table,
    style_chart,
)
from clientela.dashboard.data import MonitoringResults
from clientela.dashboard.texts import Language
from clientela.reporting.drift_findings import SEVERITIES, EffectSizes, sort_by_severity
from clientela.text import SIGNIFICANT

# The distribution of one column: in the baseline and now, cell by cell.


# The distribution of one column: in the baseline and now, cell by cell.


# Share of the PSI that the cells called moved make up together (the few that matter: Pareto).
EXPLAINED = 0.8
# Cells that hold no one value or interval; shown only where they hold any row.
NAMED = ("missing", "new", "other")


def distribution_bins(
    bins: pd.DataFrame, feature: str, changed: bool, language: Language
) -> pd.DataFrame:
    """One row per cell of a column, in the column's order.

    Args:
        changed: Whether the column has drifted; of one that has not, no cell is called moved.

    Returns:
        `place` (0..), `label` (unique), `baseline_share`, `current_share` and `change` (shares of
        rows), `contribution` (to the PSI), `moved`.
    """
    cells = bins[bins["feature"] == feature]
    empty = cells[["baseline_share", "current_share"]].max(axis=1) == 0
    cells = cells[~(empty & cells["kind"].isin(NAMED))].reset_index(drop=True)
    return pd.DataFrame(
        {
            "place": np.arange(len(cells)),
            "label": label_bins(cells, language),
            "baseline_share": cells["baseline_share"],
            "current_share": cells["current_share"],
            "change": cells["current_share"] - cells["baseline_share"],
            "contribution": cells["contribution"],
            "moved": _mask_top_contributors(cells["contribution"]) & changed,
        }
    )


def _mask_top_contributors(contribution: "pd.Series[float]") -> "pd.Series[bool]":
    """The fewest cells that together explain most of the PSI."""
    falling = contribution.sort_values(ascending=False, kind="stable")
    before = falling.cumsum().shift(fill_value=0.0)
    needed = (before < EXPLAINED * contribution.sum()) & (falling > 0)
    return needed.reindex(contribution.index)


def label_bins(cells: pd.DataFrame, language: Language) -> list[str]:
    """What each cell is called; no two alike, so that no two bars merge.

    Returns:
        For example `≤ 1,5 M`, `1,5 M a 2 M`, `> 2 M`, `sin dato`.
    """
    numeric = cells["type"] == "numeric"
    exact = pd.to_numeric(cells["value"].where(numeric & (cells["kind"] == "value")))
    heavy = set(exact.dropna())
    numbers = sorted({*heavy, *cells["lower"].dropna(), *cells["upper"].dropna()})
    written = dict(zip(numbers, format_distinct_numbers(numbers, language), strict=True))
    labels = [
        language.text(f"bin_{kind}")
        if kind in NAMED
        else _format_interval(written.get(lower), written.get(upper), upper in heavy, language)
        or written.get(number, str(value))
        for kind, lower, upper, number, value in zip(
            cells["kind"], cells["lower"], cells["upper"], exact, cells["value"], strict=True
        )
    ]
    return [
        f"{label} ({place})" if labels.count(label) > 1 else label
        for place, label in enumerate(labels, start=1)
    ]


def _format_interval(
    lower: str | None, upper: str | None, upper_apart: bool, language: Language
) -> str | None:
    """What lies between two borders; `upper_apart` when the upper one is a cell of its own."""
    if lower and upper:
        return language.text("bin_between", lower=lower, upper=upper)
    if upper:
        return f"< {upper}" if upper_apart else f"≤ {upper}"
    return f"> {lower}" if lower else None


def format_distinct_numbers(numbers: Sequence[float], language: Language) -> list[str]:
    """Numbers written as short as they can be without two of them looking alike."""
    forms = (
        [language.short(number) for number in numbers],
        [language.numbers.readable(number) for number in numbers],
        [language.numbers.text(number, SIGNIFICANT) for number in numbers],
    )
    different = (form for form in forms if len(set(form)) == len(numbers))
    return next(different, [repr(float(number)) for number in numbers])


# The historical distribution of a column against the current one.


# Of two bars side by side, in bars.
HIGH = 1.5


def plot_distribution_bars(cells: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Two bars per cell side by side: the share of rows in the baseline and now.

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
            y=name_axis("label", list(cells["label"])),
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
    layers = bars + _label_changes(cells, language) if cells["moved"].any() else bars
    return style_chart(layers, len(cells) * HIGH, language)


def _share_axis(field: str, language: Language) -> alt.X:
    return alt.X(
        f"{field}:Q", title=language.text("share_of_rows"), axis=alt.Axis(format="%", tickCount=5)
    )


def _label_changes(cells: pd.DataFrame, language: Language) -> alt.Chart:
    """The change in points behind the longer bar of each cell that moved."""
    moved = cells[cells["moved"]]
    words = moved.assign(
        longer=moved[["baseline_share", "current_share"]].max(axis=1),
        written=[format_share_change(change, language) for change in moved["change"]],
    )
    base = alt.Chart(words).encode(
        y=name_axis("label", list(cells["label"])),
        x=_share_axis("longer", language),
        text="written:N",
    )
    marks: alt.Chart = base.mark_text(align="left", dx=5, fontSize=12, fontWeight="bold", color=INK)
    return marks


def format_share_change(change: float, language: Language) -> str:
    """A change of a share, in percentage points with its sign."""
    arrow, sign = ("▲", "+") if change > 0 else ("▼", "\N{MINUS SIGN}")
    return f"{arrow} {sign}{language.numbers.text(abs(100 * change), 1)}"


def plot_psi_contributions(cells: pd.DataFrame, language: Language) -> alt.LayerChart:
    """What each cell adds to the PSI."""
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
            y=name_axis("label", list(cells["label"])),
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
    return style_chart(bars, len(cells) * HIGH, language)


# Where a variable moved: its historical distribution against the current one.


def show(model: MonitoringResults, page: PageContext) -> None:
    """Draws one variable, which the reader chooses."""
    metrics = get_content_or_explain(page, model, "latest_drift_metrics", model.metrics)
    bins = (
        None if metrics is None else get_content_or_explain(page, model, "bin_shares", model.bins)
    )
    if metrics is None or bins is None:
        return
    feature = select_variable(metrics, page)
    row = metrics[metrics["feature"] == feature].iloc[0]
    severity = str(row["severity"])
    sentence = row[f"sentence_{page.language.code}"]
    st.markdown(f"**{severity_names(page.language)[severity]}** · {sentence}")
    cells = distribution_bins(bins, feature, severity in ("ROJO", "AMARILLO"), page.language)
    if cells.empty:
        st.info(page.text("part_empty", dataset="bin_shares"))
        return
    _show_main_changes(cells, page)
    shares, contributions = st.columns([3, 2], gap="large")
    shares.altair_chart(plot_distribution_bars(cells, page.language), theme=None)
    contributions.altair_chart(plot_psi_contributions(cells, page.language), theme=None)
    _show_bins_table(cells, page)


def select_variable(metrics: pd.DataFrame, page: PageContext) -> str:
    """The variable that the reader chooses; the worst one at first."""
    words, numbers = severity_names(page.language), page.language.numbers
    named = {
        str(feature): f"{words[severity][0]} {feature} · PSI {numbers.text(psi, 3)}"
        for feature, severity, psi in zip(
            metrics["feature"], metrics["severity"], metrics["psi"], strict=True
        )
    }
    return st.selectbox(
        page.text("variable"),
        list(named),
        format_func=named.__getitem__,
        key="variable",
        width=520,
    )


def _show_main_changes(cells: pd.DataFrame, page: PageContext) -> None:
    moved = cells[cells["moved"]].sort_values("contribution", ascending=False)
    if moved.empty:
        return
    share = moved["contribution"].sum() / cells["contribution"].sum()
    named = ", ".join(
        f"{label} ({format_share_change(change, page.language)})"
        for label, change in zip(moved["label"], moved["change"], strict=True)
    )
    # plain text: a name in the data may hold what Markdown reads as a formula
    st.text(page.text("moved_sentence", share=page.language.numbers.percent(share), bins=named))


def _show_bins_table(cells: pd.DataFrame, page: PageContext) -> None:
    numbers = page.language.numbers
    show_table(
        page,
        cells,
        {
            "label": page.text("bin"),
            "baseline_share": page.text("historical"),
            "current_share": page.text("current"),
            "change": page.text("change_pp"),
            "contribution": page.text("contribution"),
        },
        {
            "baseline_share": numbers.percent,
            "current_share": numbers.percent,
            "change": lambda change: numbers.text(100 * change, 1),
            "contribution": lambda psi: numbers.text(psi, 4),
        },
    )


# The watched columns of one model in its latest period.


# The watched columns of one model in its latest period.


# Bars that a person can still read; the table below them holds every column.
DRAWN = 30


def filter_by_severity(metrics: pd.DataFrame, severities: Collection[str]) -> pd.DataFrame:
    """The columns of chosen severities, worst first."""
    wanted = metrics[metrics["severity"].isin(severities)] if severities else metrics
    return sort_by_severity(wanted)


def select_drifted_columns(metrics: pd.DataFrame) -> pd.DataFrame:
    """The columns that ask for attention: ROJO, then AMARILLO."""
    return filter_by_severity(metrics, ("ROJO", "AMARILLO"))


# How far each column of a model moved.


# Bars end at so many times the alarm: a larger PSI says no more, and would flatten the others.
BEYOND = 4


def plot_psi_bars(columns: pd.DataFrame, sizes: EffectSizes, language: Language) -> alt.LayerChart:
    """One bar per column, worst first, with the sizes that count.

    Args:
        sizes: From where on a PSI is watched, and an alarm.

    Returns:
        The chart; the figure of a bar that was cut stands at its end.
    """
    longest = min(max(columns["psi"].max(), sizes.alarm), BEYOND * sizes.alarm)
    data = columns[["feature", "psi", "severity"]].assign(
        words=columns["severity"].map(severity_names(language)),
        drawn=columns["psi"].clip(upper=longest),
        written=[language.numbers.text(psi, 3) for psi in columns["psi"]],
    )
    base = alt.Chart(data).encode(
        y=name_axis("feature", list(data["feature"])),
        x=alt.X("drawn:Q", title=language.text("psi_axis"), scale=alt.Scale(domainMin=0)),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip("written:N", title="PSI"),
            alt.Tooltip("words:N", title=language.text("severity")),
        ],
    )
    bars = base.mark_bar(size=BAR - 8).encode(color=severity_colour("words", language))
    figures = base.mark_text(align="left", dx=4, fontSize=11).encode(text="written:N")
    lines = plot_threshold_lines(
        {
            language.text(f"{each}_limit", limit=language.numbers.readable(size)): size
            for each, size in (("watch", sizes.watch), ("alarm", sizes.alarm))
        },
        vertical=True,
    )
    return style_chart(bars + figures + lines, len(data), language)


# Drift per variable, worst first.


MEASURES = ("psi", "ks", "js", "cramers_v")
SHOWN_NAMES = {"psi": "PSI", "ks": "KS", "js": "JS"}


def show_variables(model: MonitoringResults, page: PageContext) -> None:
    """Draws the variables."""
    metrics = get_content_or_explain(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    words = severity_names(page.language)
    chosen = st.pills(
        page.text("show_all"),
        SEVERITIES,
        selection_mode="multi",
        format_func=words.__getitem__,
        key="severities",
    )
    columns = filter_by_severity(metrics, chosen)
    if columns.empty:
        st.info(page.text("none_of_these"))
        return
    st.subheader(page.text("psi_by_variable"), anchor=False)
    if len(columns) > DRAWN:
        st.caption(page.text("shown_of", shown=DRAWN, total=len(columns)))
    st.altair_chart(plot_psi_bars(columns.head(DRAWN), model.psi_sizes, page.language), theme=None)
    numbers = page.language.numbers
    decimals = dict.fromkeys(MEASURES, partial(numbers.text, decimals=3))
    shares = {"missing_rate": numbers.percent}
    labels = {
        "severity": page.text("severity"),
        "feature": page.text("variable"),
        **{name: SHOWN_NAMES.get(name) or page.text(name) for name in MEASURES},
        "missing_rate": page.text("missing_now"),
        f"sentence_{page.language.code}": page.text("explanation"),
    }
    show_table(
        page, columns, labels, {**decimals, **shares}, {m: page.text(f"help_{m}") for m in MEASURES}
    )
