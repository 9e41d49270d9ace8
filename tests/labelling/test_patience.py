import threading

import pytest

from clientela.models.settings import BudgetSettings, Prices, RetrySettings
from clientela.pipelines.labelling.call_limits import (
    Budget,
    BudgetedChat,
    RateLimitedChat,
    RetryingChat,
    compute_cost,
)
from clientela.pipelines.labelling.language_model import (
    Completion,
    FatalError,
    Question,
    TransientError,
    UnanswerableError,
    Usage,
)

QUESTION = Question("s" * 100, ("u" * 100,), 50)
ANSWER = Completion("{}", "end", Usage(60, 20))
WORST = Usage(100, 50)


class Chat:
    """Fails so many times, then answers."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self, question):
        del question
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return ANSWER


def test_pauses_double_up_to_the_longest_and_differ_between_callers():
    slept = []
    chat = Chat(*[TransientError("throttled", "busy")] * 4)
    patience = RetrySettings(attempts=5, pause_seconds=1, longest_pause_seconds=3)
    assert RetryingChat(chat, patience, slept.append)(QUESTION) is ANSWER
    assert [0.5 <= pause / most <= 1 for pause, most in zip(slept, (1, 2, 3, 3), strict=True)] == [
        True
    ] * 4


def test_patience_ends_with_the_last_failure():
    chat = Chat(*[TransientError("timeout", "slow")] * 9)
    with pytest.raises(TransientError):
        RetryingChat(chat, RetrySettings(attempts=3), lambda _: None)(QUESTION)
    assert chat.calls == 3


def test_what_can_not_pass_is_not_asked_again():
    chat = Chat(UnanswerableError("rejected", "no"))
    with pytest.raises(UnanswerableError):
        RetryingChat(chat, RetrySettings(attempts=3), lambda _: None)(QUESTION)
    assert chat.calls == 1


def test_calls_are_begun_at_even_distances():
    now, begun = [0.0], []

    def sleep(seconds):
        now[0] += seconds

    paced = RateLimitedChat(lambda _: begun.append(now[0]), 120, sleep, lambda: now[0])
    for _ in range(4):
        paced(QUESTION)
    assert begun == [0.0, 0.5, 1.0, 1.5]


def budget(**limits):
    prices = Prices(input_per_million=1e6, output_per_million=2e6)
    return Budget(BudgetSettings(**limits), prices)


def test_the_worst_of_a_question_is_more_than_its_tokens_can_be():
    assert QUESTION.worst == WORST


def test_what_a_call_costs_takes_the_place_of_its_worst():
    account = budget(tokens=230)
    asked = BudgetedChat(Chat(), account)
    asked(QUESTION)
    assert account.spent == Usage(60, 20)
    asked(QUESTION)
    with pytest.raises(
        FatalError, match=r"310 tokens, and labelling.budget.tokens allows 230; 160"
    ):
        asked(QUESTION)


def test_money_counts_each_direction_at_its_price():
    assert (
        compute_cost(Usage(2_000_000, 1_000_000), Prices(input_per_million=3, output_per_million=5))
        == 11
    )
    with pytest.raises(FatalError, match=r"200.0000 USD, and labelling.budget.money allows 199"):
        BudgetedChat(Chat(), budget(money=199))(QUESTION)


@pytest.mark.parametrize(
    ("failure", "spent"),
    [
        (TransientError("throttled", "turned away"), Usage()),
        (TransientError("timeout", "maybe billed"), WORST),
        (RuntimeError("cut off"), WORST),
    ],
)
def test_a_call_without_an_answer_counts_where_it_may_be_billed(failure, spent):
    account = budget(tokens=1000)
    with pytest.raises(type(failure)):
        BudgetedChat(Chat(failure), account)(QUESTION)
    assert account.spent == spent


def test_workers_together_never_pass_the_limit():
    account = budget(tokens=2000)
    asked = BudgetedChat(Chat(), account)

    def work():
        try:
            while True:
                asked(QUESTION)
        except FatalError:
            pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2000 - WORST.tokens < account.spent.tokens <= 2000
