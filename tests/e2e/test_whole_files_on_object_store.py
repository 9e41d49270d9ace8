"""What Kedro's own datasets write, on S3."""

import pandas as pd
from kedro_datasets.pandas import CSVDataset

from clientela.context import WholeFileCatalog
from clientela.datasets.files import OptionalFileDataset

TEXT = {"type": "kedro_datasets.text.TextDataset"}


def test_a_later_save_replaces_the_object_and_leaves_nothing_beside_it(store, aws_client):
    log = CSVDataset(filepath=f"{store}/drift/log.csv", save_args={"index": False})
    catalog = WholeFileCatalog({"log": log})
    former = OptionalFileDataset(filepath=f"{store}/drift/log.csv", dataset=TEXT, absent="")
    assert former.load() == ""
    for period in ("2024-05", "2024-06"):
        table = pd.DataFrame({"period": [period], "psi": [0.1]})
        catalog.save("log", table)
        assert former.load() == f"period,psi\n{period},0.1\n"
    pd.testing.assert_frame_equal(catalog.load("log"), table)
    bucket, _, prefix = store.removeprefix("s3://").partition("/")
    found = aws_client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert [item["Key"] for item in found] == [f"{prefix}/drift/log.csv"]
