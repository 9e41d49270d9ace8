import pytest

from clientela.exceptions import TrainingDataError
from clientela.pipelines.training.test_evaluation import compare_cutoff_modes

CHOICE = {
    "champion": {"candidate": "requerido", "features": "required", "decision": "nearest"},
    "params": {"n_estimators": 3},
}
TUNED = {name: {"params": {}} for name in ("mayoria", "ultimo_trimestre", "requerido", "lineal")}


def test_both_modes_are_described_and_test_customers_left_out(problem, train):
    learned, tested = train.iloc[:200], train.iloc[200:]
    modes = compare_cutoff_modes(learned, tested, train, CHOICE, TUNED, problem)
    # the other mode's input is the same table here, so without the test rows nothing differs
    assert modes["configured"] == modes["other"]
    assert modes["configured"]["rows"] == 200
    assert list(modes["other"]["models"]) == ["mayoria", "ultimo_trimestre", "requerido"]
    assert modes["other"]["models"]["mayoria"]["qwk"] == {"mean": 0.0, "sd": 0.0}


def test_an_unusable_other_input_is_refused(problem, train):
    broken = train.assign(target_compra_tecnologia="baja")
    with pytest.raises(TrainingDataError, match="Every row has the class"):
        compare_cutoff_modes(train, train.head(0), broken, CHOICE, TUNED, problem)
