"""Installs a lock into an environment, every file checked against its hash.

    python tools/install.py ENVIRONMENT LOCK

uv does it, in a third of pip's time. The lock itself pins uv, so pip installs that one package
first. uv reads none of pip's settings: those that say where packages come from are handed on.
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

SEPARATOR: Final = {"UV_FIND_LINKS": ","}
"""Between several values of a variable; a space where none is named."""

COUNTERPARTS: Final = {
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

WEIGHTIEST_LAST: Final = ("global.", "install.", ":env:.")


def lines_of(package: str, lock: str) -> str:
    """The lines of a lock that pin one package.

    Args:
        package: Its name.
        lock: Text of the lock.

    Returns:
        Requirement with its hashes.

    Raises:
        ValueError: It pins no such package.
    """
    found = re.search(rf"^{package}==.*\n(?:[ #].*\n)*", lock, re.MULTILINE)
    if found is None:
        raise ValueError(f"Expected a lock that pins {package}; it does not. Run make lock.")
    return found[0]


def handed_on(pip_settings: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that tell uv what pip was told.

    Args:
        pip_settings: What `pip config list` prints.
        environment: Variables that are set; they win.

    Returns:
        Variable to value.
    """
    rows = dict(line.split("=", 1) for line in pip_settings.splitlines())
    told = {
        COUNTERPARTS[name]: ast.literal_eval(rows[section + name])
        for section in WEIGHTIEST_LAST
        for name in COUNTERPARTS
        if section + name in rows
    }
    joined = {
        name: SEPARATOR.get(name, " ").join(value.split()) for name, value in told.items() if value
    }
    # as pip does: the best match of all indexes; the hash decides what is let in
    return {
        name: value
        for name, value in {"UV_INDEX_STRATEGY": "unsafe-best-match", **joined}.items()
        if not environment.get(name)
    }


def install(environment: Path, lock: Path) -> None:
    """Install a lock.

    Args:
        environment: Folder of a virtual environment.
        lock: Requirements, each with its hashes.

    Raises:
        CalledProcessError: pip or uv failed; they say why.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "uv.lock")
        first.write_text(lines_of("uv", LOCK.read_text("utf-8")), "utf-8")
        subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", first], check=True)
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True)
    settings = {**os.environ, **handed_on(listed.stdout, os.environ)}
    subprocess.run(command(environment, lock), check=True, env=settings)


def command(environment: Path, lock: Path) -> list[str | Path]:
    """What installs a lock, once uv is there.

    Args:
        environment: Folder of a virtual environment.
        lock: Requirements, each with its hashes.

    Returns:
        Words of the command.
    """
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-progress"]
    python = environment / "bin/python"
    return [*uv, "--python", python, "--compile-bytecode", "--require-hashes", "-r", lock]


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]), Path(sys.argv[2]))
    except subprocess.CalledProcessError as err:
        sys.exit(err.returncode)
