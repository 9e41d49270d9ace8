import numpy as np
import pandas as pd
import pytest
import yaml

from clientela.pipelines.eda.association import EdaParameters, Exploration
from clientela.pipelines.eda.column_profile import build_profile
from clientela.pipelines.eda.findings import collect_recommendations
from clientela.pipelines.eda.nodes import summarize_columns, summarize_distributions

RNG = np.random.default_rng(11)
ROWS = 2000
PARAMETERS = EdaParameters(keys=("id",))


def profile(name, frame):
    table = frame.assign(id=[f"C{i}" for i in range(len(frame))])
    compute = lambda tables: {part: lazy.to_pandas() for part, lazy in tables.items()}  # noqa: E731
    first = compute(summarize_columns(table, PARAMETERS))
    return build_profile(name, first, compute(summarize_distributions(table, first, PARAMETERS)))


def codes(frame, later=None):
    profiles = [profile("casos", frame)]
    if later is not None:
        profiles.append(profile("model_input", later))
    found = collect_recommendations(Exploration("caso", tuple(profiles)), PARAMETERS)
    return [item for _, item in found if item.kind == "special_code"]


def with_code(values, code, share):
    return np.where(np.arange(len(values)) < share * len(values), code, values)


INCOMES = np.round(np.exp(RNG.normal(8, 0.6, ROWS)), 2)
AGES = RNG.integers(18, 90, ROWS).astype(float)
YEARS = RNG.integers(1990, 2025, ROWS).astype(float)
COUNTS = RNG.poisson(0.4, ROWS).astype(float)


CODES = {
    "ingreso": (INCOMES, -9999.0, {"minimum": 0}),
    "edad": (AGES, 999.0, {"maximum": 540}),
    "anio": (YEARS, 9.0, {"minimum": 1000}),
    "atrasos": (COUNTS, -1.0, {"minimum": 0}),
    "antiguedad": (AGES, 99999.0, {"maximum": 50000}),
}


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_code_is_named_with_the_line_that_declares_it_missing(share):
    frame = pd.DataFrame(
        {n: with_code(values, code, share) for n, (values, code, _) in CODES.items()}
    )
    lines = [yaml.safe_load(item.text.split("parameters.yml: ")[1]) for item in codes(frame, frame)]
    assert [line["caso"]["features"]["cleaning"]["numbers"] for line in lines] == [
        {name: rule} for name, (_, _, rule) in CODES.items()
    ]
    raw = codes(frame)
    assert ["missing_words: ['-9999']" in raw[0].text, len(raw)] == [True, len(CODES)]
    declared = pd.DataFrame(
        {n: frame[n].where(frame[n] != code) for n, (_, code, _) in CODES.items()}
    )
    assert codes(frame, declared) == []


ROUND = np.round(INCOMES, -3)
ORDINARY = {
    "ceros": RNG.poisson(0.3, ROWS),
    "cero_inflado": with_code(RNG.integers(100, 60_000, ROWS), 0, 0.4),
    "ingresos_redondos": ROUND,
    "tope": with_code(INCOMES.clip(max=20_000), 20_000, 0.03),
    "nueve_visitas": RNG.integers(0, 10, ROWS),
    "plazo": RNG.choice([6, 12, 18, 24, 36, 48, 60, 72, 84, 120, 360], ROWS),
    "niveles": RNG.choice([1, 2, 99], ROWS),
    "deuda": with_code(np.exp(RNG.normal(9, 1, ROWS)), 0, 0.6),
    "saldo": RNG.normal(0, 50, ROWS),
    "raro": with_code(INCOMES, -9999.0, 0.004),
}


def test_ordinary_numbers_are_no_codes():
    frame = pd.DataFrame(ORDINARY, dtype=float)
    assert codes(frame, frame) == []
