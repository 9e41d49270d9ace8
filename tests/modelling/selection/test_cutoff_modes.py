import pytest

from clientela.exceptions import TrainingDataError
from clientela.models.problem import CandidateConfig
from clientela.pipelines.training.test_evaluation import evaluate_cutoff_modes

VARIANTS = [
    CandidateConfig("mayoria", "all", {}, ()),
    CandidateConfig("ultimo_trimestre", "all", {}, ()),
    CandidateConfig("requerido", "required", {"n_estimators": 3}, ("nearest",)),
]


def test_both_modes_are_described_and_test_customers_left_out(problem, train):
    learned, tested = train.iloc[:200], train.iloc[200:]
    found = evaluate_cutoff_modes(learned, tested["id_cliente"], train, VARIANTS, problem)
    # the other mode's input is the same table here, so without the test rows nothing differs
    assert found["configured"] == found["other"]
    assert found["configured"]["rows"] == 200
    assert list(found["other"]["models"]) == ["mayoria", "ultimo_trimestre", "requerido"]
    assert found["other"]["models"]["mayoria"]["qwk"] == {"mean": 0.0, "sd": 0.0}


def test_an_unusable_other_input_is_refused(problem, train):
    broken = train.assign(target_compra_tecnologia="baja")
    with pytest.raises(TrainingDataError, match="Every row has the class"):
        evaluate_cutoff_modes(train, train["id_cliente"].head(0), broken, VARIANTS, problem)
