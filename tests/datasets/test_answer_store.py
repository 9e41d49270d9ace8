import json
from pathlib import Path

import pytest

from clientela.exceptions import LabellingError
from clientela.pipelines.labelling.response_cache import FileAnswerStore, StoredAnswer

GOOD = StoredAnswer(text="good risk", input_tokens=100, output_tokens=20)
LOST = StoredAnswer(lost="refused", detail="the model refused to answer")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "answers")


def test_an_answer_is_there_for_the_next_run_at_once(folder):
    FileAnswerStore(folder).put("k", GOOD)
    assert FileAnswerStore(folder).get("k") == GOOD
    assert FileAnswerStore(folder).get("other") is None


def test_answers_are_put_into_one_file_and_stay_the_same(folder):
    store = FileAnswerStore(folder)
    store.put("b", GOOD)
    store.put("a", LOST)
    store.compact()
    store.put("c", GOOD)
    again = FileAnswerStore(folder)
    assert [again.get(key) for key in "abc"] == [LOST, GOOD, GOOD]
    again.compact()
    assert len(FileAnswerStore(folder)) == 3


def test_a_kill_between_the_two_steps_of_compacting_loses_nothing(tmp_path):
    store = FileAnswerStore(str(tmp_path))
    store.put("a", GOOD)
    single = (tmp_path / "new/a.json").read_bytes()
    store.compact()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.json").write_bytes(single)
    again = FileAnswerStore(str(tmp_path))
    assert (len(again), again.get("a")) == (1, GOOD)
    again.compact()
    assert not (tmp_path / "new").exists()


def test_the_same_answers_give_the_same_bytes(tmp_path):
    for folder, keys in (("one", "ab"), ("other", "ba")):
        store = FileAnswerStore(str(tmp_path / folder))
        for key in keys:
            store.put(key, GOOD)
        store.compact()
    one, other = ((tmp_path / name / "answers.jsonl").read_bytes() for name in ("one", "other"))
    assert one == other


def test_an_answer_that_was_not_written_to_its_end_is_asked_again(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.json").write_text('{"text": "go')
    (tmp_path / "new/b.json.123.part").write_text("{")
    assert len(FileAnswerStore(str(tmp_path))) == 0


@pytest.mark.parametrize("line", ["{", '{"text": "x"}', '{"key": "a", "more": 1}', "[]"])
def test_a_damaged_file_is_named_and_nothing_is_paid_again_in_silence(tmp_path, line):
    (tmp_path / "answers.jsonl").write_text(line + "\n")
    with pytest.raises(LabellingError, match=r"answers.jsonl should hold one stored answer per"):
        FileAnswerStore(str(tmp_path))


def test_the_file_holds_no_key_of_a_row_in_clear(tmp_path):
    store = FileAnswerStore(str(tmp_path))
    store.put("0" * 64, GOOD)
    store.compact()
    (line,) = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {
        "key",
        "text",
        "lost",
        "detail",
        "input_tokens",
        "output_tokens",
    }
