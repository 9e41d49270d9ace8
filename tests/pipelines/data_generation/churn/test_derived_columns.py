import pandas as pd
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.churn import (
    AGE_GROUPS,
    CATEGORIES,
    ChurnSimulation,
    add_visitor_columns,
    build_visitors_table,
    encode_one_hot,
    simulate_visitors,
)


@pytest.fixture(scope="module")
def raw():
    simulation = ChurnSimulation(rows=1_500)
    return build_visitors_table(simulation, next(simulation.blocks()))


def age_group(age):
    if age != age:  # noqa: PLR0124 - missing
        return None
    for group in AGE_GROUPS[:-1]:
        youngest, oldest = map(int, group.split("-"))
        if youngest <= age <= oldest:
            return group
    return AGE_GROUPS[-1]


def test_derived_columns_follow_from_their_row(raw):
    frame = add_visitor_columns(raw).to_pandas()
    for row in frame.head(300).itertuples():
        assert row.total_minutes == pytest.approx(row.visits * row.avg_session, abs=0.051)
        assert row.megabytes_per_visit == pytest.approx(row.megabytes / row.visits, abs=0.0051)
        assert row.complaints_per_visit == pytest.approx(row.complaints / row.visits, abs=6e-5)
        assert row.engagement == pytest.approx(row.visits * row.avg_session / 3_600, abs=6e-5)
    assert [age_group(age) for age in frame["age"]] == frame["age_group"].astype(object).where(
        frame["age_group"].notna(), None
    ).tolist()


def test_raw_columns_stay_and_the_target_comes_last(raw):
    derived = add_visitor_columns(raw)
    assert derived.select(raw.column_names).equals(raw)
    assert derived.column_names[-1] == "churn"


def test_one_hot_columns_say_the_same_as_the_categories(raw):
    wide = add_visitor_columns(raw)
    hot = encode_one_hot(wide)
    for column, categories in CATEGORIES.items():
        names = [f"{column}_{category}" for category in categories]
        expected = pd.get_dummies(wide[column].to_pandas(), dtype="int64").reindex(
            columns=list(categories), fill_value=0
        )
        assert (hot.select(names).to_pandas().to_numpy() == expected.to_numpy()).all()
        assert column not in hot.column_names
    assert hot["churn"].equals(raw["churn"])


@pytest.mark.parametrize("derived", [True, False])
@pytest.mark.parametrize("hot", [True, False])
def test_column_names_are_known_before_a_row_is_drawn(derived, hot):
    source = simulate_visitors(ChurnSimulation(rows=300, derived_columns=derived, one_hot=hot))
    (table,) = source.tables()
    assert source.columns == tuple(table.column_names)
    assert all(column.type != pa.bool_() for column in table.columns)
