import numpy as np
import pytest
from tests.modelling.binary_cases import loans
from tests.modelling.binary_cases import problem as binary_problem

from clientela.exceptions import TrainingDataError
from clientela.models.training_data import FeatureSchema, check_model_input, class_shares


@pytest.fixture
def check(problem):
    return lambda frame: check_model_input(frame, problem.schema, problem.settings)


def test_a_usable_model_input_passes(check, customers):
    check(customers)


def test_codes_follow_the_order_of_the_classes(problem, customers):
    names = np.array(problem.schema.classes)[problem.schema.codes(customers)]
    assert (names == customers["target_compra_tecnologia"]).all()


def test_features_come_required_first(problem):
    assert problem.schema.features("required") == ["gasto_3m", "num_tx_total", "edad"]
    assert problem.schema.features("all")[3:] == ["sin_historial", "compras_tecnologia_3m"]


def test_fields_that_training_does_not_read_are_ignored(schema):
    assert FeatureSchema.model_validate(schema | {"note": "x"}).key == "id_cliente"


def test_a_missing_feature_is_named_with_the_nearest_column(check, customers):
    with pytest.raises(TrainingDataError, match=r"lacks the column\(s\) gasto_3m.*'gasto_3_m'"):
        check(customers.rename(columns={"gasto_3m": "gasto_3_m"}))


def test_one_customer_is_too_few(check, customers):
    with pytest.raises(TrainingDataError, match=r"holds 1 row\(s\)"):
        check(customers.head(1))


def test_a_repeated_key_is_refused(check, customers):
    with pytest.raises(TrainingDataError, match=r"1 row\(s\) repeat a key"):
        check(customers.assign(id_cliente=["C1", "C1", *customers["id_cliente"][2:]]))


def test_a_feature_that_is_text_is_named(check, customers):
    with pytest.raises(TrainingDataError, match="not numeric: edad"):
        check(customers.assign(edad="joven"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_without_a_finite_value_is_named(check, customers, bad):
    with pytest.raises(TrainingDataError, match="missing or infinite values: edad"):
        check(customers.assign(edad=[bad, *customers["edad"][1:]]))


def test_a_missing_target_is_counted(check, customers):
    target = customers["target_compra_tecnologia"].astype(object)
    target[:3] = None
    with pytest.raises(TrainingDataError, match="is missing in 3 of 240 rows"):
        check(customers.assign(target_compra_tecnologia=target))


def test_an_unknown_class_is_named(check, customers):
    with pytest.raises(TrainingDataError, match="unknown classes: mucha"):
        check(customers.replace({"target_compra_tecnologia": {"alta": "mucha"}}))


def test_a_single_class_leaves_nothing_to_learn(check, customers):
    with pytest.raises(TrainingDataError, match="Every row has the class 'baja'"):
        check(customers.assign(target_compra_tecnologia="baja"))


@pytest.mark.parametrize("left", [0, 1])
def test_a_class_that_folds_cannot_share_is_named_with_all_counts(check, customers, left):
    high = customers["target_compra_tecnologia"] == "alta"
    few = customers[~high | (high.cumsum() <= left)]
    with pytest.raises(TrainingDataError, match=rf"too few in alta \(.*alta {left}\)"):
        check(few)


def test_class_shares_add_up(problem, customers):
    shares = class_shares(customers, problem.schema)
    assert list(shares) == list(problem.schema.classes)
    assert sum(entry["rows"] for entry in shares.values()) == 240
    assert sum(entry["share"] for entry in shares.values()) == pytest.approx(1)


def test_a_table_may_hold_words_and_gaps():
    asked = binary_problem()
    check_model_input(loans(), asked.schema, asked.settings)
    assert asked.schema.words == ["tipo", "tendencia"]
    assert asked.schema.time == "fecha"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("deuda", "mucha", "not numeric: deuda"),
        ("deuda", np.inf, "infinite values: deuda. Missing values are imputed"),
    ],
)
def test_numbers_of_a_table_are_finite_numbers(column, value, message):
    asked, frame = binary_problem(), loans().assign(**{column: value})
    with pytest.raises(TrainingDataError, match=message):
        check_model_input(frame, asked.schema, asked.settings)
