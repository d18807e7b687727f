# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host below a directory with releases of Kata in upstream's layout. The files are synthetic, shaped as 4.1's."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import config, config_single
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli

GO, RUST = "/opt/kata-releases/4.1.0-go-static", "/opt/kata-releases/4.1.0-static"
_DEFAULTS = "share/defaults/kata-containers"
_HYPERVISOR = """\
[hypervisor.qemu]
path = "{0}/bin/qemu-system-x86_64"
kernel = "{0}/share/kata-containers/vmlinux.container"
image = "{0}/share/kata-containers/kata-containers.img"
machine_type = "q35"
enable_annotations = ["enable_iommu", "kernel_params"]
kernel_params = "cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1"
default_vcpus = 1
default_memory = 2048
default_maxmemory = 0
shared_fs = "virtio-fs"
virtio_fs_daemon = "{0}/libexec/virtiofsd"
virtio_fs_extra_args = ["--thread-pool-size=1", "-o", "announce_submounts"]
enable_debug = false
cold_plug_vfio = "no-port"
pcie_root_port = 0
"""
GO_TEXT = (_HYPERVISOR + """\
seccompsandbox = ""
hot_plug_vfio = "no-port"

[agent.kata]
debug_console_enabled = false
dial_timeout = 45

[runtime]
internetworking_model = "tcfilter"
create_container_timeout = 60
""").format(GO)
RUST_TEXT = (_HYPERVISOR + """\
seccomp_sandbox = ""
overhead_vcpus = 0.2
overhead_memory = 32
extra_monitor_socket = ""

[agent.kata]
dial_timeout_ms = 10
reconnect_timeout_ms = 3000
create_container_timeout = 30
[agent.kata.mem_agent]
mem_agent_enable = false

[runtime]
internetworking_model = "tcfilter"
name = "virt_container"
hypervisor_name = "qemu"
""").format(RUST)
FILES = ("bin/qemu-system-x86_64", "share/kata-containers/vmlinux.container",
         "share/kata-containers/kata-containers.img", "libexec/virtiofsd")
GO_SHIM = {"shim": "qemu", "release": GO}
RUST_SHIM = {"shim": "qemu-runtime-rs", "release": RUST}


class Killed(BaseException):
    """Stands for the end of the process, so nothing of ours may catch it."""


class Dying(Host):
    """A host on which the process is killed after so many writes, or in the middle of one.

    Args:
        root: directory.
        left: writes that still happen.
        within: whether the last one is cut: its temporary file stays.
    """

    def __init__(self, root, left, within=False):
        super().__init__(root)
        self._left = left
        self._within = within

    def write_file(self, path, text, mode=None):
        self._count(path, text)
        super().write_file(path, text, mode)

    def remove_file(self, path):
        self._count(None, None)
        super().remove_file(path)

    def _count(self, path, text):
        if self._left == 0:
            if self._within and path:
                folder, name = path.rsplit("/", 1)
                super().write_file("{0}/.{1}.ab_1x2y3".format(folder, name), text[:len(text) // 2])
            raise Killed()
        self._left -= 1


def host(root):
    """Make both releases below a directory and return its Host."""
    for release, text, folder, shim in ((GO, GO_TEXT, "", "qemu"), (RUST, RUST_TEXT, "runtime-rs/", "qemu-runtime-rs")):
        for name in FILES:
            put(root, "{0}/{1}".format(release, name), "")
        put(root, release + "/VERSION", "4.1.0\n")
        put(root, "{0}/{1}/{2}configuration-{3}.toml".format(release, _DEFAULTS, folder, shim), text)
    return Host(str(root))


def put(root, path, text):
    """Write a file of the host."""
    real = Path(root) / path.lstrip("/")
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text(text, encoding="utf-8")
    return real


def own_folder(shim):
    """Return the directory of a shim, as the host names it."""
    folder = "runtime-rs/" if shim["release"] == RUST else ""
    return "{0}/{1}/{2}runtimes/{3}".format(shim["release"], _DEFAULTS, folder, shim["shim"])


def params(**options):
    """Return the options of the module."""
    return dict({"shim": None, "release": None, "settings": {}, "append": {}, "sizing": None, "allow_debug": False,
                 "allow_all_annotations": False, "kata_version": None, "state": "present", "shims": None,
                 "allow_interruption": False, "expected_actions": None}, **options)


def entry(**options):
    """Return an entry of ``shims`` as Ansible fills it up."""
    whole = params(**options)
    return {name: whole.get(name) for name in config_single.ARGUMENT_SPEC}


def sized(**numbers):
    """Return a whole option ``sizing``."""
    return dict({"gpus": 0, "nvswitches": 0, "other_devices": 0, "guest_memory": None}, **numbers)


def run(machine, check=False, **options):
    """Return what the module returns. Raises RegionError."""
    return host_module.converge(config.DOMAIN, machine, params(**options), check)


def seen(machine, shim):
    """Return the configuration as a shim reads it: an own reading, that shares nothing with the module."""
    real = Path(machine.root) / own_folder(shim).lstrip("/") / "configuration-{0}.toml".format(shim["shim"])
    tree = tomli.loads(real.resolve().read_text(encoding="utf-8"))

    def lay(base, over):
        for key, value in over.items():
            if isinstance(value, dict) and isinstance(base.get(key), dict):
                lay(base[key], value)
            else:
                base[key] = value

    for path in sorted((real.resolve().parent / "config.d").iterdir(), key=lambda one: one.name):
        lay(tree, tomli.loads(path.read_text(encoding="utf-8")))
    return tree
