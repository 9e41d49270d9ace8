import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.features.preprocessing import PreprocessingSettings, make_preprocessor
from clientela.features.table_settings import TabularSchema
from clientela.registry.package import describe_matrix_columns

LEVELS = ("baja", "estable", "sube")
SCHEMA = TabularSchema(
    key="id",
    target="paga",
    required=("ingreso", "deuda", "tipo", "tendencia"),
    classes=("no", "si"),
    values=(0.0, 1.0),
    numeric=("ingreso", "deuda"),
    categorical=("tipo",),
    ordinal={"tendencia": LEVELS},
    sources={},
    inputs=(),
    needed=(),
)
LEARNED = pd.DataFrame(
    {
        "ingreso": [100.0, 250.0, np.nan, 900.0, 40.0],
        "deuda": [1.0, -2.0, 3.5, np.nan, 8.0],
        "tipo": ["A", "B", "B", None, "C"],
        "tendencia": ["sube", None, "baja", "sube", "estable"],
    }
)
SETTINGS = [
    PreprocessingSettings(scaling=scaling, logged=logged, missing_indicator=indicator)
    for scaling in ("none", "standard", "robust")
    for logged in ((), ("ingreso",))
    for indicator in (False, True)
]
numbers = st.none() | st.floats(-1e6, 1e6)
cases = st.fixed_dictionaries(
    {
        "ingreso": numbers,
        "deuda": numbers,
        "tipo": st.sampled_from([None, "A", "B", "C", "otro"]),
        "tendencia": st.sampled_from([None, *LEVELS, "otra"]),
    }
)


def cell(step, case):
    """What the documentation of the recipe says, and nothing else."""
    value = case[step["feature"]]
    if step["from"] == "missing":
        found = float(value is None)
    elif step["from"] == "word":
        found = float((step["imputed"] if value is None else value) == step["is"])
    elif step["from"] == "level":
        levels = step["levels"]
        found = float(levels.index(value)) if value in levels else step["imputed"]
    elif value is None:
        found = step["imputed"]
    else:
        found = math.log1p(max(value, 0.0)) if step["from"] == "log" else value
    return (found - step["centre"]) / step["scale"] if "scale" in step else found


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_the_recipe_as_json_makes_the_same_matrix_as_the_fitted_steps(options):
    fitted = make_preprocessor(SCHEMA, options).fit(LEARNED)
    recipe = json.loads(json.dumps(describe_matrix_columns(fitted)))
    assert [step["column"] for step in recipe] == [*fitted.get_feature_names_out()]

    @settings(max_examples=4)
    @given(st.lists(cases, min_size=1, max_size=20))
    def check(rows):
        frame = pd.DataFrame(rows).astype({"ingreso": "float64", "deuda": "float64"})
        found = [[cell(step, case) for step in recipe] for case in rows]
        assert np.array(found) == pytest.approx(fitted.transform(frame), abs=1e-9)

    check()
