"""What monitoring found, period after period."""

import altair as alt
import pandas as pd
import streamlit as st

from clientela.dashboard.components import (
    BAR,
    CURRENT,
    SEVERITY_COLOURS,
    PageContext,
    get_content_or_explain,
    name_axis,
    plot_threshold_lines,
    severity_colour,
    severity_names,
    severity_text_colour,
    show_table,
    style_chart,
)
from clientela.dashboard.data import MonitoringResults
from clientela.dashboard.pages.distributions import DRAWN, select_variable
from clientela.dashboard.texts import Language
from clientela.reporting.drift_findings import EffectSizes

# What monitoring found, period after period.


def filter_latest_baseline(log: pd.DataFrame) -> pd.DataFrame:
    """The periods that were compared with the baseline of the latest one.

    Args:
        log: One row per period and baseline, in the order of time.

    Returns:
        Rows of the log: figures against different baselines make no line.
    """
    if log.empty:
        return log
    same: pd.DataFrame = log[log["baseline"] == log["baseline"].iloc[-1]]
    return same.reset_index(drop=True)


def average_psi(log: pd.DataFrame) -> pd.DataFrame:
    """One row per period and way of averaging.

    Returns:
        `period`, `n` (rows), `line` (`average`, `weighted`), `psi`; without those that were not
        measured.
    """
    wide = log[["period", "n", "avg_psi", "weighted_psi"]]
    return (
        wide.rename(columns={"avg_psi": "average", "weighted_psi": "weighted"})
        .melt(["period", "n"], var_name="line", value_name="psi")
        .astype({"psi": "float64"})
        .dropna(subset="psi")
        .reset_index(drop=True)
    )


def performance_by_period(log: pd.DataFrame) -> pd.DataFrame:
    """One row per period and kind of performance.

    Returns:
        `period`, `measure`, `kind` (`estimated`, `realised`), `value`, `n` (rows that it rests
        on); known ones only.
    """
    kinds = [
        log[["period", "measure"]].assign(kind=kind, value=log[kind].astype("float64"), n=log[rows])
        for kind, rows in (("estimated", "n"), ("realised", "n_realised"))
    ]
    return pd.concat(kinds).dropna(subset="value").reset_index(drop=True)


def severity_by_period(by_period: pd.DataFrame, features: list[str]) -> pd.DataFrame:
    """One row per period and column, of columns worth a row in a map."""
    chosen = by_period[by_period["feature"].isin(features)]
    return chosen[["period", "feature", "severity", "psi"]].assign(
        place=chosen["feature"].map(features.index)
    )


def filter_critical_periods(log: pd.DataFrame) -> pd.DataFrame:
    """The periods that had something critical, latest first.

    Args:
        log: One row per period and baseline, in the order of time.
    """
    rows = log[(log["red"] > 0) | (log["level"] == "critical")].iloc[::-1]
    columns = ["period", "level", "state", "recommendation", "pct_red"]
    return (
        rows[columns]
        .assign(red_columns=rows["red_features"].str.replace(";", ", "))
        .reset_index(drop=True)
    )


# Drift within segments, in the latest period.


def select_latest_period(by_segment: pd.DataFrame, segment_column: str) -> pd.DataFrame:
    """One row per segment and column in the latest period."""
    chosen = by_segment[by_segment["segment_column"] == segment_column]
    latest: pd.DataFrame = chosen[chosen["period"] == chosen["period"].max()]
    return latest.reset_index(drop=True)


# Drift, period after period.


# Of a chart over periods, in bars.
HIGH = 9
# A second line: apart from the first for every kind of colour vision, and dashed.
SECOND = "#c2571a"


