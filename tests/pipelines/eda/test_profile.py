import pandas as pd

from clientela.pipelines.eda.column_profile import select_category_columns


def test_a_profile_holds_every_column_of_the_table_in_its_order(profile, model_input):
    assert profile.columns["column"].tolist() == list(model_input.columns)
    assert profile.rows == len(model_input)
    assert profile.repeated is None


def test_a_column_that_does_not_vary_has_no_skewness(profile):
    columns = profile.columns.set_index("column")
    assert pd.isna(columns.loc["fijo", "skewness"])
    assert columns.loc["total_gasto", "skewness"] > 1


def test_text_with_many_values_is_no_category_since_it_may_name_people():
    columns = pd.DataFrame(
        {
            "column": ["nombre", "genero", "edad"],
            "kind": ["category", "category", "number"],
            "distinct": [5000, 2, 80],
            "place": [0, 1, 2],
        }
    )
    assert select_category_columns(columns, 200) == ["genero"]
