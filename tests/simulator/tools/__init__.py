# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated command-line tools, and how they go wrong on purpose.

A tool is a function of (state, list of arguments) that returns an Answer. In a mounted host each is also an executable
below /usr that hands its arguments to the model, so that a PATH with the host's own directories finds it.

Faults of any tool (``Model.fault("tool:NAME", kind, times, data)``): ``hang`` (runs until it is killed), ``stuck``
(waits in the kernel, cannot be killed), ``nonsense`` (data: what it prints, status 0), ``status`` (data: [status,
stderr]), ``slow`` (data: seconds), ``absent``. Those of sriov-manage alone: ``unbindLock``, ``silent``, ``dies``.
"""

from __future__ import annotations

import posixpath

from ..state import Blocked
from . import amd_smi, gpu_tools, kernel, nvidia_smi, sriov_manage, xpu_smi
from .answer import Answer

TOOLS = {
    "nvidia-smi": nvidia_smi.main, "sriov-manage": sriov_manage.main, "amd-smi": amd_smi.main,
    "rocm-smi": amd_smi.rocm, "xpu-smi": xpu_smi.main, "nvidia_gpu_tools.py": gpu_tools.main,
    "modprobe": kernel.modprobe, "rmmod": kernel.rmmod, "lsmod": kernel.lsmod, "modinfo": kernel.modinfo,
    "update-grub": kernel.update_grub, "grubby": kernel.grubby, "udevadm": kernel.nothing,
    "update-initramfs": kernel.nothing, "systemctl": kernel.systemctl,
}
# Where a tool lies when it is not in /usr/bin.
PLACES = {"sriov-manage": "/usr/lib/nvidia", "modprobe": "/usr/sbin", "rmmod": "/usr/sbin", "lsmod": "/usr/sbin",
          "modinfo": "/usr/sbin", "update-grub": "/usr/sbin", "grubby": "/usr/sbin", "update-initramfs": "/usr/sbin",
          "nvidia_gpu_tools.py": "/opt/nvidia/gpu-admin-tools"}
_ALWAYS = ("modprobe", "rmmod", "lsmod", "modinfo", "udevadm", "systemctl")
_BY_SYSTEM = {"debian": ("update-grub", "update-initramfs"), "ubuntu": ("update-grub", "update-initramfs"),
              "el9": ("grubby",)}
_SCRIPT = '''#!/usr/bin/env -S python3 -IS
"""A simulated tool: the simulator answers. Not the vendor's program."""
import json, os, sys, time
root = os.path.abspath(__file__)
for part in {depth}:
    root = os.path.dirname(root)
call = os.open(os.path.join(root, ".simulator", "call"), os.O_RDWR)
os.write(call, json.dumps({{"run": [{name!r}, *sys.argv[1:]]}}).encode())
answer = b""
while True:
    piece = os.pread(call, 65536, len(answer))
    if not piece:
        break
    answer += piece
answer = json.loads(answer)
time.sleep(answer["seconds"])
while answer["hangs"]:
    time.sleep(3600)
sys.stdout.write(answer["stdout"])
sys.stderr.write(answer["stderr"])
sys.stdout.flush()
sys.exit(answer["status"])
'''


def installed(state):
    """The names of the tools that this host has."""
    about = state.description
    return [*about.tools, *_ALWAYS, *_BY_SYSTEM[about.os]]


def path_of(name):
    """Where a tool lies."""
    return f"{PLACES.get(name, '/usr/bin')}/{name}"


def install(state):
    """Put the executables into the host's files."""
    for name in installed(state):
        path = path_of(name)
        state.files.put(path, _SCRIPT.format(name=name, depth=f"range({path.count('/')})"), 0o755)


def run(model, argv, fault=None):
    """Run a tool. Returns an Answer; 127 when the host has none of that name. Raises Blocked for ``stuck``."""
    name = posixpath.basename(argv[0])
    if name not in installed(model.state) or (fault and fault.kind == "absent"):
        return Answer(127, "", f"{argv[0]}: command not found\n")
    kind, data = (fault.kind, fault.data) if fault else (None, None)
    if kind == "hang":
        return Answer(0, hangs=True)
    if kind == "stuck":
        raise Blocked(f"{name}: made to wait in the kernel")
    if kind == "nonsense":
        return Answer(0, str(data if data is not None else "\x00<<< garbage 0xdeadbeef\n"))
    if kind == "status":
        return Answer(data[0], "", data[1])
    answer = TOOLS[name](model.state, argv[1:], *((fault,) if name == "sriov-manage" else ()))
    if kind == "slow":
        answer.seconds = float(data)
    return answer


__all__ = ["Answer", "TOOLS", "install", "installed", "path_of", "run"]
