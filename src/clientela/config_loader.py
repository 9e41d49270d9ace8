"""Makes the switchboard visible to every command.

`register_pipelines` takes no arguments, yet the pipelines depend on `use_cases.yml` of the conf
source and environment in use. Kedro builds one config loader per session (for `kedro run`,
kedro-viz and notebooks alike), so the loader remembers itself; `kedro registry list`, which opens
no session, gets the default one.
"""

import copy
import os
from pathlib import Path
from typing import Any, ClassVar

from kedro.config import OmegaConfigLoader
from kedro.utils import find_kedro_project

from clientela.use_cases import require_known_entries, require_known_raw_files


class ActiveConfigLoader(OmegaConfigLoader):
    """An `OmegaConfigLoader` that remembers which one was built last."""

    _active: ClassVar["ActiveConfigLoader | None"] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._read: dict[str, dict[str, Any]] = {}  # first: Kedro's own asks for the globals
        super().__init__(*args, **kwargs)
        previous, ActiveConfigLoader._active = ActiveConfigLoader._active, self
        if (
            previous is not None
            and previous.source != self.source
            and previous._read.get("use_cases") != self["use_cases"]  # noqa: SLF001 - its own kind
        ):
            _reload_pipelines()

    def __getitem__(self, key: str) -> dict[str, Any]:
        """The configuration of one kind, checked for keys that nothing would read.

        Kedro asks for each kind several times per command; the files are read once.
        """
        if key not in self._read:
            self._read[key] = self._checked(key)
        return copy.deepcopy(self._read[key])

    def _checked(self, key: str) -> dict[str, Any]:
        config: dict[str, Any] = super().__getitem__(key)
        if key == "parameters":
            require_known_entries(config, self["use_cases"], self.runtime_params or {})
        if key == "catalog":
            settings = self["globals"]
            names = {name: settings.get(name) or {} for name in ("raw_files", "raw_text")}
            require_known_raw_files(names, config, self["use_cases"])
        return config

    @property
    def source(self) -> tuple[str, str | None]:
        """Where the switchboard is read, which decides what pipelines there are."""
        return str(self.conf_source), self.env

    @classmethod
    def active(cls) -> "ActiveConfigLoader":
        """The loader of the session at hand, or a default one where there is no session."""
        if cls._active is None:
            from kedro.framework.project import settings  # noqa: PLC0415 - cyclic at import time

            # as Kedro does: commands work from any folder below the project
            project = find_kedro_project(Path.cwd()) or Path.cwd()
            cls._active = settings.CONFIG_LOADER_CLASS(
                conf_source=str(project / settings.CONF_SOURCE),
                env=os.getenv("KEDRO_ENV"),
                **settings.CONFIG_LOADER_ARGS,
            )
        return cls._active


def _reload_pipelines() -> None:
    """Have the pipelines registered anew: they were built from another switchboard."""
    from kedro.framework.project import pipelines  # noqa: PLC0415 - cyclic at import time

    pipelines.configure(pipelines._pipelines_module)  # noqa: SLF001 - Kedro has no other way
