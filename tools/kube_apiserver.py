# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' API server with Debian's etcd, and readers of other files, for the tests in tests/contract/kubernetes.

    tools/kube_apiserver.py COMMAND ...     runs COMMAND with KUBE_PROGRAMS set to the folder with the programs

They are built once from the Go modules that requirements/kubernetes locks with their digests, and kept in the cache,
keyed by those locks. That takes some ten minutes of one processor; a Go toolchain comes from the same place where this
machine has none that is new enough.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import cache
import progress
from step import CHECKOUT

LOCKS = CHECKOUT / "requirements" / "kubernetes"
VERSION = "v1.36.3"
RECIPE = "1"
PROXY = "https://proxy.golang.org"
# What the locks need, and the toolchain that is fetched where there is none: its module and its sha256.
GO = (1, 26)
TOOLCHAIN = "golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip"
TOOLCHAIN_SHA256 = "30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7"
# What is built, and from which folder of the locks: the small ones read CDI specifications as containerd does, and
# KubeletConfiguration as the kubelet does.
BUILT = {"cdi": ("cdi", "."), "kubelet-configuration": ("kubelet", "."),
         "kube-apiserver": ("apiserver", "k8s.io/kubernetes/cmd/kube-apiserver")}
PROGRAMS = ("etcd", *BUILT)


def hindrance() -> str:
    """Why there can be no API server here; empty when there can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "Kubernetes' API server is built for x86-64 Linux only"
    if shutil.which("etcd") is None and (shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None):
        return "there is no etcd, and no apt-get and dpkg-deb to get Debian's"
    try:
        directory = _directory()
    except cache.CacheError as error:
        return str(error)
    if not _is_made(directory) and not _is_reached(f"{_proxy()}/k8s.io/kubernetes/@v/{VERSION}.info"):
        return f"Kubernetes' API server is not in the cache, and {_proxy()} is out of reach"
    return ""


def _proxy() -> str:
    given = (part for part in os.environ.get("GOPROXY", "").split(",") if part.startswith("http"))
    return next(given, PROXY).rstrip("/")


def _is_reached(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except OSError:
        return False


def _is_made(directory: Path) -> bool:
    return all((directory / name).exists() for name in PROGRAMS)


def _directory() -> Path:
    key = hashlib.sha256(f"{RECIPE} {VERSION} {platform.machine()}".encode())
    for path in sorted(LOCKS.rglob("*")):
        if path.is_file():
            key.update(path.read_bytes())
    return cache.root() / "kubernetes" / key.hexdigest()[:16]


def programs() -> Path:
    """The folder with the programs, made now unless it exists."""
    directory = _directory()
    if not _is_made(directory):
        with cache.locked(directory, "Kubernetes' API server"):
            # What is there is whole: each program is moved into its place when it is ready.
            directory.mkdir(exist_ok=True)
            _make(directory)
    return directory


def _make(directory: Path) -> None:
    build = directory.with_name(directory.name + ".build")
    build.mkdir(exist_ok=True)
    if not (directory / "etcd").exists():
        _etcd(build, directory / "etcd")
    missing = [name for name in BUILT if not (directory / name).exists()]
    go = _go(build) if missing else ""
    for name in missing:
        folder, package = BUILT[name]
        _build(go, build, LOCKS / folder, package, directory / name)
    shutil.rmtree(build, ignore_errors=True)


def _etcd(build: Path, target: Path) -> None:
    """etcd of this machine, or taken out of Debian's package: nothing is installed and no service starts."""
    if found := shutil.which("etcd"):
        target.symlink_to(found)
        return
    with tempfile.TemporaryDirectory(dir=build) as folder:
        # Not as apt's own user, who cannot write here.
        fetch = "apt-get -q -o APT::Sandbox::User=root download etcd-server"
        script = f'cd "$0" && {fetch} && dpkg-deb -x etcd-server_*.deb .'
        command = ["sh", "-c", script, folder]
        try:
            progress.run(command, "Debian's etcd")
        except progress.CommandFailed:
            if os.getuid() != 0:
                raise
            progress.run(["apt-get", "update", "-q"], "apt-get update")
            progress.run(command, "Debian's etcd")
        os.replace(Path(folder) / "usr/bin/etcd", target)


def _go(build: Path) -> str:
    """A Go that is new enough: this machine's, or the pinned toolchain."""
    if found := shutil.which("go"):
        # Go keeps counters in the home directory, and would make one that does not exist.
        said = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=False,
                              env={**os.environ, "HOME": str(build)}).stdout
        numbers = re.match(r"go(\d+)\.(\d+)", said)
        if numbers and tuple(map(int, numbers.groups())) >= GO:
            return found
    home = build / "go"
    if not (home / ".complete").exists():
        progress.say("  fetching the Go toolchain that builds Kubernetes' API server")
        archive = build / "toolchain.zip"
        with urllib.request.urlopen(f"{_proxy()}/{TOOLCHAIN}", timeout=300) as reply, \
                open(archive, "wb") as out:
            shutil.copyfileobj(reply, out)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != TOOLCHAIN_SHA256:
            raise cache.CacheError(f"{TOOLCHAIN}: its sha256 is {digest}, not {TOOLCHAIN_SHA256}")
        _unpack(archive, home)
        archive.unlink()
        (home / ".complete").touch()
    return str(home / "bin" / "go")


def _unpack(archive: Path, home: Path) -> None:
    """Unpacks a toolchain's module, whose files all lie below a folder with its name and version."""
    shutil.rmtree(home, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            inside = entry.filename.split("/", 2)[2] if entry.filename.count("/") > 1 else ""
            if inside and not entry.is_dir():
                target = home / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out)
                if inside.startswith(("bin/", "pkg/tool/")):
                    target.chmod(0o755)


def _build(go: str, build: Path, module: Path, package: str, target: Path) -> None:
    """Builds a program of a locked module: go.sum has the digest of everything that is fetched."""
    variables = {
        **os.environ, "GOFLAGS": "-buildvcs=false -mod=readonly -modcacherw", "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local", "GOPATH": str(build / "path"), "GOMODCACHE": str(build / "path/pkg/mod"),
        "GOCACHE": str(build / "objects"), "GOWORK": "off", "HOME": str(build),
    }
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}"
    made = build / target.name
    # Others may be at work on this machine.
    progress.run(["nice", "-n", "19", go, "-C", str(module), "build", "-trimpath", "-ldflags", flags, "-o", str(made),
                  package], f"building {target.name}", variables)
    os.replace(made, target)


def main() -> int:
    """Makes the programs and runs the command."""
    if len(sys.argv) < 2:
        progress.say(__doc__ or "")
        return 2
    try:
        place = programs()
    except (cache.CacheError, progress.CommandFailed, OSError) as error:
        progress.say(f"kube_apiserver: {error}")
        return 1
    return subprocess.call(sys.argv[1:], env={**os.environ, "KUBE_PROGRAMS": str(place)}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
