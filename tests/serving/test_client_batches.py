import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.exceptions import ServingError
from clientela.serving.client import RejectionError, predict_in_batches


class Fussy:
    """Answers a case with itself; refuses as it is told to."""

    def __init__(self, bad=(), largest=1000, names=True, breaks_at=None):
        self.bad, self.largest, self.names, self.breaks_at = bad, largest, names, breaks_at
        self.calls = 0

    def fetch_description(self):
        raise NotImplementedError

    def predictions(self, cases):
        self.calls += 1
        if self.breaks_at is not None and any(case["n"] >= self.breaks_at for case in cases):
            raise ServingError("no answer")
        if len(cases) > self.largest:
            raise RejectionError(413, "too many")
        problems = {row: "bad" for row, case in enumerate(cases) if case["n"] in self.bad}
        if problems:
            # a server lists the first ones only
            shown = dict(list(problems.items())[:3]) if self.names else {}
            raise RejectionError(422, "something is wrong", shown)
        return [{"clase": case["n"]} for case in cases]


def asked(model, count, size=50):
    return [
        outcome.prediction["clase"] if outcome.prediction else outcome.problem
        for outcome in predict_in_batches(model, [{"n": n} for n in range(count)], size)
    ]


@settings(max_examples=40)
@given(st.integers(0, 120), st.sets(st.integers(0, 119)), st.integers(1, 60), st.booleans())
def test_each_case_has_its_own_outcome_in_order_whatever_is_refused(count, bad, largest, names):
    said = asked(Fussy(bad, largest, names), count)
    words = "bad" if names else "something is wrong"
    assert said == [words if n in bad else n for n in range(count)]


def test_good_cases_are_asked_about_in_batches():
    model = Fussy()
    assert asked(model, 120) == list(range(120))
    assert model.calls == 3


def test_where_there_is_no_answer_every_case_that_follows_says_so():
    model = Fussy(breaks_at=60)
    assert asked(model, 200) == [*range(50), *["no answer"] * 150]
    assert model.calls == 2


def test_nothing_is_asked_about_nothing():
    assert list(predict_in_batches(Fussy(), [], 5)) == []


def test_a_refusal_of_one_case_keeps_its_words():
    with pytest.raises(RejectionError, match="too many"):
        Fussy(largest=0).predictions([{"n": 1}])
    assert asked(Fussy(largest=0), 1) == ["too many"]
