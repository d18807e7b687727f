# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments from locked, hashed requirements, kept in the cache and made once.

    tools/environment.py run                                          an environment of requirements/run.txt
    tools/environment.py roles/embedded_region/files/requirements.txt any other lock file

Prints one directory per name. What is there already costs a few milliseconds.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cache
import progress

CHECKOUT = Path(__file__).resolve().parent.parent
RECIPE = "1"  # raise it when the way an environment is made changes


def lock_file(name: str) -> Path:
    """The lock behind a short name or a path."""
    path = Path(name) if name.endswith(".txt") else CHECKOUT / "requirements" / f"{name}.txt"
    if not path.is_file():
        raise cache.CacheError(f"there is no lock file {path}")
    return path


def short_name(name: str) -> str:
    """What people call it: `run`, or the role that a lock file belongs to."""
    path = Path(name)
    if not name.endswith(".txt"):
        return name
    return path.resolve().parent.parent.name.replace("_", "-") if path.stem == "requirements" else path.stem


def location(name: str) -> Path:
    """Where the environment is or will be: keyed by everything that decides what is in it."""
    key = hashlib.sha256(lock_file(name).read_bytes())
    key.update("\0".join((RECIPE, os.path.realpath(sys.executable), sys.version, platform.machine())).encode())
    return cache.root() / "environments" / f"{short_name(name)}-{key.hexdigest()[:16]}"


def make(name: str) -> Path:
    """The environment of that lock file, made now unless it exists."""
    directory = location(name)
    stamp = directory / ".complete"
    if stamp.exists():
        return directory
    with cache.locked(directory, f"environment {short_name(name)}"):
        if not stamp.exists():
            _build(name, directory)
            stamp.touch()
    return directory


def python(name: str) -> Path:
    """The interpreter of that environment."""
    return make(name) / "bin" / "python"


def _build(name: str, directory: Path) -> None:
    """Made in place, because its scripts hold its path; a stamp, written last, says that it is whole."""
    label, started = short_name(name), time.monotonic()
    lock = lock_file(name)
    progress.say(f"  {label}: making a virtual environment in {directory}")
    shutil.rmtree(directory, ignore_errors=True)
    pip = _empty_environment(directory)
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    variables["PIP_CACHE_DIR"] = str(cache.root() / "pip")
    progress.run(
        # The lock is whole, so there is nothing to resolve; bytecode is written by those that import it.
        [*pip, "install", "--require-hashes", "--no-deps", "--no-compile", "--no-input", "--progress-bar", "off",
         "--disable-pip-version-check", "-r", str(lock)],
        f"{label}: installing {_count(lock)} packages", variables, _latest,
    )
    progress.say(f"  {label}: ready, {time.monotonic() - started:.0f} s")


def _empty_environment(directory: Path) -> list[str]:
    """Makes the environment and returns the pip that installs into it: its own, else the interpreter's."""
    if _has("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True, stdin=subprocess.DEVNULL)
        return [str(directory / "bin" / "python"), "-m", "pip"]
    if not _has("pip"):
        _install_venv_package()
        return _empty_environment(directory)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    return [sys.executable, "-m", "pip", "--python", str(directory / "bin" / "python")]


def _has(module: str) -> bool:
    """Whether that module works here; Debian ships a venv without ensurepip, found only by running it."""
    code = f"import {module}; getattr({module}, 'version', str)()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def _install_venv_package() -> None:
    """The last resort: the system's package, where we may install one."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise cache.CacheError(f"{sys.executable} has neither ensurepip nor pip: install {package}, or pip, and retry")
    progress.say(f"  installing the system package {package}: this Python cannot make virtual environments")
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    progress.run(["apt-get", "update", "-q"], "apt-get update", variables)
    progress.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], package, variables)
    if not _has("ensurepip"):
        raise cache.CacheError(f"{sys.executable} still has no ensurepip; choose another with PYTHON=/path/to/python3")


def _count(lock: Path) -> int:
    """How many packages a lock names (those of other platforms as well)."""
    return len(re.findall(r"^[A-Za-z0-9][\w.-]*==", lock.read_text(encoding="utf-8"), re.M))


def _latest(output: str) -> str:
    """What pip is at, from its output."""
    if "Installing collected packages" in output:
        return "unpacking"
    found = re.findall(r"^Collecting ([\w.-]+)", output, re.M)
    return f"{found[-1]} ({len(found)})" if found else ""


def main() -> int:
    """Makes what is named and prints where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="+", help="a file of requirements/ without .txt, or the path of a lock file")
    try:
        for name in parser.parse_args().name:
            print(make(name), flush=True)
    except (cache.CacheError, progress.CommandFailed, OSError, subprocess.CalledProcessError) as error:
        progress.say(f"environment: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
