"""Pipelines that follow the switchboard of the configuration in use.

`register_pipelines` takes no arguments, yet the pipelines depend on `use_cases.yml` of the conf
source and environment in use. Kedro makes one context per session (for `kedro run`, kedro-viz and
notebooks alike), so the context has the pipelines registered from its own configuration. A command
that opens no session, as `kedro registry list`, sees those of the project's default one.
"""

import os
from pathlib import Path
from typing import Any, ClassVar

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines, settings
from kedro.utils import find_kedro_project


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
