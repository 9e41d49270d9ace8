import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from clientela.datasets import model_packages


def written(value):
    file = io.BytesIO()
    model_packages.dump(value, file)
    return file.getvalue()


@pytest.fixture
def forest():
    rows = np.random.default_rng(3).normal(size=(40, 3))
    return RandomForestClassifier(3, random_state=1).fit(rows, rows[:, 0] > 0)


def test_equal_strings_are_written_alike_whether_they_are_one_object_or_two():
    one, other = str(b"edad", "ascii"), str(b"edad", "ascii")
    assert one is not other
    assert pickle.dumps([one, one]) != pickle.dumps([one, other])
    assert written([one, one]) == written([one, other])


def test_equal_dtypes_are_written_alike_whether_they_are_one_object_or_two():
    shared = np.dtype(np.float64)
    other = np.dtype(np.float64, copy=True)
    assert shared is not other
    assert written([shared, shared]) == written([shared, other])


def test_a_model_and_the_model_read_back_are_written_alike(forest):
    again = joblib.load(io.BytesIO(written(forest)))
    assert written(again) == written(forest)
    assert written(copy.deepcopy(forest)) == written(forest)


def test_what_was_written_is_read_by_joblib_and_predicts_the_same(forest):
    again = joblib.load(io.BytesIO(written(forest)))
    rows = np.random.default_rng(4).normal(size=(20, 3))
    np.testing.assert_array_equal(again.predict_proba(rows), forest.predict_proba(rows))
