"""How Kedro reads the configuration, and registers the pipelines that it asks for."""

import copy
import os
from pathlib import Path
from typing import Any, ClassVar

from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines, settings
from kedro.utils import find_kedro_project
from omegaconf.resolvers import oc

from clientela.use_cases import require_known_entries, require_known_raw_files

# Configuration that is checked as it is read; nothing of Kedro's framework is started here.


CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {
        "use_cases": ["use_cases*"],
        # what is true of an AWS account stands in a file of its own: ${globals:aws}
        "globals": ["globals*", "aws*"],
    },
    # soft: a three-line override in conf/local keeps the rest of the block it changes
    "merge_strategy": {"parameters": "soft", "globals": "soft", "use_cases": "soft"},
    "custom_resolvers": {"oc.env": oc.env},
}


class CheckedConfigLoader(OmegaConfigLoader):
    """Refuses keys that nothing would read, and reads each kind of configuration once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._read: dict[str, dict[str, Any]] = {}  # first: Kedro's own asks for the globals
        super().__init__(*args, **kwargs)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """One kind of configuration; Kedro asks for each several times per command."""
        if key not in self._read:
            config: dict[str, Any] = super().__getitem__(key)
            if key == "parameters":
                require_known_entries(config, self["use_cases"], self.runtime_params or {})
            if key == "catalog":
                roots = self["globals"]
                names = {name: roots.get(name) or {} for name in ("raw_files", "raw_text")}
                require_known_raw_files(names, config, self["use_cases"])
            self._read[key] = config
        return copy.deepcopy(self._read[key])


# Pipelines that follow the switchboard of the configuration in use.
#
# `register_pipelines` takes no arguments, yet the pipelines depend on `use_cases.yml` of the conf
# source and environment in use. Kedro makes one context per session (for `kedro run`, kedro-viz and
# notebooks alike), so the context has the pipelines registered from its own configuration. A
# command
# that opens no session, as `kedro registry list`, sees those of the project's default one.


class SwitchboardContext(KedroContext):
    """A context whose pipelines are those of its own switchboard."""

    latest: ClassVar["SwitchboardContext | None"] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        SwitchboardContext.latest = self
        # has them registered anew at the next look: an earlier session may have had others
        pipelines.configure("clientela.pipeline_registry")


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
