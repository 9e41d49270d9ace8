import logging

from clientela.modelling import progress


def test_every_item_passes_and_the_time_left_is_logged(monkeypatch, caplog):
    seconds = iter([0.0, 2.0, 4.0, 5.0, 8.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(seconds))
    with caplog.at_level(logging.INFO, logger=progress.__name__):
        assert list(progress.reported("abcd", 4, "tuning x")) == list("abcd")
    assert caplog.messages == ["tuning x: 2 of 4, about 4 s left"]
