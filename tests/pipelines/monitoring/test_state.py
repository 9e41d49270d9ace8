from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.pipelines.monitoring.decision_cases import CALM, CRITICAL, UNKNOWN, WARNING

from clientela.reporting.model_health import (
    ModelState,
    PastPeriod,
    StateRules,
    evaluate_model_state,
)

RULES = StateRules(last=3, at_least=2, calm=2, cool_down=3)
PERIODS = {"c": CRITICAL, "w": WARNING, ".": CALM, "?": UNKNOWN}
BROKEN = CRITICAL.model_copy(update={"cause": "source"})
NEW = WARNING.model_copy(update={"red": 1, "cause": "categories"})
HELD = CRITICAL.model_copy(update={"realised": "held"})
FELL = CALM.model_copy(update={"realised": "fell"})


def past(state: ModelState, baseline: str) -> PastPeriod:
    return PastPeriod(baseline=baseline, **state.model_dump(exclude={"reasons"}))


def run(periods, rules=RULES, baseline="b1", history=()):
    """States of one period after another, each seeing those before it."""
    history, states = list(history), []
    for period in periods:
        states.append(evaluate_model_state(PERIODS.get(period, period), baseline, history, rules))
        history.append(past(states[-1], baseline))
    return states


def letters(states):
    return "".join(state.state[0] for state in states)


@pytest.mark.parametrize(
    ("periods", "state", "recommendation", "reason"),
    [
        (".", "stable", "nothing", "calm"),
        ("?", "stable", "watch", "insufficient_data"),
        ("w", "watch", "watch", "columns_moved"),
        ("c", "watch", "watch", "population_changed"),
        ("w.", "watch", "watch", "settling"),
        ("w..", "stable", "nothing", "calm"),
        ("cc", "alarm", "retrain", "persistent"),
        ("c.c", "alarm", "retrain", "persistent"),
        ("c..c", "watch", "watch", "population_changed"),
        ("c?c", "alarm", "retrain", "persistent"),
        ("c??c", "alarm", "retrain", "persistent"),
        ("ccc", "alarm", "investigate", "cool_down"),
        ("ccw", "alarm", "investigate", "alarm_continues"),
        ("cc.", "alarm", "watch", "settling"),
        ("cc..", "stable", "nothing", "calm"),
        ("cc.w", "watch", "watch", "columns_moved"),
        ("cc?", "alarm", "watch", "insufficient_data"),
        ("cccccc", "alarm", "retrain", "persistent"),
        (["c", BROKEN], "alarm", "investigate", "repair_data_first"),
        ([BROKEN], "watch", "investigate", "repair_data_first"),
        ([NEW], "watch", "investigate", "new_categories"),
        (["c", HELD], "alarm", "watch", "performance_holds"),
        ([FELL], "watch", "retrain", "realised_performance_fell"),
        ([FELL, FELL], "alarm", "investigate", "cool_down"),
    ],
)
def test_the_last_of_some_periods_is_decided_as_the_table_says(
    periods, state, recommendation, reason
):
    last = run(periods)[-1]
    assert (last.state, last.recommendation, last.reasons[-1]) == (state, recommendation, reason)


def test_what_was_seen_is_told_before_what_follows():
    seen = CRITICAL.model_copy(update={"realised": "fell", "estimated": "fell"})
    assert run([seen])[0].reasons == (
        "realised_performance_fell",
        "estimated_performance_fell",
        "important_columns_moved",
    )


def test_an_estimated_loss_alone_is_watched():
    state = run([CALM.model_copy(update={"estimated": "fell"})])[0]
    assert (state.recommendation, state.reasons) == ("watch", ("estimated_performance_fell",))


def test_a_new_baseline_begins_anew():
    history = [past(state, "b1") for state in run("cc")]
    assert run("c", baseline="b2", history=history)[0].state == "watch"


def test_the_cool_down_outlives_the_baseline():
    history = [past(state, "b1") for state in run("cc")]
    states = run("cccc", baseline="b2", history=history)
    assert [state.recommendation for state in states] == [
        "watch",
        "investigate",
        "investigate",
        "retrain",
    ]


def test_without_cool_down_every_persistent_period_recommends_retraining():
    rules = RULES.model_copy(update={"cool_down": 0})
    assert [state.recommendation for state in run("ccc", rules)][1:] == ["retrain"] * 2


@pytest.mark.parametrize(("at_least", "last"), [(1, 3), (4, 3)])
def test_rules_that_retrain_on_one_period_or_never_are_refused(at_least, last):
    with pytest.raises(ValidationError, match="at_least should lie between 2 and last"):
        StateRules(at_least=at_least, last=last)


sequences = st.text("cw.?", min_size=1, max_size=24)


@st.composite
def rule_sets(draw):
    last = draw(st.integers(2, 6))
    return StateRules(
        last=last,
        at_least=draw(st.integers(2, last)),
        calm=draw(st.integers(1, 4)),
        cool_down=draw(st.integers(0, 5)),
    )


@given(sequences, rule_sets())
def test_retraining_takes_k_critical_periods_of_the_last_n_and_a_rest(periods, rules):
    states = run(periods, rules)
    for place, state in enumerate(states):
        if state.recommendation != "retrain":
            continue
        known = periods[: place + 1].replace("?", "")
        assert known[-1] == "c"
        assert known[-rules.last :].count("c") >= rules.at_least
        before = states[max(place - rules.cool_down, 0) : place]
        assert "retrain" not in {each.recommendation for each in before}


@given(sequences, rule_sets())
def test_an_alarm_is_left_only_after_calm_periods_so_it_does_not_flap(periods, rules):
    trace = letters(run(periods, rules))
    for place in range(1, len(trace)):
        if trace[place - 1] == "a" and trace[place] != "a":
            known = periods[: place + 1].replace("?", "")
            assert "c" not in known[-rules.calm :]
    falls = sum(a == "a" != b for a, b in pairwise(trace))
    assert falls * (rules.at_least + rules.calm) <= len(periods)


@given(st.lists(st.sampled_from("c."), max_size=20))
def test_a_signal_that_alternates_stays_in_one_state(repeats):
    trace = letters(run("c." * 2 + "c." * len(repeats)))
    assert set(trace[2:]) == {"a"}


@given(sequences, rule_sets())
def test_unknown_periods_change_no_state_and_never_count_as_good_news(periods, rules):
    states = run(periods, rules)
    for place, period in enumerate(periods):
        if period == "?":
            assert states[place].state == (states[place - 1].state if place else "stable")
            assert states[place].recommendation == "watch"
