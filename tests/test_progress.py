import io
import itertools
import logging
import sys

import pytest

from clientela.progress import iter_with_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_unchanged_and_in_order():
    assert list(iter_with_progress(iter([3, 1, 2]), 3, "lotes")) == [3, 1, 2]


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves one second each time somebody looks."""
    ticks = itertools.count()
    monkeypatch.setattr("clientela.progress.monotonic", lambda: float(next(ticks)))


def test_without_a_terminal_a_line_every_three_seconds_says_what_is_left(
    monkeypatch, caplog, clock
):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, logger="clientela.progress"):
        list(iter_with_progress(range(9), 9, "lotes"))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["lotes: 3 of 9, about 6 s left", "lotes: 6 of 9, about 3 s left"]


def test_short_work_logs_nothing(monkeypatch, caplog, clock):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, logger="clientela.progress"):
        list(iter_with_progress([1], 1, "lotes"))
    assert caplog.records == []


def test_a_terminal_shows_a_bar_and_no_lines(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(logging.INFO, logger="clientela.progress"):
        list(iter_with_progress(range(40), 40, "lotes"))
    assert "lotes: 100%" in terminal.getvalue()
    assert caplog.records == []
