"""What monitoring lives on from run to run, on S3."""

import pandas as pd

from clientela.datasets.files import WholeFileDataset

CSV = {"type": "kedro_datasets.pandas.CSVDataset", "save_args": {"index": False}}
TEXT = {"type": "kedro_datasets.text.TextDataset"}


def test_a_table_comes_back_and_is_read_as_text_by_the_next_run(store):
    table = pd.DataFrame({"period": ["2024-05"], "psi": [0.1]})
    log = WholeFileDataset(filepath=f"{store}/drift/log.csv", dataset=CSV)
    former = WholeFileDataset(filepath=f"{store}/drift/log.csv", dataset=TEXT, absent="")
    assert former.load() == ""
    log.save(table)
    assert former.load() == "period,psi\n2024-05,0.1\n"
    pd.testing.assert_frame_equal(log.load(), table)


def test_a_later_save_replaces_the_object_and_leaves_nothing_beside_it(store, aws_client):
    dataset = WholeFileDataset(filepath=f"{store}/drift/state.txt", dataset=TEXT)
    dataset.save("first")
    dataset.save("second")
    assert dataset.load() == "second"
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    found = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert [item["Key"] for item in found] == [f"{prefix}/drift/state.txt"]
