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


@pytest.mark.parametrize(
    ("values", "code", "rule"),
    [
        (INCOMES, -9999.0, {"minimum": 0}),
        (AGES, 999.0, {"maximum": 540}),
        (YEARS, 9.0, {"minimum": 1000}),
        (COUNTS, -1.0, {"minimum": 0}),
        (AGES, 99999.0, {"maximum": 50000}),
    ],
)
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_code_is_named_with_the_line_that_declares_it_missing(values, code, rule, share):
    frame = pd.DataFrame({"valor": with_code(values, code, share)})
    (item,) = codes(frame, frame)
    line = yaml.safe_load(item.text.split("parameters.yml: ")[1])
    assert line == {"caso": {"features": {"cleaning": {"numbers": {"valor": rule}}}}}
    (raw,) = codes(frame)
    assert f"missing_words: ['{code:g}']" in raw.text
    declared = pd.DataFrame({"valor": frame["valor"].where(frame["valor"] != code)})
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


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_numbers_are_no_codes(name):
    frame = pd.DataFrame({name: np.asarray(ORDINARY[name], dtype=float)})
    assert codes(frame, frame) == []
