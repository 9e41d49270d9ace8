"""Installs a lock into an environment by uv, every file checked against its hash.

    python tools/install.py ENVIRONMENT LOCK

The lock pins uv itself, so pip installs that one package first. uv reads none of pip's settings:
those that say where packages come from are handed on (docs/decisions/062-uv-installs-the-lock.md).
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).parents[1] / "requirements.lock"

UV_VARIABLES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
"""Setting of pip to the variable that uv reads for it."""


def find_pin(package: str, lock: str) -> str:
    """The lines of a lock that pin one package, hashes included."""
    pin = re.search(rf"^{package}==.*\n(?:[ #].*\n)*", lock, re.MULTILINE)
    if pin is None:
        raise ValueError(f"Expected a lock that pins {package}; it does not. Run make lock.")
    return pin[0]


def convert_pip_settings(listed: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables for uv from what `pip config list` prints; those that are set already win."""
    # as pip does: the best match of all indexes; the hash decides what is let in
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    settings = dict(line.split("=", 1) for line in listed.splitlines())
    for section in ("global", "install", ":env:"):  # the weightiest last
        for name, variable in UV_VARIABLES.items():
            values = ast.literal_eval(settings.get(f"{section}.{name}", "''")).split()
            if values:
                variables[variable] = ("," if name == "find-links" else " ").join(values)
    return {name: value for name, value in variables.items() if not environment.get(name)}


def build_command(environment: Path, lock: Path) -> list[str | Path]:
    """What installs a lock, once uv is there."""
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-progress"]
    python = environment / "bin/python"
    return [*uv, "--python", python, "--compile-bytecode", "--require-hashes", "-r", lock]


def install(environment: Path, lock: Path) -> None:
    """Installs a lock; raises CalledProcessError where pip or uv failed, which say why."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as folder:
        pin = Path(folder, "uv.lock")
        pin.write_text(find_pin("uv", LOCK.read_text("utf-8")), "utf-8")
        subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", pin], check=True)
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True)
    variables = {**os.environ, **convert_pip_settings(listed.stdout, os.environ)}
    subprocess.run(build_command(environment, lock), check=True, env=variables)


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]), Path(sys.argv[2]))
    except subprocess.CalledProcessError as err:
        sys.exit(err.returncode)
