import pandas as pd

from clientela.dashboard.pages.evolution import select_latest_period


def test_the_latest_period_of_a_segment_column_is_shown():
    table = pd.DataFrame(
        {
            "period": ["2024-08", "2024-09", "2024-09"],
            "segment_column": ["tipo", "tipo", "ciudad"],
            "segment": ["x", "y", "z"],
        }
    )
    expected = pd.DataFrame({"period": ["2024-09"], "segment_column": ["tipo"], "segment": ["y"]})
    pd.testing.assert_frame_equal(select_latest_period(table, "tipo"), expected)
