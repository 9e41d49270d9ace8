import io
import logging
import sys

from clientela.datasets.progress import with_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_unchanged_and_in_order():
    assert list(with_progress(iter([3, 1, 2]), 3, "lotes")) == [3, 1, 2]


def test_without_a_terminal_each_tenth_is_logged(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, logger="clientela.datasets.progress"):
        list(with_progress(range(40), 40, "lotes"))
    done = [record.getMessage().split(",")[0] for record in caplog.records]
    assert done == [f"lotes: {4 * i} of 40" for i in range(1, 11)]


def test_a_single_batch_is_not_worth_a_line(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, logger="clientela.datasets.progress"):
        list(with_progress([1], 1, "lotes"))
    assert caplog.records == []


def test_a_terminal_shows_a_bar_and_no_lines(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(logging.INFO, logger="clientela.datasets.progress"):
        list(with_progress(range(40), 40, "lotes"))
    assert "lotes: 100%" in terminal.getvalue()
    assert caplog.records == []