def plot_period_lines(
    table: pd.DataFrame, value: str, kind: str, title: str, language: Language
) -> alt.LayerChart:
    """One line per kind, over periods."""
    data = table.assign(written=[language.numbers.text(x, 3) for x in table[value]])
    kinds = list(dict.fromkeys(table[kind]))
    legend = alt.Legend(orient="top", title=None) if len(kinds) > 1 else None
    base = alt.Chart(data).encode(
        x=period_axis(language),
        y=alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=False, nice=True)),
        color=alt.Color(
            f"{kind}:N",
            scale=alt.Scale(domain=kinds, range=[CURRENT, SECOND]),
            legend=legend,
        ),
        tooltip=[
            alt.Tooltip("period:N", title=language.text("period")),
            alt.Tooltip(f"{kind}:N", title=language.text("kind")),
            alt.Tooltip("written:N", title=title),
            alt.Tooltip("n:Q", title=language.text("rows"), format=","),
        ],
    )
    dash = alt.StrokeDash(
        f"{kind}:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 3]]), legend=legend
    )
    line = base.mark_line(strokeWidth=2.5).encode(strokeDash=dash)
    layers: alt.LayerChart = line + base.mark_circle(size=70, opacity=1)
    return layers


def plot_psi_lines(
    table: pd.DataFrame, kind: str, sizes: EffectSizes, title: str, language: Language
) -> alt.LayerChart:
    """PSI over periods, with the sizes that count.

    Args:
        sizes: From where on a PSI is watched, and an alarm.
    """
    lines = plot_threshold_lines(
        {
            language.text(f"{each}_limit", limit=language.numbers.readable(size)): size
            for each, size in (("watch", sizes.watch), ("alarm", sizes.alarm))
        },
        vertical=False,
    )
    chart = plot_period_lines(table, "psi", kind, title, language) + lines
    return style_chart(chart, HIGH, language)


def plot_performance_lines(table: pd.DataFrame, title: str, language: Language) -> alt.LayerChart:
    """Estimated and realised performance over periods."""
    return style_chart(plot_period_lines(table, "value", "kind", title, language), HIGH, language)


def plot_share_bars(
    table: pd.DataFrame, value: str, colour: str, title: str, language: Language
) -> alt.LayerChart:
    """A share per period."""
    data = table.assign(
        written=[language.numbers.percent(x) for x in table[value]],
        short=[f"{language.numbers.text(100 * x)} %" for x in table[value]],
    )
    base = alt.Chart(data).encode(
        x=period_axis(language),
        y=alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format="%", tickCount=5)),
        tooltip=[
            alt.Tooltip("period:N", title=language.text("period")),
            alt.Tooltip("written:N", title=title),
        ],
    )
    bars = base.mark_bar(size=BAR, color=colour)
    figures = base.mark_text(dy=-7, fontSize=11).encode(text="short:N")
    return style_chart(bars + figures, HIGH, language)


def plot_severity_map(
    table: pd.DataFrame, features: list[str], column: str, title: str, language: Language
) -> alt.LayerChart:
    """One square per column of the data and period (or segment), coloured by severity.

    Returns:
        The chart; a symbol in each square says the severity without its colour.
    """
    words = severity_names(language)
    data = table.assign(
        words=table["severity"].map(words),
        symbol=table["severity"].map({each: text[0] for each, text in words.items()}),
        written=[language.numbers.text(x, 3) for x in table["psi"]],
    )
    base = alt.Chart(data).encode(
        x=alt.X(column, type="nominal", title=title, axis=alt.Axis(labelAngle=-35, ticks=False)),
        y=name_axis("feature", features),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip(f"{column}:N", title=title),
            alt.Tooltip("words:N", title=language.text("severity")),
            alt.Tooltip("written:N", title="PSI"),
        ],
    )
    squares = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=severity_colour("words", language)
    )
    symbols = base.mark_text(fontSize=11).encode(text="symbol:N", color=severity_text_colour())
    layers = (squares + symbols).resolve_scale(color="independent")
    return style_chart(layers, len(features) + 1, language)


def period_axis(language: Language) -> alt.X:
    """The axis of periods, whose names are in the order of time."""
    return alt.X(
        "period:N", title=language.text("period"), sort="ascending", axis=alt.Axis(labelAngle=-35)
    )


