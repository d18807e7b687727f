# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we say is in effect, against what the Go shim itself makes of the same files (``kata-runtime env``).

It wants ``/dev/vhost-vsock`` and a syslog socket, and loads kernel modules when it finds ``modprobe``: so it runs with
a ``/dev`` of its own and an empty PATH. strace answers in the place of the kernel's vsock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import config
from ansible_collections.sovereign.region.plugins.module_utils._vendor import tomli_w
from contract.kata_config.releases import TARBALLS, unpack

# Arguments: a directory of its own, and the command.
ALONE = textwrap.dedent("""\
    import os, socket, subprocess, sys, threading
    place = sys.argv[1]
    os.makedirs(place)
    run = lambda *argv: subprocess.run(argv, check=True)
    run("mount", "-t", "tmpfs", "none", place)
    for name in ("null", "zero", "random", "urandom"):
        open(os.path.join(place, name), "w").close()
        run("mount", "--bind", "/dev/" + name, os.path.join(place, name))
    open(os.path.join(place, "vhost-vsock"), "w").close()
    run("mount", "--rbind", place, "/dev")
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    threading.Thread(target=lambda: [log.recv(65536) for unused in iter(int, 1)], daemon=True).start()
    strace = [one for one in ("/usr/bin/strace", "/bin/strace", "/usr/local/bin/strace") if os.path.exists(one)][0]
    argv = [strace, "-qq", "-o", "/dev/null", "-f", "-P", "/dev/vhost-vsock", "-e", "trace=ioctl",
            "-e", "inject=ioctl:retval=0"] + sys.argv[2:]
    sys.exit(subprocess.run(argv, env={"PATH": "/nowhere"}, timeout=60).returncode)
    """)


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    tarball = next(path for path in TARBALLS if path.name.startswith("kata-go-static-"))
    return unpack(tarball, tmp_path_factory.mktemp("kata"))


def configure(release, **options):
    params = dict({"shim": "qemu", "release": str(release), "settings": {}, "append": {}, "sizing": None,
                   "allow_debug": False, "allow_all_annotations": False, "kata_version": None, "state": "present",
                   "shims": None, "allow_interruption": False, "expected_actions": None}, **options)
    return host_module.converge(config.DOMAIN, Host(), params, False)


def asked(release, path, tmp_path):
    """Return (exit status, what the shim said)."""
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", ALONE, str(tmp_path / "dev"), str(release / "bin/kata-runtime"),
         "--config", path, "env", "--json"], capture_output=True, text=True, timeout=90)
    return done.returncode, done.stdout + done.stderr


def from_initrd(release):
    return {"image": "", "initrd": str(release / "share/kata-containers/kata-containers-initrd.img")}


def test_the_shim_sees_what_we_say_it_sees(release, tmp_path):
    done = configure(
        release, settings={"hypervisor": {"qemu": dict(from_initrd(release), default_memory=4096, memory_slots=7)}},
        append={"hypervisor": {"qemu": {"kernel_params": "mitigations=off", "enable_annotations": ["default_vcpus"]}}},
        sizing={"gpus": 8, "nvswitches": 4, "other_devices": 0, "guest_memory": None})
    status, said = asked(release, done["config_path"], tmp_path)
    assert status == 0, said
    theirs, ours = json.loads(said), done["effective"]["hypervisor"]["qemu"]
    seen, wanted = theirs["Hypervisor"], {
        "ColdPlugVFIO": "cold_plug_vfio", "HotPlugVFIO": "hot_plug_vfio", "PCIeRootPort": "pcie_root_port",
        "MemorySlots": "memory_slots", "MachineType": "machine_type", "Path": "path", "SharedFS": "shared_fs",
        "BlockDeviceDriver": "block_device_driver", "EntropySource": "entropy_source"}
    assert {name: seen[name] for name in wanted} == {name: ours[key] for name, key in wanted.items()}
    assert (seen["PCIeRootPort"], seen["ColdPlugVFIO"]) == (12, "root-port")
    assert seen["SecurityInfo"]["EnableAnnotations"] == ours["enable_annotations"]
    assert theirs["Kernel"]["Parameters"].endswith(ours["kernel_params"])
    assert (theirs["Initrd"]["Path"], theirs["Image"]["Path"]) == (ours["initrd"], "")
    assert theirs["Runtime"]["Config"]["Path"] == done["config_path"]


@pytest.mark.parametrize("tree, is_taken", [
    # The reasons for which drop-ins of others are refused, and one that is harmless.
    ({"hypervisor": {"qemu": {"nonsense": 1}}}, False),
    ({"agent": {"kata": {"nonsense": 1}}}, False),
    ({"hypervisor": {"qemu": {"default_memory": "2G"}}}, False),
    ({"hypervisor": {"qemu": {"shared_fs": "nonsense"}}}, False),
    ({"runtime": {"vfio_mode": "nonsense"}}, False),
    ({"runtime": {"nonsense": 1}}, True),
])
@pytest.mark.parametrize("name", ["30-theirs.toml", "30-theirs.toml~"])
def test_the_shim_refuses_what_we_say_it_refuses(release, tmp_path, tree, is_taken, name):
    done = configure(release, settings={"hypervisor": {"qemu": from_initrd(release)}})
    theirs = release / "share/defaults/kata-containers/runtimes/qemu/config.d" / name
    theirs.write_text(tomli_w.dumps(tree), encoding="utf-8")
    try:
        status, said = asked(release, done["config_path"], tmp_path)
        assert (status == 0) == is_taken, said
    finally:
        theirs.unlink()
