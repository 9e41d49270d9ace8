"""Project settings, read by Kedro at the start of every command: nothing heavy is imported here."""

from clientela.config_loader import CONFIG_LOADER_ARGS, CheckedConfigLoader
from clientela.context import SwitchboardContext, WholeFileCatalog
from clientela.hooks import DRIFT_ALERTS, RunLock, RunSummary, StageInputCheck, StaleArtefacts

HOOKS = (RunLock(), StageInputCheck(), StaleArtefacts(), RunSummary(), DRIFT_ALERTS)

CONTEXT_CLASS = SwitchboardContext
DATA_CATALOG_CLASS = WholeFileCatalog
CONFIG_LOADER_CLASS = CheckedConfigLoader

__all__ = [
    "CONFIG_LOADER_ARGS",
    "CONFIG_LOADER_CLASS",
    "CONTEXT_CLASS",
    "DATA_CATALOG_CLASS",
    "HOOKS",
]
