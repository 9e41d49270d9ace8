import pytest
from pydantic import ValidationError
from tests.pipelines.monitoring.decision_cases import CALM, judged_rows

from clientela.reporting.model_health import LevelRules, normalize_importance, summarize_period

TABLE = judged_rows(
    ("promedio_ingresos_datacredito", 0.4, "ROJO", "distribution_shifted"),
    ("salario_cliente", 0.3, "ROJO", "all_missing"),
    ("plazo_meses", 0.2, "AMARILLO", "distribution_shifted"),
    ("huella_consulta", float("nan"), "INSUFICIENTE", "few_rows"),
    ("edad_cliente", 0.0, "VERDE", "stable"),
)


def test_columns_count_by_their_importance():
    importance = {
        "promedio_ingresos_datacredito": 2.0,
        "salario_cliente": 1.0,
        "plazo_meses": 3.0,
        "huella_consulta": 2.0,
        "edad_cliente": 2.0,
        "no_vigilada": 50.0,
    }
    found = summarize_period(TABLE, importance)
    assert found.red == 2
    assert found.red_share == pytest.approx(0.3)
    assert found.moved_share == pytest.approx(0.6)
    assert found.unknown_share == pytest.approx(0.2)
    # one column that is no longer measured is a broken source, whatever else moved
    assert found.cause == "source"
    assert found.weighted_psi == pytest.approx((2 * 0.4 + 0.3 + 3 * 0.2) / 8)


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        ((), None),
        (("distribution_shifted", "distribution_shifted", "one_value"), "source"),
        (("out_of_range", "out_of_range", "distribution_shifted"), "source"),
        (("out_of_range", "distribution_shifted", "distribution_shifted"), "population"),
        (("new_values", "new_values", "distribution_shifted"), "categories"),
    ],
)
def test_the_cause_is_what_most_of_the_red_columns_say(reasons, cause):
    red = [(f"columna_{place}", 0.4, "ROJO", reason) for place, reason in enumerate(reasons)]
    calm = ("edad_cliente", 0.0, "VERDE", "stable")
    assert summarize_period(judged_rows(*red, calm), {}).cause == cause


@pytest.mark.parametrize("importance", [{}, {"otra": 1.0}, {"edad_cliente": 0.0}])
def test_without_any_importance_all_columns_weigh_the_same(importance):
    assert normalize_importance(TABLE["feature"], importance).tolist() == [0.2] * 5


def test_no_columns_are_no_good_news():
    found = summarize_period(TABLE.iloc[:0], {})
    assert (found.unknown_share, found.weighted_psi) == (1.0, None)
    assert found.level(LevelRules()) == "unknown"


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "calm"),
        ({"red": 1, "red_share": 0.0}, "warning"),
        ({"red": 1, "red_share": 0.1}, "critical"),
        ({"moved_share": 0.1}, "warning"),
        ({"moved_share": 0.09}, "calm"),
        ({"estimated": "fell"}, "warning"),
        ({"realised": "fell"}, "critical"),
        ({"unknown_share": 0.6}, "unknown"),
        ({"unknown_share": 0.6, "red": 1, "red_share": 0.4}, "critical"),
        ({"unknown_share": 0.6, "moved_share": 0.4}, "warning"),
        ({"unknown_share": 0.5}, "calm"),
    ],
)
def test_a_period_has_the_first_level_that_holds(change, level):
    assert CALM.model_copy(update=change).level(LevelRules()) == level


def test_a_warning_that_asks_for_more_than_a_critical_period_is_refused():
    with pytest.raises(ValidationError, match="warning_share should not exceed critical_share"):
        LevelRules(critical_share=0.1, warning_share=0.2)
