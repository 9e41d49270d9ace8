"""Configuration that is checked as it is read; nothing of Kedro's framework is started here."""

import copy
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf.resolvers import oc

from clientela.use_cases import require_known_entries, require_known_raw_files

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
