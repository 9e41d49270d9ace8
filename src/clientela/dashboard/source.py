"""Opens the Kedro catalog of an environment: the only way to what monitoring wrote."""

from typing import NamedTuple

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from clientela.contracts.use_cases import switchboard
from clientela.dashboard.artefacts import Catalog
from clientela.dashboard.options import Options
from clientela.pipeline_registry import existing_stages

STAGE = "monitoring"


class Source(NamedTuple):
    """What there is to be read.

    Attributes:
        catalog: Where everything lies.
        use_cases: Those that are monitored, in the order of the switchboard.
    """

    catalog: Catalog
    use_cases: tuple[str, ...]


def opened(options: Options) -> Source:
    """The catalog and the monitored use cases of an environment.

    Args:
        options: Where to look.

    Returns:
        What there is to be read.
    """
    bootstrap_project(options.project)
    session = KedroSession.create(
        project_path=options.project,
        env=options.env,
        conf_source=options.conf_source,
        save_on_close=False,
    )
    context = session.load_context()
    # nothing runs here, and importing every pipeline to check its parameters takes seconds
    context._pipelines_to_validate = []  # noqa: SLF001 - Kedro has no other way
    entries = switchboard(context.config_loader["use_cases"], existing_stages())
    monitored = (name for name, entry in entries.items() if STAGE in entry.stages)
    return Source(context.catalog, tuple(monitored))
