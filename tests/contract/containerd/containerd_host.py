# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose containerd is that of a Debian suite: the programs are Debian's, files are the test's own."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished, execute
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cri_runtime
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli

ROOTS = Path(os.environ.get("CONTAINERD_ROOTS", "/nonexistent"))
# Oldest first. "upstream" is containerd 2.3, which tools/containerd_packages.py builds with FULL=1.
SUITES = ("bookworm", "trixie", "sid")
if os.environ.get("FULL") == "1" and (ROOTS / "upstream").is_dir():
    SUITES += ("upstream",)
MAIN = "/etc/containerd/config.toml"
MINE = ("etc/containerd", "etc/docker", "opt", "run", "var/lib")
# In a mount namespace of its own: $1 is the test's directory, $2 the suite's root, the rest is run there.
ENTER = """
set -e
mount --make-rprivate /
mine=$1 root=$2
shift 2
for place in {0}; do mount --bind "$mine/$place" "$root/$place"; done
mount -t proc proc "$root/proc"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$root" "$@"
""".format(" ".join(MINE))
SHIM = "/opt/kata/bin/containerd-shim-kata-v2"
CONFIG = "/opt/kata/share/configuration.toml"


# A daemon of its own has its own processes, so that nothing of it outlives the test, and the kernel's own file systems.
# runc does not start containers in a chroot, so that the root is changed for good.
PIVOT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
if libc.syscall(155, b".", b".") or libc.umount2(b".", 2):
    raise OSError(ctypes.get_errno(), "pivot_root")
os.chdir("/")
os.execve("/usr/bin/" + sys.argv[2], sys.argv[2:], {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})
"""
LIVE = """
set -e
mount --make-rprivate /
python=$1 pivot=$2 mine=$3 root=$4
shift 4
mount --bind "$root" "$root"
for place in {0}; do mount --bind "$mine/$place" "$root/$place"; done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
exec "$python" -c "$pivot" "$root" "$@"
""".format(" ".join(MINE))
SOCKET = "/run/containerd/containerd.sock"


class Containerd:
    """One host.

    Attributes:
        root: where its files are.
        active: whether systemd calls the unit active.
        calls: what was run.
        fail: function of the argument list that may raise, or return a Finished instead.
    """

    def __init__(self, root, suite, main=None, drop_ins=None):
        self.root, self.suite, self.active, self.calls, self.fail = Path(root), suite, False, [], None
        for place in MINE:
            (self.root / place).mkdir(parents=True, exist_ok=True)
        self.write(SHIM, "#!/bin/true\n").chmod(0o755)
        self.write(CONFIG, "[runtime]\n")
        # The packages' own shim, as a file of this host: what is started is the suite's.
        self.write("/usr/bin/containerd-shim-runc-v2", "").chmod(0o755)
        if main is not None:
            self.write(MAIN, main)
        for name, content in (drop_ins or {}).items():
            self.write(name, content)

    def write(self, path, content):
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(content, encoding="utf-8")
        return real

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text(encoding="utf-8")

    def inside(self, argv, timeout=60):
        """Runs a program of the suite on this test's files."""
        return execute(["unshare", "--mount", "sh", "-c", ENTER, "sh", str(self.root), str(ROOTS / self.suite), *argv],
                       timeout)

    def run(self, argv, timeout):
        self.calls.append(argv)
        answer = self.fail(argv) if self.fail else None
        if answer is not None:
            return answer
        if argv[0] == "test":
            real = self.root / argv[2].lstrip("/")
            return Finished(tuple(argv), 0 if real.is_file() and os.access(real, os.X_OK) else 1)
        if argv[0] == "systemctl":
            return self.systemctl(argv)
        if argv[0] in ("crictl", "ctr", "docker"):
            return self.query(argv, timeout)
        return self.inside(argv, timeout)

    def systemctl(self, argv):
        return Finished(tuple(argv), 0 if self.active else 3, "active\n" if self.active else "inactive\n")

    def query(self, argv, timeout):
        raise errors.HostError("there is no program {0} on this host".format(argv[0]))

    def converge(self, handlers=(), check_mode=False, **more):
        given = params(handlers, **more)
        return host_module.converge(cri_runtime.Handlers(), Host(str(self.root), runner=self.run), given, check_mode)

    def dump(self):
        """What containerd itself makes of the files, read without our code; only the names of the files left out."""
        argv = ["containerd", "--config", MAIN, "config", "dump"]
        if not (self.root / MAIN.lstrip("/")).exists():
            argv = ["containerd", "config", "default"]
        done = self.inside(argv)
        assert done.ok, done.stderr
        found = tomli.loads(done.stdout)
        found.pop("imports", None)
        return found

    def files(self):
        """Every file below /etc and what it holds."""
        places = [path for path in sorted((self.root / "etc").rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in places}


def handlers_of(dump):
    """The tables of the handlers in a dump."""
    plugin = "io.containerd.grpc.v1.cri" if dump["version"] == 2 else "io.containerd.cri.v1.runtime"
    return dump["plugins"][plugin]["containerd"]["runtimes"]


def handler(name="kata", **more):
    """A handler as Ansible hands it over."""
    usual = {"name": name, "runtime_type": None, "runtime_path": SHIM, "config_path": CONFIG, "snapshotter": None,
             "options": {}, "privileged_without_host_devices": True, "pod_annotations": ["io.katacontainers.*"],
             "container_annotations": [], "state": "present"}
    return dict(usual, **more)


def params(handlers=(), **more):
    """The options as Ansible hands them over."""
    usual = {"handlers": list(handlers), "runtime": "containerd", "runtime_config": None, "runtime_binary": None,
             "service": None, "sandbox_image": None, "enable_cdi": None, "crictl": "crictl", "pending": [],
             "allow_interruption": False, "expected_actions": None}
    return dict(usual, **more)
