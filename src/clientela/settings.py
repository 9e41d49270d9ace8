"""Project settings, read by Kedro at the start of every command: nothing heavy is imported here."""

from omegaconf.resolvers import oc

from clientela.config_loader import CheckedConfigLoader, SwitchboardContext
from clientela.hooks import DRIFT_ALERTS, RunSummary, StageInputCheck

HOOKS = (StageInputCheck(), RunSummary(), DRIFT_ALERTS)

CONTEXT_CLASS = SwitchboardContext
CONFIG_LOADER_CLASS = CheckedConfigLoader
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
