"""The locked installation: what pip was told reaches uv, and a changed file does not get in."""

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def install(script):
    return script("tools/install.py")


def test_the_lock_pins_the_uv_that_installs_it(install, project_root: Path):
    lock = (project_root / "requirements.lock").read_text("utf-8")
    lines = install.find_pin("uv", lock).splitlines()
    assert Requirement(lines[0].rstrip("\\ ")).name == "uv"
    assert lines[1].strip().startswith("--hash=sha256:")
    assert [line for line in lines[1:] if not line.startswith(" ")] == []


def test_the_last_requirement_of_a_lock_is_read_to_its_end(install):
    lock = "a==1 \\\n    --hash=sha256:0\nuv==2 \\\n    --hash=sha256:1\n    # via x\n"
    assert install.find_pin("uv", lock) == lock[lock.index("uv") :]


def test_a_lock_without_uv_is_refused(install):
    with pytest.raises(ValueError, match=r"Expected a lock that pins uv; it does not\. Run make"):
        install.find_pin("uv", "uvicorn==1 \\\n    --hash=sha256:0\n")


def test_what_pip_was_told_is_told_to_uv(install):
    told = install.convert_pip_settings(
        "global.cert='/etc/ours.pem'\n"
        "global.extra-index-url='file:///a file:///b'\n"
        "global.find-links='/wheels\\n/more'\n"
        "global.index-url='file:///one'\n"
        "global.no-compile='true'\n"
        "install.index-url='file:///two'\n",
        {},
    )
    assert told == {
        "SSL_CERT_FILE": "/etc/ours.pem",
        "UV_EXTRA_INDEX_URL": "file:///a file:///b",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_DEFAULT_INDEX": "file:///two",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_a_variable_of_pip_weighs_more_than_its_files_and_one_of_uv_most(install):
    settings = ":env:.index-url='file:///variable'\nglobal.index-url='file:///file'\n"
    assert install.convert_pip_settings(settings, {})["UV_DEFAULT_INDEX"] == "file:///variable"
    assert "UV_DEFAULT_INDEX" not in install.convert_pip_settings(
        settings, {"UV_DEFAULT_INDEX": "file:///uv"}
    )


def test_settings_of_this_machines_pip_can_be_read(install):
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, check=True, capture_output=True, text=True).stdout
    assert install.convert_pip_settings(listed, {})["UV_INDEX_STRATEGY"] == "unsafe-best-match"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """A folder with one wheel."""
    folder = tmp_path_factory.mktemp("wheels")
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "SIZE = 1\n")
        wheel.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return folder


@pytest.fixture
def installed(install, wheels: Path, tmp_path: Path):
    """Installs a lock of the one wheel, with the hash of some content, into a new environment."""

    def run(content: bytes) -> tuple[subprocess.CompletedProcess[str], bool]:
        lock = tmp_path / "lock"
        lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{hashlib.sha256(content).hexdigest()}\n")
        venv.create(tmp_path / "venv")
        known = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels), "UV_NO_CACHE": "1"}
        done = subprocess.run(
            install.build_command(tmp_path / "venv", lock),
            env={**os.environ, **known},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, any((tmp_path / "venv").rglob("tiny.py"))

    return run


def test_a_file_with_the_hash_of_the_lock_is_installed(installed, wheels: Path):
    (wheel,) = wheels.iterdir()
    done, there = installed(wheel.read_bytes())
    assert done.returncode == 0, done.stderr
    assert there


def test_a_file_with_another_hash_is_refused(installed):
    done, there = installed(b"what the lock was made of")
    assert done.returncode != 0
    assert "Hash mismatch" in done.stderr
    assert not there
