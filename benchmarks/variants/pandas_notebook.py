"""The same features in pandas as notebooks compute them: a merge and a lambda per feature."""

from pathlib import Path

import numpy as np
import pandas as pd


def save(transactions: Path, customers: Path, output: Path) -> None:
    """Writes one row per customer with the required features.

    Args:
        transactions: One row per transaction.
        customers: One row per customer.
        output: Where to write.
    """
    df = pd.read_parquet(transactions)
    df["valor_transaccion"] = df["valor_transaccion"].astype(float)
    df["puntos"] = df["puntos"].fillna(0)
    last = df.groupby("id_cliente")["fecha"].max().rename("last").reset_index()
    last["cutoff"] = last["last"] - pd.DateOffset(months=3)
    df = df.merge(last, on="id_cliente")
    past, later = df[df["fecha"] < df["cutoff"]], df[df["fecha"] >= df["cutoff"]]
    features = last.merge(pd.read_parquet(customers), on="id_cliente", how="left")

    def add(name, rows, column, function):  # noqa: ANN001, ANN202 - a notebook has no types
        nonlocal features
        values = rows.groupby("id_cliente")[column].apply(function).rename(name).reset_index()
        features = features.merge(values, on="id_cliente", how="left")

    add("num_tx_total", past, "fecha", lambda dates: len(dates))  # noqa: PLW0108
    add("total_gasto", past, "valor_transaccion", lambda amounts: amounts.sum().round(2))
    add("latest", past, "fecha", lambda dates: dates.max())
    add("moved_since", later, "puntos", lambda points: points.sum())
    for months in (3, 6, 12):
        rows = past[past["fecha"] >= past["cutoff"] - pd.DateOffset(months=months)]
        tech = rows[rows["rubro"] == "tecnologia"]
        amount = "valor_transaccion"
        add(f"gasto_{months}m", rows, amount, lambda amounts: amounts.sum().round(2))
        add(f"tech_{months}m", tech, amount, lambda amounts: amounts.sum().round(2))
        if months == 12:  # noqa: PLR2004
            add("compra_tecnologia", tech, amount, lambda amounts: (amounts > 0).any())
            continue
        add(f"num_tx_{months}m", rows, "fecha", lambda dates: len(dates))  # noqa: PLW0108
        add(f"puntos_ganados_{months}m", rows, "puntos", lambda p: p[p > 0].sum())
        add(f"puntos_redimidos_{months}m", rows, "puntos", lambda p: -p[p < 0].sum())
    _finished(features).to_parquet(output, index=False)


def _finished(df: pd.DataFrame) -> pd.DataFrame:
    df["recencia_dias"] = (df["cutoff"].dt.normalize() - df["latest"].dt.normalize()).dt.days
    df["log_num_tx_total"] = df["num_tx_total"].apply(lambda n: np.log1p(n))  # noqa: PLW0108
    df["log_total_gasto"] = df["total_gasto"].apply(lambda amount: np.log1p(max(amount, 0)))
    df["gasto_tecnologia_12m"] = df["tech_12m"]
    df["pct_tecnologia_12m"] = df.apply(
        lambda row: (
            row["tech_12m"] / max(row["gasto_12m"], row["tech_12m"]) if row["tech_12m"] > 0 else 0
        ),
        axis=1,
    )
    df["avg_gasto_tecnologia_3m"] = df["tech_3m"] / 3
    df["avg_gasto_tecnologia_6m"] = df["tech_6m"] / 6
    df["edad"] = df.apply(lambda row: _age(row["fecha_nacimiento"], row["cutoff"]), axis=1)
    df["saldo_puntos"] = df["saldo_puntos"] - df["moved_since"]
    unused = ["last", "cutoff", "latest", "moved_since", "tech_3m", "tech_6m", "tech_12m"]
    unused += ["gasto_12m", "fecha_nacimiento", "genero"]
    df = df.drop(columns=unused).set_index("id_cliente").astype(float).fillna(0)
    return df.reset_index().sort_values("id_cliente")


def _age(birth, moment):  # noqa: ANN001, ANN202 - a notebook has no types
    if pd.isna(birth):
        return 0
    birthday_ahead = (moment.month, moment.day) < (birth.month, birth.day)
    return max(0, moment.year - birth.year - birthday_ahead)
