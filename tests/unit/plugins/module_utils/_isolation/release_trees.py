# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small tarballs in the layout of upstream's releases, and hosts on which they are installed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from unittest import mock

from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release

ROOT = "/opt/kata-releases"
# Without the program only what Python unpacks itself can be tried.
KINDS = ["xz"] + (["zst"] if shutil.which("zstd") else [])
CONFIGURATION = """\
# Your distribution recommends: ["/opt/kata/bin/qemu-system-x86_64"]
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
valid_hypervisor_paths = ["/opt/kata/bin/qemu-system-x86_64","/opt/kata/bin/qemu-system-x86_64-snp"]
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
elsewhere = "/srv/opt/kata/x:/opt/kata-old/y"
"""


def directory(name, mode=0o755):
    """A directory as a member."""
    return _member(name, tarfile.DIRTYPE, mode=mode), b""


def file(name, content=b"x", mode=0o644):
    """A regular file as a member."""
    return _member(name, tarfile.REGTYPE, mode=mode, size=len(content)), content


def link(name, target):
    """A symbolic link as a member."""
    return _member(name, tarfile.SYMTYPE, mode=0o777, linkname=target), b""


def hard_link(name, target):
    """A hard link as a member."""
    return _member(name, tarfile.LNKTYPE, linkname=target), b""


def special(name, kind):
    """A device, a named pipe and the like as a member."""
    return _member(name, kind, mode=0o666), b""


def _member(name, kind, **fields):
    member = tarfile.TarInfo(name)
    member.type, member.uid, member.gid = kind, 1234, 1234
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def layout(version="4.1.0", shims=("runtime-rs",), shim=b"\x7fELF shim", top="./opt/kata"):
    """The members of a release as upstream packs one, with a QEMU that is the distribution's."""
    members = [directory(f"{top}/"), file(f"{top}/VERSION", version.encode() + b"\n"), directory(f"{top}/bin")]
    for name in shims:
        home = "" if name == "go" else "runtime-rs/"
        members.append(file(f"{top}/{home}bin/containerd-shim-kata-v2", shim, 0o755))
        members.append(file(f"{top}/share/defaults/kata-containers/{home}configuration-qemu.toml",
                            CONFIGURATION.encode()))
    return [*members,
            link(f"{top}/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64"),
            link(f"{top}/share/kata-containers/vmlinux.container", "vmlinux-6.18.35-1"),
            file(f"{top}/share/kata-containers/vmlinux-6.18.35-1", b"kernel"),
            file(f"{top}/share/kata-containers/kata-containers.img", b"image" * 1000),
            link(f"{top}/share/kata-containers/absolute.img", "/opt/kata/share/kata-containers/kata-containers.img")]


def pack(path, members, kind="xz"):
    """Write a tarball and return its SHA-256."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return put(path, raw.getvalue(), kind)


def put(path, plain, kind="xz"):
    """Write bytes compressed and return the SHA-256 of the file."""
    if kind == "xz":
        content = lzma.compress(plain, preset=0)
    else:
        content = subprocess.run(["zstd", "-q", "-c"], input=plain, stdout=subprocess.PIPE, check=True).stdout
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


class Machine:
    """A host below a directory, with tarballs in its /srv and an empty /proc.

    Its disk loses nothing, so nothing waits for it unless ``waits`` is set; see test_release_unpack for the waiting.
    """

    waits = False

    def __init__(self, root: Path):
        self.root = root
        (root / "proc").mkdir(parents=True, exist_ok=True)
        self.host = Host(str(root))
        self.releases = root / ROOT[1:]

    def tarball(self, version, flavour="static", members=None, kind="xz"):
        """Put a tarball on the host; return the options that declare its release."""
        name = f"kata-{flavour}-{version}-amd64.tar.{kind}"
        if members is None:
            members = layout(version.split("-")[0], ("go",) if flavour == "go-static" else ("runtime-rs",))
        digest = pack(self.root / "srv" / name, members, kind)
        return {"version": version, "flavour": flavour, "source": f"/srv/{name}", "sha256": digest}

    def converge(self, check=False, **options):
        """Run the module."""
        with contextlib.nullcontext() if self.waits else mock.patch("os.fsync"):
            return host_module.converge(release, self.host, parameters(**options), check)

    def process(self, pid, **looks):
        """Let /proc show a process: exe, cwd, cmdline, maps, fd, mountinfo."""
        base = self.root / "proc" / str(pid)
        (base / "fd").mkdir(parents=True, exist_ok=True)
        for name in ("cmdline", "maps", "mountinfo", "comm"):
            (base / name).write_text(looks.get(name, "" if name != "comm" else "kata\n"))
        for name in ("exe", "cwd"):
            if name in looks:
                (base / name).symlink_to(looks[name])
        for number, target in enumerate(looks.get("fd", ())):
            (base / "fd" / str(number)).symlink_to(target)

    def names(self):
        """What lies in the directory of releases."""
        return sorted(os.listdir(self.releases)) if self.releases.exists() else []

    def snapshot(self):
        """Everything below the directory of releases: {path: (mode, content or target)}; times do not count."""
        found = {}
        for path in sorted(self.releases.rglob("*")) if self.releases.exists() else ():
            name, status = str(path.relative_to(self.releases)), path.lstat()
            if path.is_symlink():
                found[name] = ("link", os.readlink(path))
            elif path.is_dir():
                found[name] = (oct(status.st_mode), None)
            else:
                text = path.read_bytes()
                keep = [one for one in text.splitlines() if b'"unpacked":' not in one]
                found[name] = (oct(status.st_mode), b"\n".join(keep))
        return found


def parameters(**options):
    """The module's options with their defaults."""
    spec = dict(host_module.HOST_SPEC, **release.ARGUMENT_SPEC)
    defaults = {name: option.get("default") for name, option in spec.items()}
    assert set(options) <= set(defaults), options
    return dict(defaults, **options)
