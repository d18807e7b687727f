# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated hosts with containerd, CRI-O or Docker, below a directory. The real containerd is in tests/contract.

The simulated containerd loads and merges files as the real one does (``LoadConfig``, ``mergeConfig``): 1.x lets the
last CRI section replace the others and has ``runc`` only without a table of a handler; 2.x merges table by table.
"""

from __future__ import annotations

import fnmatch
import json
import os
from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import cri_runtime
from ansible_collections.sovereign.region.plugins.module_utils._isolation.cri_text import at, merged, nested
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli, tomli_w

CRI = ("plugins", "io.containerd.grpc.v1.cri")
RUNTIME = ("plugins", "io.containerd.cri.v1.runtime")
IMAGES = ("plugins", "io.containerd.cri.v1.images")
MAIN = "/etc/containerd/config.toml"
SHIM = "/opt/kata/bin/containerd-shim-kata-v2"
CONFIG = "/opt/kata/share/configuration.toml"
RUNC = {"runtime_type": "io.containerd.runc.v2", "sandbox_mode": "podsandbox", "options": {"SystemdCgroup": False}}


class Machine:
    """One simulated host.

    Attributes:
        root: where its files are.
        active: whether the daemon runs.
        loaded: the handlers that it has.
        calls: what was run.
        fail: function of the argument list that may raise, or return a Finished instead.
        programs: those that the host has.
        runc: the handler that containerd has by itself.
    """

    def __init__(self, root, release="1.7.24", files=None):
        self.root, self.release, self.active, self.calls, self.fail = Path(root), release, True, [], None
        self.programs = {"containerd", "crio", "dockerd", "docker", "crictl", "ctr", "systemctl", "test"}
        self.write(SHIM, "#!/bin/true\n")
        os.chmod(self.root / SHIM.lstrip("/"), 0o755)
        self.write(CONFIG, "[runtime]\n")
        for path, text in (files or {}).items():
            self.write(path, text)
        self.loaded, self.runc = [], RUNC

    def write(self, path, text):
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text, encoding="utf-8")

    def read(self, path):
        return (self.root / path.lstrip("/")).read_text(encoding="utf-8")

    def files(self):
        return {str(path.relative_to(self.root)): path.read_bytes() for path in sorted((self.root / "etc").rglob("*"))
                if path.is_file()} if (self.root / "etc").exists() else {}

    def run(self, argv, timeout):
        self.calls.append(argv)
        if self.fail:
            answer = self.fail(argv)
            if answer is not None:
                return answer
        if argv[0] not in self.programs:
            raise errors.HostError("there is no program {0} on this host".format(argv[0]))
        return getattr(self, argv[0])(argv)

    def test(self, argv):
        real = self.root / argv[2].lstrip("/")
        return Finished(tuple(argv), 0 if real.is_file() and os.access(real, os.X_OK) else 1)

    def systemctl(self, argv):
        if argv[1] == "is-active":
            return Finished(tuple(argv), 0 if self.active else 3, "active\n" if self.active else "inactive\n")
        self.loaded = sorted(self.handlers(argv[2]))
        return Finished(tuple(argv), 0)

    def handlers(self, unit):
        if unit == "docker":
            path = self.root / "etc/docker/daemon.json"
            return {"runc": {}, **(json.loads(path.read_text()).get("runtimes", {}) if path.exists() else {})}
        if unit == "crio":
            printed = self.crio(["crio", "--config", "/etc/crio/crio.conf", "--config-dir", "/etc/crio/crio.conf.d"])
            return at(tomli.loads(printed.stdout), ("crio", "runtime", "runtimes")) or {"runc": {}}
        return at(self.effective(MAIN), (CRI if self.major == 1 else RUNTIME) + ("containerd", "runtimes"))

    def crictl(self, argv):
        if not self.active:
            return Finished(tuple(argv), 1, "", "connection refused")
        rows = [{"name": ""}, *({"name": one} for one in self.loaded)]
        return Finished(tuple(argv), 0, json.dumps({"runtimeHandlers": rows}))

    def ctr(self, argv):
        return Finished(tuple(argv), 0, "TYPE ID PLATFORMS STATUS\nio.containerd.grpc.v1 cri linux/amd64 ok\n"
                                        "io.containerd.snapshotter.v1 overlayfs linux/amd64 ok\n")

    # containerd

    @property
    def major(self):
        return int(self.release.split(".", 1)[0])

    def containerd(self, argv):
        if argv[1] == "--version":
            return Finished(tuple(argv), 0, "containerd containerd.io {0} abc\n".format(self.release))
        try:
            found = self.effective(argv[2] if argv[1] == "--config" else None)
        except (tomli.TOMLDecodeError, OSError) as error:
            return Finished(tuple(argv), 1, "", "containerd: failed to load TOML: {0}".format(error))
        return Finished(tuple(argv), 0, tomli_w.dumps(found))

    def effective(self, path):
        found = {"version": 2} if self.major == 1 else {"version": 3}
        waiting, done = [path] if path and (self.root / path.lstrip("/")).exists() else [], []
        while waiting:
            here = waiting.pop(0)
            if here in done:
                continue
            done.append(here)
            document = tomli.loads(self.read(here))
            for one in document.pop("imports", ()):
                full = os.path.normpath(os.path.join(os.path.dirname(here), one))
                folder = self.root / os.path.dirname(full).lstrip("/")
                names = sorted(os.listdir(folder)) if folder.is_dir() else []
                waiting += [os.path.join(os.path.dirname(full), name) for name in names
                            if fnmatch.fnmatchcase(name, os.path.basename(full))] if "*" in full else [full]
            document = self.migrated(document)
            if self.major == 1:
                plugins = dict(found.get("plugins", {}), **document.get("plugins", {}))
                found = merged(found, document)
                found["plugins"] = plugins
            else:
                found = merged(found, document)
        cri = CRI if self.major == 1 else RUNTIME
        runtimes = at(found, cri + ("containerd", "runtimes"))
        if not runtimes or self.major > 1:
            found = merged(nested(cri + ("containerd", "runtimes", "runc"), self.runc), found)
        found = merged(nested(cri + ("containerd", "default_runtime_name"), "runc"), found)
        found = merged(nested(("plugins", "io.containerd.snapshotter.v1.overlayfs", "root_path"), ""), found)
        return dict(found, imports=done)

    def migrated(self, document):
        document.pop("version", None)
        old = at(document, CRI)
        if self.major == 1 or old is None:
            return document
        del document["plugins"][CRI[1]]
        image = old.pop("sandbox_image", None)
        document = merged(document, nested(RUNTIME, old))
        return document if image is None else merged(document, nested(IMAGES + ("pinned_images", "sandbox"), image))

    # CRI-O and Docker

    def crio(self, argv):
        found = nested(("crio", "runtime", "runtimes", "runc", "runtime_path"), "")
        folder = self.root / argv[4].lstrip("/")
        paths = [self.root / argv[2].lstrip("/"), *(sorted(folder.iterdir()) if folder.is_dir() else [])]
        for path in paths:
            if path.exists():
                try:
                    found = merged(found, tomli.loads(path.read_text()))
                except tomli.TOMLDecodeError as error:
                    return Finished(tuple(argv), 1, "", str(error))
        path = ("crio", "runtime", "runtimes")
        if set(at(found, path)) == {"runc"}:
            # As the real one prints what is its own.
            del found["crio"]["runtime"]["runtimes"]
            comment = "# [crio.runtime.runtimes.runc]\n# runtime_path = \"\"\n\n"
            return Finished(tuple(argv), 0, tomli_w.dumps(found) + comment)
        return Finished(tuple(argv), 0, tomli_w.dumps(found))

    def dockerd(self, argv):
        try:
            found = json.loads(self.read(argv[3]))
        except ValueError as error:
            return Finished(tuple(argv), 1, "", str(error))
        bad = [name for name in found if name not in ("runtimes", "data-root", "registry-mirrors", "default-runtime")]
        return Finished(tuple(argv), 1 if bad else 0, "", "the following directives don't match: {0}".format(bad))

    def docker(self, argv):
        return Finished(tuple(argv), 0, json.dumps({name: {} for name in self.loaded}))

    def converge(self, handlers=(), check_mode=False, **more):
        given = params(handlers, **more)
        return host_module.converge(cri_runtime.Handlers(), Host(str(self.root), runner=self.run), given, check_mode)


def handler(name="kata", **more):
    """A handler as Ansible hands it over."""
    usual = {"name": name, "runtime_type": None, "runtime_path": SHIM, "config_path": CONFIG, "snapshotter": None,
             "options": {}, "privileged_without_host_devices": True, "pod_annotations": [],
             "container_annotations": [], "state": "present"}
    return dict(usual, **more)


def params(handlers=(), **more):
    """The options as Ansible hands them over."""
    usual = {"handlers": list(handlers), "runtime": "containerd", "runtime_config": None, "runtime_binary": None,
             "service": None, "sandbox_image": None, "enable_cdi": None, "crictl": "crictl", "pending": [],
             "allow_interruption": True, "expected_actions": None}
    return dict(usual, **more)
