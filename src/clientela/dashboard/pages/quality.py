"""Missing values, and values that the baseline did not know."""

import altair as alt
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
    show_table,
    style_chart,
)
from clientela.dashboard.data import MonitoringResults
from clientela.dashboard.pages.distributions import DRAWN
from clientela.dashboard.pages.evolution import plot_share_bars
from clientela.dashboard.texts import Language

# Missing values, and values that the baseline did not know.


# Reasons that speak of the values themselves rather than of their mix.
ANOMALIES = frozenset(
    {
        *("all_missing", "more_missing", "fewer_missing"),
        *("new_values", "out_of_range", "constant_changed"),
    }
)
ATTENTION = ("ROJO", "AMARILLO")


def select_anomalies(metrics: pd.DataFrame) -> pd.DataFrame:
    """The columns whose values themselves are odd, worst first."""
    odd = metrics["reason"].isin(ANOMALIES) & metrics["severity"].isin(ATTENTION)
    return metrics[odd].reset_index(drop=True)


def compare_missing_rates(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per column that misses values now or did in the baseline.

    Returns:
        `feature`, `severity`, `baseline` and `current` (shares of rows), by falling change.
    """
    chosen = metrics[(metrics["missing_rate"] > 0) | (metrics["missing_rate_baseline"] > 0)]
    table = chosen[["feature", "severity"]].assign(
        baseline=chosen["missing_rate_baseline"], current=chosen["missing_rate"]
    )
    change = (table["current"] - table["baseline"]).abs()
    return (
        table.assign(change=change)
        .sort_values(["change", "feature"], ascending=[False, True], ignore_index=True)
        .drop(columns="change")
    )


def find_unseen_values(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per column with rows that the baseline did not know.

    Returns:
        `feature`, `severity`, `kind` (`new`, `out_of_range`), `share` (of rows), largest first.
    """
    rates = {"new_rate": "new", "out_of_range_rate": "out_of_range"}
    long = metrics.rename(columns=rates).melt(
        ["feature", "severity"], list(rates.values()), var_name="kind", value_name="share"
    )
    return long[long["share"] > 0].sort_values(
        ["share", "feature"], ascending=[False, True], ignore_index=True
    )


# Missing and unknown values.


def plot_missing_rates(table: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Per column where the share of missing values was, and where it is."""
    words = {"baseline": language.text("baseline"), "current": language.text("current")}
    long = table.melt("feature", list(words), var_name="data", value_name="share")
    long = long.assign(
        data=long["data"].map(words), written=[language.numbers.percent(x) for x in long["share"]]
    )
    order = list(table["feature"])
    axis = alt.Axis(format="%", tickCount=5)
    way = (
        alt.Chart(table)
        .mark_rule(strokeWidth=2, color=INK, opacity=0.5)
        .encode(
            y=name_axis("feature", order),
            x=alt.X("baseline:Q", title=language.text("share_of_rows"), axis=axis),
            x2="current:Q",
        )
    )
    dots = (
        alt.Chart(long)
        .mark_point(size=110, filled=True, opacity=1)
        .encode(
            y=name_axis("feature", order),
            x=alt.X("share:Q", title=language.text("share_of_rows"), axis=axis),
            color=alt.Color(
                "data:N",
                scale=alt.Scale(domain=list(words.values()), range=[BASELINE, CURRENT]),
                legend=alt.Legend(orient="top", title=None),
            ),
            shape=alt.Shape(
                "data:N",
                scale=alt.Scale(domain=list(words.values()), range=["circle", "diamond"]),
            ),
            tooltip=[
                alt.Tooltip("feature:N", title=language.text("variable")),
                alt.Tooltip("data:N", title=language.text("data")),
                alt.Tooltip("written:N", title=language.text("share_of_rows")),
            ],
        )
    )
    return style_chart(way + dots, len(order), language)


def plot_unseen_values(table: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Per column the share of rows with values that the baseline did not know."""
    kinds = {each: language.text(f"kind_{each}") for each in ("new", "out_of_range")}
    data = table.assign(
        kind=table["kind"].map(kinds),
        written=[language.numbers.percent(x) for x in table["share"]],
    )
    base = alt.Chart(data).encode(
        y=name_axis("feature", list(table["feature"])),
        x=alt.X("share:Q", title=language.text("share_of_rows"), axis=alt.Axis(format="%")),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip("kind:N", title=language.text("kind")),
            alt.Tooltip("written:N", title=language.text("share_of_rows")),
        ],
    )
    scale = alt.Scale(domain=list(kinds.values()), range=[CURRENT, SEVERITY_COLOURS["AMARILLO"]])
    bars = base.mark_bar(size=BAR - 8).encode(
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(orient="top", title=None))
    )
    figures = base.mark_text(align="left", dx=4, fontSize=11).encode(text="written:N")
    return style_chart(bars + figures, len(table), language)


# Anomalies and missing data.


def show(model: MonitoringResults, page: PageContext) -> None:
    """Draws what is odd about the values themselves."""
    metrics = get_content_or_explain(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    _show_anomalies(metrics, page)
    left, right = st.columns(2, gap="large")
    missing = compare_missing_rates(metrics).head(DRAWN)
    with left:
        st.subheader(page.text("missing_change"), anchor=False)
        if missing.empty:
            st.success(page.text("no_missing"))
        else:
            st.altair_chart(plot_missing_rates(missing, page.language), theme=None)
    with right:
        st.subheader(page.text("foreign_values"), anchor=False)
        foreign = find_unseen_values(metrics).head(DRAWN)
        if foreign.empty:
            st.success(page.text("no_foreign"))
        else:
            st.altair_chart(plot_unseen_values(foreign, page.language), theme=None)
    if not missing.empty and model.by_period is not None and not model.by_period.empty:
        _show_missing_over_time(model.by_period, list(missing["feature"]), page)


def _show_anomalies(metrics: pd.DataFrame, page: PageContext) -> None:
    st.subheader(page.text("anomalies"), anchor=False)
    odd = select_anomalies(metrics)
    if odd.empty:
        st.success(page.text("no_anomalies"))
        return
    show_table(
        page,
        odd,
        {
            "severity": page.text("severity"),
            "feature": page.text("variable"),
            f"sentence_{page.language.code}": page.text("explanation"),
        },
        {},
    )


def _show_missing_over_time(
    by_period: pd.DataFrame, features: list[str], page: PageContext
) -> None:
    feature = st.selectbox(page.text("variable"), features, key="missing_variable", width=520)
    st.subheader(page.text("missing_over_time", feature=feature), anchor=False)
    rows = by_period[by_period["feature"] == feature]
    chart = plot_share_bars(
        rows, "missing_rate", CURRENT, page.text("share_of_rows"), page.language
    )
    st.altair_chart(chart, theme=None)
