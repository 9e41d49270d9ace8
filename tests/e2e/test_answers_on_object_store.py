"""Answers that were paid for, kept in a bucket."""

from clientela.pipelines.labelling.response_cache import FileAnswerStore, StoredAnswer

GOOD = StoredAnswer(text="good risk", input_tokens=100, output_tokens=20)


def test_answers_are_kept_one_by_one_and_then_in_one_object(store, aws_client, bucket):
    answers = FileAnswerStore(f"{store}/answers")
    answers.put("b", GOOD)
    answers.put("a", GOOD)
    assert len(FileAnswerStore(f"{store}/answers")) == 2
    answers.compact()
    again = FileAnswerStore(f"{store}/answers")
    assert (len(again), again.get("a")) == (2, GOOD)
    prefix = store.removeprefix(f"s3://{bucket}/")
    listed = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
    assert [item["Key"] for item in listed] == [f"{prefix}/answers/answers.jsonl"]
