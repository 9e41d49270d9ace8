import json

import pandas as pd
from tests.features.cases import PARAMS, loan, table_of

from clientela.features.case_table import case_features, feature_columns
from clientela.features.table_settings import TabularSchema, feature_schema, find_imputed_cells
from clientela.models.training_data import FeatureSchema

SCHEMA = TabularSchema.model_validate(feature_schema(PARAMS))


def test_training_reads_the_schema_as_any_other() -> None:
    read = FeatureSchema.model_validate(json.loads(json.dumps(feature_schema(PARAMS))))
    assert (read.key, read.target, read.classes) == ("id_credito", "pago", ("no_paga", "paga"))
    assert read.features("required") == ["edad", "salario", "cuota", "tipo"]
    assert sorted(read.features("all")) == sorted(feature_columns(PARAMS))
    assert list(read.codes(pd.DataFrame({"pago": ["paga", "no_paga"]}))) == [1, 0]


def test_every_feature_is_a_number_or_a_word() -> None:
    kinds = [*SCHEMA.numeric, *SCHEMA.categorical, *SCHEMA.ordinal]
    assert sorted(kinds) == sorted(feature_columns(PARAMS))
    assert SCHEMA.categorical == ("tipo", "ciudad", "grupo_edad")


def test_every_feature_knows_the_columns_behind_it() -> None:
    assert SCHEMA.sources["edad"] == ("edad",)
    assert SCHEMA.sources["carga"] == ("saldo", "cuota", "salario")
    assert SCHEMA.sources["edad_invalido"] == ("edad",)
    assert SCHEMA.sources["antiguedad_dias"] == ("alta", "fecha")


def test_what_is_no_feature_is_kept_with_its_reason() -> None:
    assert SCHEMA.excluded == {"puntaje": "known only after the credit ends"}
    assert (SCHEMA.sensitive, SCHEMA.time) == (("edad", "genero"), "fecha")
    assert SCHEMA.needed == ("edad", "salario", "cuota", "tipo")


def test_imputed_cells_are_what_was_absent_or_not_believed() -> None:
    rows = table_of(
        loan(),
        loan(id_credito="c2", edad=123, ciudad="Lima"),
        loan(id_credito="c3", saldo=None, fecha=None),
        loan(id_credito="c4", salario=0),  # a ratio to nothing is no column of the table
    )
    assert find_imputed_cells(case_features(rows, PARAMS), SCHEMA) == [
        [],
        ["edad", "ciudad"],
        ["saldo", "fecha", "alta"],
        [],
    ]
