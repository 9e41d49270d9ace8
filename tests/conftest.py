import fcntl
import gc
import os
import pickle
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader
from tests import small_project
from tests.kedro_session import session_of

from clientela.cli.kedro_run import NEW_OBJECTS
from clientela.cli.kedro_run import run as run_command

TRANSACTIONS = "01_raw/transacciones/muestra_transacciones.csv"
CUSTOMERS = "01_raw/customers/muestra_customers.csv"


# What the libraries we build on ask of one another, not of us; everything else stays an error.
OTHERS_DEPRECATIONS = (
    "Accessing the 'model_fields':DeprecationWarning:kedro.validation.utils",  # kedro, of pydantic
    "The 'future.infer_string' option:DeprecationWarning:ibis.formats.pandas",  # ibis, of pandas
    "fetch_arrow_table.. is deprecated:DeprecationWarning:ibis.backends.duckdb",  # ibis, of duckdb
    "The ..noload.. loader strategy is deprecated:DeprecationWarning",  # mlflow, of sqlalchemy
)


def pytest_configure(config: pytest.Config) -> None:
    # how long an example takes says more about the machine than about the code
    hypothesis.settings.register_profile("clientela", deadline=None, max_examples=50)
    hypothesis.settings.load_profile("clientela")
    for warning in OTHERS_DEPRECATIONS:
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")
    gc.set_threshold(NEW_OBJECTS)


