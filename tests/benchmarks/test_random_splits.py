from unittest.mock import MagicMock

import pandas as pd
import pytest
from tests.modelling.binary_cases import SCHEMA, loans, problem

from clientela.pipelines.training.nodes import FIRST_CANDIDATES


def test_every_candidate_is_graded_on_the_split_of_the_seed() -> None:
    from random_splits import graded

    first, second = (
        pd.DataFrame(
            graded(loans(), problem(), {"seed": seed, "holdout": "random"}, intervals=False)
        )
        for seed in (1, 2)
    )

    assert first["candidate"].tolist() == list(problem().settings.candidates)
    everybody = first.set_index("candidate").loc["todos_pagan"]
    assert everybody["roc_auc"] == 0.5
    assert everybody["brier_skill"] == pytest.approx(0, abs=0.01)
    assert not first.equals(second)


def test_the_settings_of_a_first_model_need_no_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    import random_splits

    found = {
        "x.model_input": loans(),
        "x.feature_schema": SCHEMA,
        "params:x.training": {"holdout": "time"},
    }
    session = MagicMock()
    session.return_value.__enter__.return_value.load_context.return_value.catalog.load = found.get
    monkeypatch.setattr(random_splits.KedroSession, "create", session)

    _, asked = random_splits.stored("x", None, None)
    assert list(asked.settings.candidates) == list(FIRST_CANDIDATES)