# Drift, period after period.


def show(model: MonitoringResults, page: PageContext) -> None:
    """Draws the periods."""
    whole = get_content_or_explain(page, model, "monitoring_log", model.log)
    if whole is not None:
        _show_model_history(filter_latest_baseline(whole), model, page)
    by_period = get_content_or_explain(page, model, "drift_by_period", model.by_period)
    if by_period is not None and model.metrics is not None:
        _show_variable_history(by_period, model.metrics, model, page)


def _show_model_history(log: pd.DataFrame, model: MonitoringResults, page: PageContext) -> None:
    if len(log) == 1:
        st.caption(page.text("one_period"))
    lines = average_psi(log)
    lines = lines.assign(line=lines["line"].map(lambda each: page.text(f"line_{each}")))
    title = page.text("average_psi")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(title, anchor=False)
        chart = plot_psi_lines(lines, "line", model.psi_sizes, "PSI", page.language)
        st.altair_chart(chart, theme=None)
    with right:
        st.subheader(page.text("pct_red"), anchor=False)
        shares = log[["period"]].assign(share=log["pct_red"] / 100)
        chart = plot_share_bars(
            shares, "share", SEVERITY_COLOURS["ROJO"], page.text("pct_red"), page.language
        )
        st.altair_chart(chart, theme=None)
    for measure, figures in performance_by_period(log).groupby("measure"):
        name = page.measure(str(measure))
        st.subheader(
            page.text("performance_over_time", measure=name),
            anchor=False,
            help=page.text("performance_help"),
        )
        kinds = figures.assign(kind=figures["kind"].map(lambda each: page.text(f"kind_{each}")))
        st.altair_chart(plot_performance_lines(kinds, name, page.language), theme=None)


def _show_variable_history(
    by_period: pd.DataFrame, metrics: pd.DataFrame, model: MonitoringResults, page: PageContext
) -> None:
    st.subheader(page.text("map_title"), anchor=False)
    features = list(metrics["feature"].head(DRAWN))
    if len(metrics) > DRAWN:
        st.caption(page.text("shown_of", shown=DRAWN, total=len(metrics)))
    rows = severity_by_period(by_period, features)
    chart = plot_severity_map(rows, features, "period", page.text("period"), page.language)
    st.altair_chart(chart, theme=None)
    feature = select_variable(metrics, page)
    one = by_period[by_period["feature"] == feature].assign(line=feature)
    st.subheader(page.text("variable_over_time", feature=feature), anchor=False)
    st.altair_chart(plot_psi_lines(one, "line", model.psi_sizes, "PSI", page.language), theme=None)


# Drift within segments, which a whole can hide.


def show_segments(model: MonitoringResults, page: PageContext) -> None:
    """Draws the segments of the latest period."""
    if model.by_segment is not None and model.by_segment.empty:
        st.info(page.text("no_segments", use_case=model.use_case))
        return
    table = get_content_or_explain(page, model, "drift_by_segment", model.by_segment)
    if table is None:
        return
    columns = sorted(table["segment_column"].unique())
    column = st.selectbox(page.text("segment_column"), columns, key="segment_column", width=520)
    rows = select_latest_period(table, str(column))
    st.subheader(page.text("segment_map", period=rows["period"].max()), anchor=False)
    features = list(dict.fromkeys(rows.sort_values("psi", ascending=False)["feature"]))
    chart = plot_severity_map(rows, features, "segment", page.text("segment"), page.language)
    st.altair_chart(chart, theme=None)
    numbers = page.language.numbers
    show_table(
        page,
        rows.sort_values("psi", ascending=False),
        {
            "severity": page.text("severity"),
            "segment": page.text("segment"),
            "feature": page.text("variable"),
            "psi": "PSI",
            "n": page.text("rows"),
        },
        {"psi": lambda psi: numbers.text(psi, 3), "n": numbers.text},
    )
