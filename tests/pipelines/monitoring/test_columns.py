from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clientela.exceptions import IncompatibleDataError
from clientela.pipelines.monitoring.profile import (
    BATCH_ROWS,
    count_text_values,
    infer_column_kind,
    iter_record_batches,
    to_float_array,
)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (pa.int8(), "numeric"),
        (pa.uint64(), "numeric"),
        (pa.float32(), "numeric"),
        (pa.decimal128(18, 2), "numeric"),
        (pa.bool_(), "categorical"),
        (pa.large_string(), "categorical"),
        (pa.dictionary(pa.int8(), pa.string()), "categorical"),
        (pa.dictionary(pa.int8(), pa.int64()), "numeric"),
        (pa.timestamp("us"), None),
        (pa.date32(), None),
        (pa.list_(pa.int8()), None),
    ],
)
def test_numbers_and_categories_are_watched_dates_are_not(type_, kind):
    assert infer_column_kind(type_) == kind


@pytest.mark.parametrize(
    "nothing", [None, np.nan, pd.NA, pd.NaT], ids=["None", "NaN", "pandas.NA", "NaT"]
)
@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_every_kind_of_nothing_in_a_text_is_missing_and_the_word_nan_is_not(nothing, dtype):
    frame = pd.DataFrame({"tendencia": pd.Series(["nan", nothing, "MISSING"]).astype(dtype)})
    (batch,) = iter_record_batches(frame)
    assert count_text_values(batch.column("tendencia")) == {"nan": 1, None: 1, "MISSING": 1}


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, np.nan]),
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series([Decimal("1.5"), None]),
        pd.Series([1.5, pd.NA], dtype="object"),
        pd.Series([1.5, None]).astype("category"),
    ],
)
def test_every_kind_of_nothing_in_a_number_is_missing(values):
    (batch,) = iter_record_batches(pd.DataFrame({"monto": values}))
    np.testing.assert_array_equal(to_float_array(batch.column("monto")), [1.5, np.nan])


def test_integers_with_gaps_are_numbers():
    np.testing.assert_array_equal(to_float_array(pa.array([1, None, 3])), [1, np.nan, 3])


def test_a_column_without_any_value_is_all_missing_as_a_number_and_as_a_category():
    nothing = pa.nulls(2)
    np.testing.assert_array_equal(to_float_array(nothing), [np.nan, np.nan])
    assert count_text_values(nothing) == {None: 2}


@pytest.mark.parametrize(
    "type_",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_texts_of_every_arrow_type_are_counted_alike(type_):
    texts = pa.array(["", None, "ñandú", ""]).cast(type_)
    assert count_text_values(texts) == {"": 2, None: 1, "ñandú": 1}
    assert count_text_values(pa.chunked_array([texts, texts])) == {"": 4, None: 2, "ñandú": 2}


def test_booleans_are_words():
    assert count_text_values(pa.array([True, False, True, None])) == {
        "true": 2,
        "false": 1,
        None: 1,
    }


def test_a_long_frame_comes_in_batches():
    frame = pd.DataFrame({"n": np.arange(BATCH_ROWS + 1), "otra": 0})
    found = list(iter_record_batches(frame, ["n"]))
    assert [batch.num_rows for batch in found] == [BATCH_ROWS, 1]
    assert found[0].schema.names == ["n"]


def test_a_column_of_mixed_types_is_refused_by_name():
    with pytest.raises(IncompatibleDataError, match=r"values of one type.*column tendencia"):
        iter_record_batches(pd.DataFrame({"tendencia": ["Estable", 58]}))