def pytest_collection_finish() -> None:
    # what was imported and collected stays, and is looked at no more
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def equal_texts_are_parsed_once() -> Iterator[None]:
    """Each test has a configuration of its own, of nearly the same files: half a second of YAML."""
    parsed: dict[str, bytes] = {}

    def load(file: Any) -> Any:
        text = file.read() if hasattr(file, "read") else Path(file).read_text("utf-8")
        if text not in parsed:
            content = yaml.load(text, Loader=get_yaml_loader())  # noqa: S506 - a safe one
            parsed[text] = pickle.dumps(OmegaConf.create({} if content is None else content))
        # five times faster than made anew; each has its own, which merging writes to
        return pickle.loads(parsed[text])  # noqa: S301 - what was dumped above

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(load))
        yield


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run of the tests have."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def finished(project_root: Path, shared_folder: Path) -> Path:
    """A clone with simulated data in which the default pipeline has run on local folders.

    The first worker that asks makes it; it is there to be copied, never to be written to.
    """
    project = shared_folder / "finished"
    with (shared_folder / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not project.exists():
            made = small_project.clone(project_root, shared_folder / "finished.making")
            small_project.run_default(project_root, made)
            made.rename(project)
    return project


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment `test` keeps every layer: `<data_root>/01_raw` and so on."""
    root = tmp_path / "data"
    monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(root))
    monkeypatch.delenv("CLIENTELA_DATABASE", raising=False)  # a person's own is no test's
    return root


@pytest.fixture
def write_raw(data_root: Path) -> Callable[..., None]:
    """Writes raw files: `write_raw(transactions, customers)`, each text or bytes, or None."""

    def write(transactions: str | bytes | None, customers: str | bytes | None = None) -> None:
        for place, content in ((TRANSACTIONS, transactions), (CUSTOMERS, customers)):
            if content is not None:
                path = data_root / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


@pytest.fixture
def conf_source(project_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a conf source of its own: the project's `base`, `aws` and `test`, with changes.

    `conf_source({"test/parameters.yml": {"retail": {...}}})` writes that file, or updates the
    top-level keys of one that exists. `local` is never copied: it belongs to one person.
    """

    def make(changes: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
        folder = tmp_path / f"conf-{len(list(tmp_path.glob('conf-*')))}"
        ignored = shutil.ignore_patterns("local")
        shutil.copytree(project_root / "conf", folder, ignore=ignored)
        (folder / "local").mkdir()
        for name, content in (changes or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
            path.write_text(yaml.safe_dump({**before, **content}, sort_keys=False), "utf-8")
        return folder

    return make


@pytest.fixture
def run_kedro(
    project_root: Path, data_root: Path, conf_source: Callable[..., Path]
) -> Callable[..., DataCatalog]:
    """Runs pipelines in this process and gives the catalog to read what they wrote.

    `run_kedro("ingestion", conf={...})`; without names the default pipeline. `conf` as in
    `conf_source`; `params` as `--params`; other keywords as `KedroSession.run`.
    """

    def run(
        *pipelines: str,
        conf: Mapping[str, Mapping[str, Any]] | None = None,
        env: str = "test",
        params: Mapping[str, Any] | None = None,
        **selection: Sequence[str],
    ) -> DataCatalog:
        options = {"conf_source": str(conf_source(conf)), "runtime_params": dict(params or {})}
        with session_of(project_root, env=env, **options) as session:
            session.run(pipeline_names=list(pipelines) or None, **selection)
            return session.load_context().catalog

    return run


@pytest.fixture
def kedro_command(project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `kedro run` with options in this process: `kedro_command("--env=test", BUCKET=...)`."""

    def run(*options: str, **variables: str) -> Result:
        bootstrap_project(project_root)
        monkeypatch.chdir(project_root)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        # the terminal's width decides how the summary wraps, nothing else
        return CliRunner().invoke(run_command, options, env={"COLUMNS": "200"})

    return run


@pytest.fixture(scope="session")
def object_store() -> Iterator[dict[str, str]]:
    """An AWS on loopback; gives the variables that lead to it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BUCKET": "una-tienda",
    }
    server.stop()


@pytest.fixture(scope="session")
def aws_client(object_store: Mapping[str, str]) -> Callable[[str], Any]:
    """Makes a boto3 client of the stand-in: `aws_client("s3")`."""

    import boto3

    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=object_store["AWS_ENDPOINT_URL"],
            aws_access_key_id=object_store["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=object_store["AWS_SECRET_ACCESS_KEY"],
            region_name=object_store["AWS_DEFAULT_REGION"],
        )

    return make


@pytest.fixture(scope="session")
def bucket(object_store: Mapping[str, str], aws_client: Callable[[str], Any]) -> str:
    """The bucket that the variable BUCKET names; empty at first."""
    aws_client("s3").create_bucket(Bucket=object_store["BUCKET"])
    return object_store["BUCKET"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a real PostgreSQL that lives as long as the session; skips where none is installed.

    It listens on a socket in a folder of its own, so that no port is taken, and asks for its
    password as a server would.
    """
    found = shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)
    if found is None:
        pytest.skip("PostgreSQL is not installed: no initdb on the PATH or in /usr/lib/postgresql")
    programs = Path(found).parent
    folder = Path(tempfile.mkdtemp(prefix="clientela-pg-"))  # sockets need a short path
    # the server refuses to run as root
    owner: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}

    def command(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs / program), "-D", str(folder / "data"), *arguments],
            cwd=folder,
            # a server that inherits a pipe would keep it open
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
            **owner,
        )
        log = folder / "log"
        words = log.read_text("utf-8", "replace") if log.exists() else ""
        assert done.returncode == 0, f"{program} failed: {words}"

    (folder / "password").write_text("una clave", "utf-8")
    if owner:
        for path in (folder, folder / "password"):
            shutil.chown(path, owner["user"])
    try:
        identity = ("-U", "clientela", "-A", "scram-sha-256", "--pwfile", str(folder / "password"))
        command("initdb", *identity, "-E", "UTF8", "--locale=C", "--no-sync")
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        command("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql://clientela:una%20clave@/postgres?host={folder}"
        finally:
            command("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an MLflow registry without entries, to be copied: making one takes long."""
    from clientela.registry.model_registry import MlflowRegistry

    path = tmp_path_factory.mktemp("registry") / "mlflow.db"
    path.touch()
    assert MlflowRegistry(f"sqlite:///{path}").models("nobody") == []
    return path
