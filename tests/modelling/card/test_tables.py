import pandas as pd

from clientela.pipelines.training.card_tables import backtest_shares_table, tuning_table
from clientela.pipelines.training.card_tables import holdout_metrics_table as holdout_table

ENTRY = {"value": 0.4712, "lower": 0.4, "upper": 0.54}


def test_each_measure_is_a_row_and_champion_baseline_and_rules_are_columns():
    models = ("champion", "required", "mayoria", "bosque")
    grades = {"models": {name: {"qwk": ENTRY} for name in models}}
    expected = pd.DataFrame(
        {
            "Medida": ["QWK"],
            "campeón": ["0,471 [0,400; 0,540]"],
            "modelo requerido": ["0,471 [0,400; 0,540]"],
            "regla mayoria": ["0,471 [0,400; 0,540]"],
        }
    )
    pd.testing.assert_frame_equal(holdout_table(grades, ["mayoria"]), expected)


def test_predicted_and_realized_shares_stand_side_by_side():
    day = {
        "day": "2024-04-01",
        "realized": {"baja": 0.4},
        "models": {"champion": {"expected": {"baja": 0.5}, "decided": {"baja": 0.45}}},
    }
    assert backtest_shares_table([day]).to_dict("records") == [
        {
            "Fecha": "2024-04-01", "Clase": "baja", "Prevista (probabilidad media)": "50,0 %",
            "Clientes asignados": "45,0 %", "Real": "40,0 %",
        }
    ]  # fmt: skip


def test_tuning_lists_only_what_was_tuned():
    tuned = {
        "mayoria": {"params": {}},
        "lineal": {"params": {"l2": 152.26938}, "configured": 0.4, "best": 0.5, "trials": 10},
    }
    assert tuning_table(tuned, "qwk").to_dict("records") == [
        {
            "Candidato": "lineal", "QWK inicial": "0,400", "QWK ajustado": "0,500",
            "Ensayos": "10", "Parámetros": "l2=152.3",
        }
    ]  # fmt: skip
    nothing = tuning_table({"mayoria": {"params": {}}}, "qwk")
    assert nothing["Candidato"].tolist() == ["ninguno se ajustó"]
