import numpy as np
import pandas as pd

from clientela.models.explanations import mean_absolute_contributions, select_reason_codes

TABLE = pd.DataFrame(
    {"gasto_3m": [0.5, -0.2], "edad": [-0.5, 0.0], "ruido": [0.1, 0.3]}, index=[11, 12]
)
FEATURES = pd.DataFrame(
    {"gasto_3m": [100.0, 20.0], "edad": [40.0, 30.0], "ruido": [1.0, 2.0]}, index=[11, 12]
)


def test_top_reasons_are_the_largest_either_way_and_ties_go_by_name():
    expected = pd.DataFrame(
        {
            "motivo_1": ["edad", "ruido"],
            "contribucion_1": [-0.5, 0.3],
            "valor_1": [40.0, 2.0],
            "motivo_2": ["gasto_3m", "gasto_3m"],
            "contribucion_2": [0.5, -0.2],
            "valor_2": [100.0, 20.0],
            "motivo_3": ["ruido", None],
            "contribucion_3": [0.1, 0.0],
            "valor_3": [1.0, np.nan],
        },
        index=[11, 12],
    )
    reasons = select_reason_codes(TABLE, FEATURES, 3)
    pd.testing.assert_frame_equal(reasons, expected, check_dtype=False)
    shuffled = TABLE[["ruido", "gasto_3m", "edad"]]
    pd.testing.assert_frame_equal(select_reason_codes(shuffled, FEATURES, 3), reasons)


def test_more_reasons_than_features_give_one_per_feature():
    assert list(select_reason_codes(TABLE, FEATURES, 9).filter(like="motivo")) == [
        "motivo_1",
        "motivo_2",
        "motivo_3",
    ]


def test_mean_absolute_contributions_come_largest_first():
    expected = pd.Series({"gasto_3m": 0.35, "edad": 0.25, "ruido": 0.2}, name=None).rename_axis(
        "feature"
    )
    pd.testing.assert_series_equal(mean_absolute_contributions(TABLE), expected)


def test_a_feature_that_moved_nothing_is_no_reason():
    still = TABLE.assign(gasto_3m=0.0, edad=0.0, ruido=0.0)
    assert select_reason_codes(still, FEATURES, 1)["motivo_1"].isna().all()
