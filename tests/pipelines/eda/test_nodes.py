import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from clientela.pipelines.eda.association import EdaParameters
from clientela.pipelines.eda.nodes import (
    build_exploration,
    encode_target_classes,
    join_excluded_columns,
    summarize_columns,
    summarize_distributions,
    summarize_target,
    to_lazy_table,
)

PARAMETERS = EdaParameters(keys=("id_cliente",))


def executed(tables):
    return {name: table.execute() for name, table in tables.items()}


def test_a_frame_and_its_lazy_table_are_explored_alike(small_model_input):
    for first, second in zip(
        executed(summarize_columns(small_model_input, PARAMETERS)).values(),
        executed(summarize_columns(ibis.memtable(small_model_input), PARAMETERS)).values(),
        strict=True,
    ):
        pd.testing.assert_frame_equal(first, second)


def test_the_target_enters_correlations_by_the_order_of_its_classes(small_model_input):
    classes = ("sin_compra", "baja", "media", "alta")
    coded = encode_target_classes(
        to_lazy_table(small_model_input), "target_compra_tecnologia", classes
    ).execute()
    expected = small_model_input["target_compra_tecnologia"].map(classes.index).astype(float)
    assert coded["target_compra_tecnologia"].tolist() == expected.tolist()


def test_a_number_as_target_stays_as_it_is(small_model_input):
    table = to_lazy_table(small_model_input)
    assert encode_target_classes(table, "total_gasto", ()).equals(table)


def test_the_target_is_never_held_against_itself(small_model_input):
    first = executed(summarize_columns(small_model_input, PARAMETERS))
    schema = {"target": "total_gasto"}
    found = executed(summarize_target(small_model_input, first, schema, PARAMETERS))
    assert set(found["bins"]["column"]) == {"num_tx_total"}
    assert found["correlations"][["first", "second"]].to_numpy().tolist() == [
        ["total_gasto", "num_tx_total"]
    ]


def test_kappa_of_persistence_agrees_with_sklearn():
    pairs = pd.DataFrame({"before": [0, 1, 2, 0], "after": [0, 2, 2, 1], "customers": [9, 3, 5, 2]})
    day = pd.Timestamp("2024-01-01")
    question = pd.DataFrame(
        {"category": ["ROPA"], "months": [3], "start": [day], "middle": [day], "end": [day]}
    )
    frames = {"persistence": {"pairs": pairs, "question": question}}
    schema = {"target": "t", "classes": ["a", "b", "c"]}
    found = build_exploration("x", frames, schema).persistence
    before, after = (np.repeat(pairs[side], pairs["customers"]) for side in ("before", "after"))
    expected = cohen_kappa_score(before, after, weights="quadratic")
    assert found.kappa == pytest.approx(expected)


def test_columns_left_out_are_neither_counted_nor_drawn():
    table = pd.DataFrame(
        {
            "id_cliente": ["a", "b", "c"],
            "score_ropa": [0.5, 0.6, 0.7],
            "score_hogar": [0.1, 0.1, 0.2],
            "edad": [30.0, 41.0, 53.0],
        }
    )
    parameters = EdaParameters(keys=("id_cliente",), leave_out=("score_*",))

    first = executed(summarize_columns(table, parameters))
    second = executed(summarize_distributions(table, first, parameters))

    assert first["quality"]["column"].tolist() == ["id_cliente", "edad"]
    assert set(second["shapes"]["column"]) == {"edad"}


def test_codes_are_explored_as_categories():
    table = pd.DataFrame({"id_cliente": ["a", "b", "c"], "tipo": [4, 4, 9]})
    parameters = EdaParameters(keys=("id_cliente",), codes=("tipo", "absent"), min_rows=1)

    first = executed(summarize_columns(table, parameters))
    second = executed(summarize_distributions(table, first, parameters))

    assert first["quality"].set_index("column")["kind"]["tipo"] == "category"
    assert second["categories"][["value", "rows"]].to_numpy().tolist() == [["4", 2], ["9", 1]]


def test_excluded_columns_stand_beside_the_cases_that_are_learned_from():
    model_input = pd.DataFrame({"id": ["a", "b"], "monto": [1.0, 2.0], "paga": ["si", "no"]})
    table = ibis.memtable({"id": ["c", "b", "a"], "puntaje": [9, 8, 7], "otra": [0, 0, 0]})
    schema = {"key": "id", "excluded": {"puntaje": "known too late"}}

    found = join_excluded_columns(model_input, table, schema).order_by("id").execute()

    expected = model_input.assign(puntaje=[7, 8])
    pd.testing.assert_frame_equal(found, expected)
