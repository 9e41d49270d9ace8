"""Pipelines that follow the switchboard of the configuration in use.

`register_pipelines` takes no arguments, yet the pipelines depend on `use_cases.yml` of the conf
source and environment in use. Kedro makes one context per session (for `kedro run`, kedro-viz and
notebooks alike), so the context has the pipelines registered from its own configuration. A command
that opens no session, as `kedro registry list`, sees those of the project's default one.
"""

import os
import threading
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from kedro.framework.context import KedroContext
from kedro.framework.project import configure_project, pipelines, settings
from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.utils import find_kedro_project


class SwitchboardContext(KedroContext):
    """A context whose pipelines are those of its own switchboard."""

    latest: ClassVar["SwitchboardContext | None"] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        SwitchboardContext.latest = self
        # has them registered anew at the next look: an earlier session may have had others
        pipelines.configure("clientela.pipeline_registry")


class WholeFileCatalog(DataCatalog):
    """A catalog whose files appear under their names whole or not at all.

    Kedro's own datasets write in place: whoever reads meanwhile, or after a run was killed, finds
    half a file. Here they write beside it, and what is whole takes its place. One thread at a time
    loads or saves, because the engine has one connection.
    """

    _one_at_a_time: ClassVar = threading.RLock()

    def load(self, ds_name: str, version: str | None = None) -> Any:
        """What a dataset holds."""
        with self._one_at_a_time:
            return super().load(ds_name, version)

    def save(self, ds_name: str, data: Any) -> None:
        """Saves a dataset, whole."""
        with self._one_at_a_time:
            dataset = self[ds_name]
            # versions have names of their own; where credentials of its own lead, only the dataset
            # goes, and an object store shows what was uploaded to its end
            whole = not isinstance(dataset, AbstractVersionedDataset) or dataset._version  # noqa: SLF001
            if whole or dataset._init_config().get("credentials"):  # noqa: SLF001
                super().save(ds_name, data)
            else:
                self._save_beside(ds_name, dataset, data)

    def _save_beside(self, ds_name: str, dataset: Any, data: Any) -> None:
        from clientela.storage import replace_atomically  # noqa: PLC0415 - brings fsspec

        # Kedro offers no other way to redirect a save
        place = dataset._filepath  # noqa: SLF001
        address = dataset._fs.unstrip_protocol(str(place))  # noqa: SLF001
        with replace_atomically(address, ".writing") as staged:
            dataset._filepath = PurePosixPath(f"{place}{staged.removeprefix(address)}")  # noqa: SLF001
            try:
                super().save(ds_name, data)
            finally:
                dataset._filepath = place  # noqa: SLF001


def open_context(project: Path, env: str | None, conf_source: str | None) -> KedroContext:
    """The context of an environment, for whoever reads its catalog and runs nothing.

    Args:
        project: Folder of the project; of a packaged one, without `pyproject.toml`, any folder.
    """
    # they take seconds to import, and few commands need them
    from kedro.framework.session import KedroSession  # noqa: PLC0415
    from kedro.framework.startup import bootstrap_project  # noqa: PLC0415

    if (project / "pyproject.toml").is_file():
        bootstrap_project(project)
    else:
        configure_project("clientela")
    session = KedroSession.create(project, env=env, conf_source=conf_source, save_on_close=False)
    return session.load_context()


def load_switchboard() -> dict[str, Any]:
    """The content of `use_cases.yml` for the latest session, or of the default configuration."""
    if SwitchboardContext.latest is not None:
        loader = SwitchboardContext.latest.config_loader
    else:
        # as Kedro does: commands work from any folder below the project
        project = find_kedro_project(Path.cwd()) or Path.cwd()
        loader = settings.CONFIG_LOADER_CLASS(
            conf_source=str(project / settings.CONF_SOURCE),
            env=os.getenv("KEDRO_ENV"),
            **settings.CONFIG_LOADER_ARGS,
        )
    return dict(loader["use_cases"])
