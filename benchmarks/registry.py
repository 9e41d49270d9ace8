"""Every way to compute the features that is compared, and what its result must equal."""

from functools import partial

from sample import Sample
from variant import Benchmark, Promise, Variant

GROUP_BY = "group_by"
OURS = "clientela_features"
OURS_200MB = "clientela_features_200mb"
OURS_CALENDAR = "clientela_features_calendar"
NOTEBOOK = "pandas_notebook"

_features = partial(Variant, answer="features", against=GROUP_BY)

VARIANTS = (
    Variant(GROUP_BY, "plain group-by", answer="count and sum", against=GROUP_BY),
    _features(OURS, "Clientela features"),
    _features(OURS_200MB, "Clientela, 200 MB limit"),
    _features(OURS_CALENDAR, "Clientela, calendar cutoff", answer="features at one date"),
    _features("duckdb_sql", "hand-written DuckDB SQL"),
    _features("polars_lazy", "Polars, lazy"),
    _features("pandas_careful", "pandas, careful"),
    _features(NOTEBOOK, "pandas, notebook style", most_rows=1_000_000, once=True),
)

PROMISES = (
    Promise(OURS, GROUP_BY, "features over group-by: {} (at most 5 at 10 million rows)"),
    Promise(OURS_200MB, OURS, "with 200 MB over without limit: {} (at most 2.5)"),
    Promise(NOTEBOOK, OURS, "notebook-style pandas over features: {} (at least 20)"),
)

transactions_sample = partial(
    Sample,
    script="draw_sample.py",
    files=("transactions-{rows}.parquet", "customers-{rows}.parquet"),
)

FEATURES = Benchmark(
    description="Compares Clientela's customer features with other ways to compute them.",
    unit="transactions",
    base="group-by",
    sizes=(1_000_000, 10_000_000),
    sample=transactions_sample,
    variants=VARIANTS,
    promises=PROMISES,
)
