import io

import pandas as pd
import pytest
from rich.console import Console
from tests.modelling.binary_cases import loans, problem


def test_every_candidate_is_graded_on_the_split_of_the_seed() -> None:
    from random_splits import graded

    first, second = (
        pd.DataFrame(graded(loans(), problem(), {"seed": seed, "holdout": "random"}))
        for seed in (1, 2)
    )

    assert first["candidate"].tolist() == list(problem().settings.candidates)
    everybody = first.set_index("candidate").loc["todos_pagan"]
    assert everybody["roc_auc"] == 0.5
    assert everybody["brier_skill"] == pytest.approx(0, abs=0.01)
    assert not first.equals(second)


def test_the_table_shows_mean_deviation_and_the_ends() -> None:
    from random_splits import MEASURES, shown

    grades = pd.DataFrame(
        [{"candidate": "logistica", **dict.fromkeys(MEASURES, figure)} for figure in (0.6, 0.8)]
    )
    console = Console(width=180, record=True, file=io.StringIO())
    console.print(shown("créditos", grades))

    text = console.export_text()
    assert "0.7000 ± 0.1000" in text
    assert "0.600" in text
    assert "0.800" in text
