from typing import get_args

from clientela.reporting.model_health import (
    REASONS,
    RECOMMENDATIONS,
    STATES,
    Recommendation,
    State,
    StateReason,
)


def test_every_code_has_words_in_both_languages():
    for codes, wordings in (
        (State, STATES),
        (Recommendation, RECOMMENDATIONS),
        (StateReason, REASONS),
    ):
        assert set(wordings) == set(get_args(codes))
        assert all(word.es and word.en and word.es != word.en for word in wordings.values())
