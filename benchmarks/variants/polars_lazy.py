"""The same features as one lazy Polars query on its streaming engine."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

AMOUNT, POINTS, TECH = pl.col("valor_transaccion"), pl.col("puntos"), pl.col("tech")
CUTOFF = pl.col("cutoff")


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    bought = pl.scan_parquet(transactions).with_columns(tech=pl.col("rubro") == "tecnologia")
    people = pl.scan_parquet(customers)
    ends = bought.group_by("id_cliente").agg(
        cutoff=pl.col("fecha").max().dt.offset_by("-3mo"), points_ever=POINTS.sum()
    )
    bounds = ends.select(
        "id_cliente",
        "cutoff",
        *(CUTOFF.dt.offset_by(f"-{m}mo").alias(f"from_{m}m") for m in (3, 6, 12)),
    )
    past = bought.join(bounds, on="id_cliente").filter(pl.col("fecha") < CUTOFF)
    sums = past.group_by("id_cliente").agg(*_measures())
    known = ends.join(sums, on="id_cliente", how="left").join(people, on="id_cliente", how="left")
    features = known.select("id_cliente", *(f.cast(pl.Float64).fill_null(0) for f in _features()))
    features.sort("id_cliente").sink_parquet(output, compression="zstd", engine="streaming")


def _measures() -> Iterator[pl.Expr]:
    year = pl.col("fecha") >= pl.col("from_12m")
    yield pl.len().alias("n")
    yield AMOUNT.sum().alias("spent")
    yield pl.col("fecha").max().alias("latest")
    yield POINTS.sum().alias("points_before")
    yield AMOUNT.filter(year).sum().alias("spent12")
    yield AMOUNT.filter(year & TECH).sum().alias("tech12")
    yield (year & TECH & (AMOUNT > 0)).any().alias("bought")
    for months in (3, 6):
        window = pl.col("fecha") >= pl.col(f"from_{months}m")
        yield window.sum().alias(f"n{months}")
        yield AMOUNT.filter(window).sum().alias(f"spent{months}")
        yield POINTS.filter(window & (POINTS > 0)).sum().alias(f"won{months}")
        yield (-POINTS.filter(window & (POINTS < 0)).sum()).alias(f"used{months}")
        yield AMOUNT.filter(window & TECH).sum().alias(f"tech{months}")


def _features() -> Iterator[pl.Expr]:
    count, spent = pl.col("n").fill_null(0), pl.col("spent").cast(pl.Float64).fill_null(0)
    yield count.alias("num_tx_total")
    yield spent.alias("total_gasto")
    yield (CUTOFF.dt.date() - pl.col("latest").dt.date()).dt.total_days().alias("recencia_dias")
    yield count.log1p().alias("log_num_tx_total")
    yield spent.clip(lower_bound=0).log1p().alias("log_total_gasto")
    for months in (3, 6):
        yield pl.col(f"n{months}").alias(f"num_tx_{months}m")
        yield pl.col(f"spent{months}").alias(f"gasto_{months}m")
        yield pl.col(f"won{months}").alias(f"puntos_ganados_{months}m")
        yield pl.col(f"used{months}").alias(f"puntos_redimidos_{months}m")
    tech, year = pl.col("tech12").cast(pl.Float64), pl.col("spent12").cast(pl.Float64)
    yield tech.alias("gasto_tecnologia_12m")
    part = tech.clip(lower_bound=0)
    whole = pl.max_horizontal(year, part)
    yield pl.when(whole != 0).then(part / whole).alias("pct_tecnologia_12m")
    yield pl.col("bought").alias("compra_tecnologia")
    for months in (3, 6):
        monthly = pl.col(f"tech{months}").cast(pl.Float64) / months
        yield monthly.alias(f"avg_gasto_tecnologia_{months}m")
    yield _age().alias("edad")
    yield pl.col("estrato_social")
    moved_since = pl.col("points_ever") - pl.col("points_before").fill_null(0)
    yield (pl.col("saldo_puntos") - moved_since).alias("saldo_puntos")


def _age() -> pl.Expr:
    birth = pl.col("fecha_nacimiento").dt
    birthday = birth.month().cast(pl.Int32) * 100 + birth.day()
    today = CUTOFF.dt.month().cast(pl.Int32) * 100 + CUTOFF.dt.day()
    years = CUTOFF.dt.year() - birth.year() - (today < birthday).cast(pl.Int32)
    return years.clip(lower_bound=0)
