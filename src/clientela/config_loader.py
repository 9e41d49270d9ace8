"""Configuration that is checked as it is read; nothing of Kedro's framework is started here."""

import copy
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf.errors import KeyValidationError
from omegaconf.resolvers import oc

from clientela.exceptions import ConfigurationError
from clientela.settings_base import explain_reserved_word
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


def list_environments(conf_source: Path) -> list[str] | None:
    """The environments of a folder, or of the archive that `kedro package` makes; None: neither."""
    if conf_source.is_dir():
        return sorted(path.name for path in conf_source.iterdir() if path.is_dir())
    if not conf_source.is_file() or not tarfile.is_tarfile(conf_source):
        return None
    with tarfile.open(conf_source) as archive:
        folders = [PurePosixPath(member.name).parts for member in archive if member.isdir()]
    return sorted({parts[1] for parts in folders if len(parts) > 1})


class CheckedConfigLoader(OmegaConfigLoader):
    """Refuses keys that nothing would read, and reads each kind of configuration once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._read: dict[str, dict[str, Any]] = {}  # first: Kedro's own asks for the globals
        super().__init__(*args, **kwargs)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """One kind of configuration; Kedro asks for each several times per command."""
        if key not in self._read:
            config = self._read_config(key)
            if key == "parameters":
                require_known_entries(config, self["use_cases"], self.runtime_params or {})
            if key == "catalog":
                roots = self["globals"]
                names = {name: roots.get(name) or {} for name in ("raw_files", "raw_text")}
                require_known_raw_files(names, config, self["use_cases"])
            self._read[key] = config
        return copy.deepcopy(self._read[key])

    def _read_config(self, key: str) -> dict[str, Any]:
        try:
            config: dict[str, Any] = super().__getitem__(key)
        except KeyValidationError as err:
            place = f"{key}: a name below {err.full_key or 'the first level'}"
            raise ConfigurationError(f"{place}: {explain_reserved_word(None)}.") from err
        except AttributeError as err:
            # Kedro asks each name of the first level how it starts, which only a word can tell
            if "startswith" not in str(err):
                raise
            raise ConfigurationError(
                f"{key}: a name of the first level is no word. YAML reads no, yes, on, off, null "
                'and numbers as values: write such a name in quotes, "no".'
            ) from err
        if key != "catalog":  # where Kedro reads `on` of a validator either way
            _refuse_boolean_names(config, key)
        return config


def _refuse_boolean_names(config: Any, place: str) -> None:
    """Stops where YAML read a name as true or false, whatever would have read it."""
    if isinstance(config, Mapping):
        for name, inner in config.items():
            if isinstance(name, bool):
                raise ConfigurationError(f"{place}: {explain_reserved_word(name)}.")
            _refuse_boolean_names(inner, f"{place}.{name}")
