import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from clientela.exceptions import LeakageError
from clientela.features.leakage import (
    LeakageRules,
    compute_feature_concordances,
    leakage_report,
    require_no_leak,
)

RNG = np.random.default_rng(0)
CODES = (RNG.random(400) < 0.3).astype(np.int64)
NOISE = RNG.normal(size=400)


def concordances(words=(), **columns):
    return compute_feature_concordances(pd.DataFrame(columns), CODES, words, seed=1)


def test_a_number_without_gaps_has_its_auc():
    auc = roc_auc_score(CODES, CODES + NOISE)
    assert concordances(x=CODES + NOISE)["x"] == pytest.approx(max(auc, 1 - auc))


def test_the_label_in_disguise_is_found_behind_gaps():
    half = np.where(RNG.random(400) < 0.5, np.nan, CODES + 0.0)
    assert concordances(x=half)["x"] == 1.0


def test_being_absent_may_be_what_tells():
    assert concordances(x=np.where(CODES == 1, np.nan, NOISE))["x"] == 1.0


def test_a_word_that_names_the_class_is_found_and_one_that_says_nothing_is_not():
    named = pd.Series(np.array(["no", "si"])[CODES])
    random = pd.Series(RNG.choice(["a", "b", "c"], 400))
    found = concordances(words=["named", "random"], named=named, random=random)
    assert found["named"] == 1.0
    assert found["random"] < 0.65


def test_words_that_occur_once_do_not_tell_their_own_class():
    unique = pd.Series([f"w{i}" for i in range(400)])
    assert concordances(words=["x"], x=unique)["x"] < 0.65


def test_the_most_telling_comes_first():
    assert list(concordances(a=NOISE, b=CODES + NOISE).index) == ["b", "a"]


def test_what_is_not_known_when_deciding_is_refused_until_it_is_allowed():
    series = pd.Series({"saldo": 0.6})
    late = {"saldo": "se conoce al cierre"}
    report = leakage_report(series, None, 400, [], LeakageRules(), late)
    with pytest.raises(LeakageError, match=r"saldo .*not known when the decision is taken: se con"):
        require_no_leak(report)
    allowed = LeakageRules(allowed={"saldo": "el de la solicitud"})
    require_no_leak(leakage_report(series, None, 400, [], allowed, late))
