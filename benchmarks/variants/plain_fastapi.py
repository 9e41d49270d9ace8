"""The handler that most projects have: FastAPI's own models, a DataFrame, a scikit-learn pipeline.

Started as `uvicorn variants.plain_fastapi:app` with `MODEL` naming the file of the pipeline.
"""

import os
from datetime import datetime

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

NUMBERS = [
    "capital_prestado",
    "plazo_meses",
    "edad_cliente",
    "salario_cliente",
    "total_otros_prestamos",
    "cuota_pactada",
    "cant_creditosvigentes",
    "huella_consulta",
    "creditos_sectorFinanciero",
    "creditos_sectorCooperativo",
    "creditos_sectorReal",
    "puntaje_datacredito",
    "saldo_mora",
    "saldo_total",
    "saldo_principal",
    "saldo_mora_codeudor",
    "promedio_ingresos_datacredito",
]
RATIOS = {
    "cuota_sobre_salario": ("cuota_pactada", "salario_cliente"),
    "capital_sobre_salario": ("capital_prestado", "salario_cliente"),
    "otros_prestamos_sobre_salario": ("total_otros_prestamos", "salario_cliente"),
    "ingresos_sobre_salario": ("promedio_ingresos_datacredito", "salario_cliente"),
    "saldo_sobre_ingresos": ("saldo_total", "promedio_ingresos_datacredito"),
}
BELIEVED = {
    "edad_cliente": (18, 100),
    "salario_cliente": (1, 1e9),
    "total_otros_prestamos": (-np.inf, 1e9),
    "puntaje_datacredito": (0, np.inf),
}
AGES = ["menos de 25", "25 a 40", "40 a 60", "60 o más"]
TRENDS = ("Decreciente", "Estable", "Creciente")

model = joblib.load(os.environ["MODEL"])
app = FastAPI()


class Applicant(BaseModel):
    """One applicant."""

    tipo_credito: int
    capital_prestado: float
    plazo_meses: int
    edad_cliente: int
    salario_cliente: float
    total_otros_prestamos: float
    cuota_pactada: float
    cant_creditosvigentes: int
    huella_consulta: int
    creditos_sectorFinanciero: int  # noqa: N815 - as the data have it
    creditos_sectorCooperativo: int  # noqa: N815
    creditos_sectorReal: int  # noqa: N815
    puntaje_datacredito: float | None = None
    saldo_mora: float | None = None
    saldo_total: float | None = None
    saldo_principal: float | None = None
    saldo_mora_codeudor: float | None = None
    promedio_ingresos_datacredito: float | None = None
    tipo_laboral: str | None = None
    tendencia_ingresos: str | None = None
    fecha_prestamo: datetime | None = None


class Batch(BaseModel):
    """Some of them."""

    data: list[Applicant]


@app.get("/ping")
def ping() -> None:
    """Ready."""


@app.post("/predict")
def predict(batch: Batch) -> dict[str, list[dict[str, object]]]:
    """A probability for each."""
    raw = pd.DataFrame([applicant.model_dump() for applicant in batch.data])
    frame = cleaned(raw)
    if not set(model.feature_names_in_) <= set(frame):
        frame = enriched(frame, raw)
    probabilities = model.predict_proba(frame[list(model.feature_names_in_)])
    return {
        "predictions": [
            {
                "clase": "paga_a_tiempo" if paid >= 0.5 else "no_paga",  # noqa: PLR2004
                "probabilidad": paid,
                "probabilidades": {"no_paga": unpaid, "paga_a_tiempo": paid},
            }
            for unpaid, paid in probabilities.tolist()
        ]
    }


def cleaned(raw: pd.DataFrame) -> pd.DataFrame:
    """What is believed, as a careful person writes it in pandas."""
    frame = raw[NUMBERS].astype(float)
    for name, (least, most) in BELIEVED.items():
        believed = frame[name].between(least, most)
        if name != "puntaje_datacredito":
            frame[f"{name}_invalido"] = (frame[name].notna() & ~believed).astype(float)
        frame[name] = frame[name].where(believed)
    known = raw["tipo_credito"].isin([4, 6, 7, 9, 10])
    frame["tipo_credito"] = raw["tipo_credito"].astype(str).where(known, "OTRO")
    employed = raw["tipo_laboral"].isin(["Empleado", "Independiente"])
    frame["tipo_laboral"] = raw["tipo_laboral"].where(employed)
    trend = raw["tendencia_ingresos"].isin(TRENDS)
    frame["tendencia_ingresos"] = raw["tendencia_ingresos"].where(trend)
    said = raw["tendencia_ingresos"].notna()
    frame["tendencia_ingresos_invalido"] = (said & ~trend).astype(float)
    return frame


def enriched(frame: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
    """What is made of it."""
    for name, (above, below) in RATIOS.items():
        frame[name] = frame[above] / frame[below].where(frame[below] != 0)
    for name in ("capital_prestado", "salario_cliente"):
        frame[f"log_{name}"] = np.log1p(frame[name].clip(lower=0))
    moment = pd.to_datetime(raw["fecha_prestamo"])
    frame["fecha_prestamo_mes"] = moment.dt.month.astype(float)
    frame["fecha_prestamo_dia_semana"] = moment.dt.dayofweek.astype(float)
    frame["fecha_prestamo_hora"] = moment.dt.hour.astype(float)
    for name in ("promedio_ingresos_datacredito", "tendencia_ingresos"):
        frame[f"{name}_ausente"] = frame[name].isna().astype(float)
    edges = [-np.inf, 25, 40, 60, np.inf]
    ages = pd.cut(frame["edad_cliente"], edges, right=False, labels=AGES)
    frame["grupo_edad"] = ages.astype("str")
    return frame
