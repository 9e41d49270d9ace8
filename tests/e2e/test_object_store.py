"""The whole project on S3, as `kedro run --env=aws` runs it."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from kedro.framework.project import pipelines
from kedro.io import MemoryDataset
from tests.e2e.conftest import reached_by
from tests.kedro_session import session_of
from tests.small_project import kedro

from clientela.datasets.sql_table import SqlTableDataset

pytestmark = pytest.mark.slow

# the roots of conf/aws, and what they are called on local folders
LAYERS = {
    "raw": "01_raw",
    "intermediate": "02_intermediate",
    "primary": "03_primary",
    "processed/features": "04_feature",
    "processed/model_input": "05_model_input",
    "models": "06_models",
    "outputs": "07_model_output",
    "reporting": "08_reporting",
}
EMBEDDED_DATABASE = "07_model_output/clientes_segmentados.sqlite"
# left out: credit_payment, which differs from customer_churn by its settings alone, and
# credit_preauth, whose labels have a test of their own
USE_CASES = ("purchase_intensity", "customer_segments", "customer_churn")
OF_THE_OTHERS = ("credit_payment", "03_primary/loans", "credit_preauth", "03_primary/applications")
# every kind of dataset; exploring writes no other one
STAGES = (
    "ingestion", "feature_engineering", "ordinal_target", "segmentation", "training", "scoring",
    "monitoring",
)  # fmt: skip
NOT_OF_BOTH = (
    ".generated.json",
    ".made_from.json",
    "/generation_report.json",
    "/sample_truth.csv",
    "/eda/",
)
READ_ONLY = ["s3:GetObject", "s3:ListBucket"]


class CloudRun(NamedTuple):
    project: Path
    before: dict[str, str]
    after: dict[str, str]
    objects: dict[str, bytes]
    said: str


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        # kedro-viz notes there which nodes ran
        if path.is_file() and path.relative_to(folder).parts[0] != ".viz"
    }


def objects_in(s3: Any, bucket: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def cloud(object_store: Mapping[str, str]) -> dict[str, str]:
    """The stand-in, with a bucket that no other test writes to."""
    return {**object_store, "BUCKET": "una-tienda-entera"}


@pytest.fixture(scope="module")
def bucket(cloud: Mapping[str, str], aws_client: Callable[..., Any]) -> str:
    aws_client("s3").create_bucket(Bucket=cloud["BUCKET"])
    return cloud["BUCKET"]


@pytest.fixture(scope="module")
def raw_in_bucket(finished: Path, aws_client: Callable[..., Any], bucket: str):
    """The whole sample, with its simulated next period and what marks both as generated."""
    root = finished / "data/01_raw"
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = f"raw/{path.relative_to(root).as_posix()}"
        aws_client("s3").put_object(Bucket=bucket, Key=place, Body=path.read_bytes())


@pytest.fixture(scope="module")
def cloud_run(project_copy, cloud, aws_client, bucket, raw_in_bucket) -> CloudRun:
    """A clone whose raw data lies in the bucket, after everything that the use cases need."""
    project = project_copy()
    before = digests(project)
    options = (f"--pipelines={','.join(STAGES)}", f"--tags={','.join(USE_CASES)}")
    run = kedro(project, "run", "--env=aws", *options, aws=cloud)
    assert run.returncode == 0, run.stderr
    said = run.stdout + run.stderr
    return CloudRun(project, before, digests(project), objects_in(aws_client("s3"), bucket), said)


@pytest.fixture
def places_in_catalog(project_root: Path, cloud: Mapping[str, str]) -> dict[str, str]:
    """Where the catalog of `aws` puts each output of the stages."""
    with reached_by(cloud), session_of(project_root, env="aws") as session:
        catalog = session.load_context().catalog
        made = [pipelines[stage].only_nodes_with_tags(*USE_CASES).all_outputs() for stage in STAGES]
        datasets = {name: catalog.get(name) for name in set().union(*made)}
    fields = {
        name: dataset._describe()
        for name, dataset in datasets.items()
        if not isinstance(dataset, MemoryDataset | SqlTableDataset)
    }
    return {
        name: address(str(known.get("filepath") or known["path"]), datasets[name])
        for name, known in fields.items()
    }


def address(path: str, dataset: Any) -> str:
    # Kedro's own datasets describe their path without its protocol
    return path if "://" in path else f"{dataset._protocol}://{path}"


def test_every_artefact_that_the_catalog_names_lies_in_the_bucket(
    cloud_run: CloudRun, places_in_catalog: Mapping[str, str], bucket: str
):
    root = f"s3://{bucket}/"
    elsewhere = {name: at for name, at in places_in_catalog.items() if not at.startswith(root)}
    assert elsewhere == {}
    missing = {
        name: at
        for name, at in places_in_catalog.items()
        if not any(
            key == at.removeprefix(root) or key.startswith(at.removeprefix(root) + "/")
            for key in cloud_run.objects
        )
    }
    assert missing == {}


def test_the_places_of_the_requirement_are_in_the_bucket(cloud_run: CloudRun):
    model = "models/xgboost_ordinal_tecnologia"
    required = {
        "raw/transacciones/muestra_transacciones.csv",
        "raw/customers/muestra_customers.csv",
        "processed/features/features_supervised.csv",
        f"{model}/model.tar.gz",
        f"{model}/metadata/metadata.json",
        f"{model}/metrics/metrics.json",
        f"{model}/metrics/classification_report.json",
        f"{model}/metrics/confusion_matrix.csv",
        "outputs/clientes_segmentados.csv",
        "outputs/clientes_segmentados.jsonl",
    }
    assert required - cloud_run.objects.keys() == set()


def test_nothing_appears_on_the_disk_and_nothing_half_written_in_the_bucket(cloud_run: CloudRun):
    assert cloud_run.after == cloud_run.before
    assert [key for key in cloud_run.objects if ".writing" in key] == []


def test_every_artefact_has_the_same_bytes_as_on_local_folders(
    cloud_run: CloudRun, finished_project: Path
):
    data = finished_project / "data"
    local = {
        name: path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and of_the_run(name := path.relative_to(data).as_posix())
    }
    stored = {as_local(key): content for key, content in cloud_run.objects.items()}
    # a bucket holds no database file
    assert local.keys() - stored.keys() == {EMBEDDED_DATABASE}
    written = {name for name in stored if of_the_run(name)}
    assert written <= local.keys()
    assert [name for name in sorted(written) if stored[name] != local[name]] == []


def of_the_run(name: str) -> bool:
    """Whether a file is what both runs read or wrote."""
    return not any(part in name for part in (*NOT_OF_BOTH, *OF_THE_OTHERS))


def test_segments_lie_in_the_bucket_by_date_and_no_database_is_asked(cloud_run: CloudRun):
    export = "outputs/clientes_segmentados.parquet/"
    partitions = [key for key in cloud_run.objects if key.startswith(export)]
    assert [re.sub(r"\d", "9", key.removeprefix(export)) for key in partitions] == [
        "fecha_modelo=9999-99-99/clientes.parquet"
    ]
    for table in ("clientes_segmentados", "clientes_segmentados_historia"):
        assert f"Table {table}: no database is configured" in cloud_run.said


def as_local(key: str) -> str:
    root = next(root for root in LAYERS if key.startswith(root + "/"))
    return LAYERS[root] + key.removeprefix(root)


@pytest.fixture
def guarded(cloud: Mapping[str, str], bucket: str) -> Iterator[None]:
    """From here on the store asks for permissions, as the real one does."""

    def permissions_from(action_count: str) -> None:
        request = Request(  # noqa: S310 - the stand-in speaks plain HTTP on loopback
            f"{cloud['AWS_ENDPOINT_URL']}/moto-api/reset-auth",
            data=action_count.encode(),
            headers={"Content-Type": "text/plain"},
        )
        urlopen(request).close()  # noqa: S310

    permissions_from("0")
    yield
    permissions_from("inf")


@pytest.fixture
def person(
    cloud: Mapping[str, str], aws_client: Callable[[str], Any], request
) -> Mapping[str, str]:
    """The variables of somebody whose policy allows the actions given as parameter."""
    iam = aws_client("iam")
    name = request.node.callspec.id
    iam.create_user(UserName=name)
    policy = {"Effect": "Allow", "Action": request.param, "Resource": "*"}
    if request.param:
        iam.put_user_policy(
            UserName=name,
            PolicyName="allowed",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
        )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        **cloud,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def refused(kedro_command: Any, variables: Mapping[str, str]) -> str:
    """What a person reads at the end of a run that was refused."""
    with reached_by(variables):
        run = kedro_command("--env=aws", "--pipelines=ingestion", "--namespaces=retail")
    assert run.exit_code == 1, run.output
    assert isinstance(run.exception, SystemExit)
    assert "Traceback" not in run.output
    return str(run.output[run.output.index("Error: ") :])


@pytest.mark.parametrize(
    ("person", "dataset", "place"),
    [
        ([], "raw_customers", "raw/customers/muestra_customers.csv"),
        (READ_ONLY, "date_counts_customers", "intermediate/retail/date_counts_customers"),
    ],
    indirect=["person"],
    ids=["nobody", "reader"],
)
def test_without_permission_the_run_names_dataset_place_and_next_step(
    kedro_command, raw_in_bucket, person, guarded, dataset, place
):
    said = refused(kedro_command, person)
    assert f"retail.{dataset}" in said
    assert f"s3://{person['BUCKET']}/{place}" in said
    assert "AWS_PROFILE" in said


def test_a_bucket_that_does_not_exist_is_refused_and_never_made(
    kedro_command, cloud, aws_client, bucket
):
    said = refused(kedro_command, {**cloud, "BUCKET": "una-tiena"})
    assert "s3://una-tiena/" in said
    known = [found["Name"] for found in aws_client("s3").list_buckets()["Buckets"]]
    assert "una-tiena" not in known
