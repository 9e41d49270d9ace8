import numpy as np
import pytest
from tests.inference.loans import EVERY_CANDIDATE

from clientela.inference.columns import columns_of


def imputed_names(answers, fields):
    return [
        ", ".join(f.name for f, flag in zip(fields, row, strict=True) if flag)
        for row in answers.imputed
    ]


@pytest.mark.parametrize(("name", "candidate"), EVERY_CANDIDATE)
def test_every_row_of_the_sample_is_answered_as_batch_scoring_does(
    use_case, learned, scorer, name, candidate
):
    asked = use_case(name)
    expected = asked.scores(learned(name, candidate), asked.requests)
    found = scorer(name, candidate)
    answers = found.answers(columns_of(asked.requests, asked.fields))
    classes = np.array(found.manifest.classes)[answers.codes]
    assert classes.tolist() == expected["clase"].tolist()
    assert answers.expected == pytest.approx(expected["probabilidad"].to_numpy(), abs=1e-9)
    assert answers.probabilities.shape == (len(asked.requests), 2)
    assert answers.probabilities[:, 1] == pytest.approx(answers.expected)
    assert imputed_names(answers, asked.fields) == expected["imputadas"].tolist()
