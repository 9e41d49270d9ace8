"""The same features in pandas as a careful person writes them: columns, no loop over customers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ["id_cliente", "fecha", "rubro", "valor_transaccion", "puntos"]


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    rows, ids = _rows(transactions)
    last = rows.groupby("customer")["fecha"].max()
    cutoff = last - pd.DateOffset(months=3)
    everything = rows.groupby("customer")["points"].sum()
    rows["cutoff"] = cutoff.to_numpy()[rows["customer"]]
    past = rows[rows["fecha"] < rows["cutoff"]]
    sums = _sums(past, cutoff).reindex(range(len(ids)))
    people = pd.read_parquet(customers).set_index("id_cliente").reindex(ids)
    features = _features(sums, cutoff, everything, people.reset_index(drop=True))
    features = features.astype("float64").fillna(0.0)
    features.insert(0, "id_cliente", ids)
    features.to_parquet(output, index=False, compression="zstd")


def _rows(transactions: Path) -> tuple[pd.DataFrame, pd.Index]:
    """The transactions with customers as ordered numbers and amounts as whole cents."""
    table = pq.read_table(transactions, columns=COLUMNS, read_dictionary=["id_cliente", "rubro"])
    amounts = table["valor_transaccion"].cast(pa.float64()).to_numpy()
    names = table["id_cliente"].unify_dictionaries().combine_chunks()
    names = names.chunk(0) if isinstance(names, pa.ChunkedArray) else names
    texts = pd.Index(names.dictionary.to_pandas())
    order = texts.argsort()
    place = np.empty(len(order), dtype="int64")
    place[order] = np.arange(len(order))
    rows = pd.DataFrame(
        {
            "customer": place[names.indices.to_numpy()],
            "fecha": table["fecha"].to_pandas(),
            "cents": np.round(amounts * 100).astype("int64"),
            "points": table["puntos"].fill_null(0).to_numpy(),
            "tech": pa.compute.equal(table["rubro"].cast(pa.string()), "tecnologia").to_pandas(),
        }
    )
    return rows, texts[order]


def _sums(past: pd.DataFrame, cutoff: pd.Series) -> pd.DataFrame:
    """One row per customer with a past: every sum that the features are made of."""
    of_all = past.groupby("customer").agg(
        n=("cents", "size"),
        spent=("cents", "sum"),
        latest=("fecha", "max"),
        points=("points", "sum"),
    )
    parts = [of_all]
    for months in (12, 6, 3):
        start = (cutoff - pd.DateOffset(months=months)).to_numpy()
        past = past[past["fecha"].to_numpy() >= start[past["customer"]]]
        tech = past[past["tech"]]
        measures = {
            f"n{months}": past.groupby("customer").size(),
            f"spent{months}": past.groupby("customer")["cents"].sum(),
            f"tech{months}": tech.groupby("customer")["cents"].sum(),
            f"bought{months}": tech[tech["cents"] > 0].groupby("customer").size(),
            f"won{months}": past[past["points"] > 0].groupby("customer")["points"].sum(),
            f"used{months}": -past[past["points"] < 0].groupby("customer")["points"].sum(),
        }
        parts.append(pd.DataFrame(measures))
    return pd.concat(parts, axis=1)


def _features(
    sums: pd.DataFrame, cutoff: pd.Series, points_ever: pd.Series, people: pd.DataFrame
) -> pd.DataFrame:
    spent = sums["spent"].fillna(0) / 100
    tech, year = sums["tech12"].fillna(0) / 100, sums["spent12"].fillna(0) / 100
    windows = {
        name: column
        for months in (3, 6)
        for name, column in {
            f"num_tx_{months}m": sums[f"n{months}"],
            f"gasto_{months}m": sums[f"spent{months}"] / 100,
            f"puntos_ganados_{months}m": sums[f"won{months}"],
            f"puntos_redimidos_{months}m": sums[f"used{months}"],
        }.items()
    }
    moved_since = points_ever - sums["points"].fillna(0)
    part = tech.clip(lower=0)
    whole = np.maximum(year, part)
    return pd.DataFrame(
        {
            "num_tx_total": sums["n"],
            "total_gasto": spent,
            "recencia_dias": (cutoff.dt.normalize() - sums["latest"].dt.normalize()).dt.days,
            "log_num_tx_total": np.log1p(sums["n"]),
            "log_total_gasto": np.log1p(spent.clip(lower=0)),
            **windows,
            "gasto_tecnologia_12m": tech,
            "pct_tecnologia_12m": part / whole.where(whole != 0),
            "compra_tecnologia": sums["bought12"] > 0,
            "avg_gasto_tecnologia_3m": sums["tech3"] / 100 / 3,
            "avg_gasto_tecnologia_6m": sums["tech6"] / 100 / 6,
            "edad": _age(pd.to_datetime(people["fecha_nacimiento"]), cutoff),
            "estrato_social": people["estrato_social"],
            "saldo_puntos": people["saldo_puntos"] - moved_since,
        }
    )


def _age(birth: pd.Series, moment: pd.Series) -> pd.Series:
    ahead = moment.dt.month * 100 + moment.dt.day < birth.dt.month * 100 + birth.dt.day
    return (moment.dt.year - birth.dt.year - ahead).clip(lower=0)
