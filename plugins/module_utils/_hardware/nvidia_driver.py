# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's driver on one host: which one runs, which one is installed for this kernel, and what has to match it.

Running and installed differ after an upgrade without a reboot; ``nvidia-smi`` then fails with "Driver/library version
mismatch". Fabric Manager and the GSP firmware must have exactly the version of the driver.
"""

from __future__ import annotations

import re

from .tool_output import ABSENT, OK, ask

PROC = "/proc/driver/nvidia/version"
SWITCHES = "/proc/driver/nvidia-nvswitch/devices"
FIRMWARE = "/lib/firmware/nvidia"
MANAGER = "nv-fabricmanager"
_MANAGER_CONFIGURATION = "/usr/share/nvidia/nvswitch/fabricmanager.cfg"
_MANAGER_PID = "/run/nvidia-fabricmanager/nv-fabricmanager.pid"
_MANAGER_GROUP = "/sys/fs/cgroup/system.slice/nvidia-fabricmanager.service/cgroup.procs"

_RUNNING = re.compile(r"^NVRM version:.*?[ \t](\d+\.\d+(?:\.\d+)?)(?:[ \t]|$)", re.MULTILINE)
# Files are named nvidia.ko, or nvidia-current.ko and nvidia-current-open.ko on Debian; the others are its helpers.
_FILE = re.compile(
    r"(?:^|/)(nvidia(?:-open|-(?:current|tesla|legacy)[a-z0-9.-]*?)?)\.ko(?:\.(?:xz|zst|gz))?:", re.MULTILINE)
_HELPER = re.compile(r"-(?:drm|modeset|uvm|peermem)$")
_VERSION = re.compile(r"\d{3,4}\.\d+(?:\.\d+)?")
_OPEN_LICENCE = "Dual MIT/GPL"


def observe(host, tools=True):
    """Return what there is, or None on a host without anything of NVIDIA's driver.

    Args:
        host: Host.
        tools: whether ``modinfo`` and ``nv-fabricmanager --version`` may be started. ``modinfo`` unpacks the whole
            module, which takes a second on a slow host; without them those versions and the signer are unknown.

    Returns:
        dict of

        - version, open: of the running driver, from ``/proc/driver/nvidia/version``; None when none is loaded
        - installed_version, installed_open, signer: of the module file for the running kernel, from ``modinfo``;
          the signer is None for a module without a signature
        - installed: [{"module", "version", "open", "signer"}], every such file; Debian can have two
        - gsp_firmware: {version: [names of files]} below ``/lib/firmware/nvidia``
        - gsp_matches: whether there is firmware of the version that runs, or that is installed when none runs; None
          when neither is known
        - fabric_manager: None when it is neither installed nor needed, else {"installed", "running", "version",
          "mode"}; mode is ``FABRIC_MODE``: 0 bare metal and whole passthrough, 1 shared NVSwitch, 2 vGPU
        - nvswitches: NVSwitches that the driver knows (HGX A100, H100 and H200; none are on PCI in later ones)
        - status: ``ok``, ``partial: …`` or ``skipped: …``
    """
    running, is_open = running_driver(host.text(PROC))
    installed, status = _installed(host, running) if tools else (
        [], "skipped: the module's file is not read without tools")
    switches = len(host.names(SWITCHES))
    manager = _fabric_manager(host, switches, tools)
    if running is None and not installed and not switches and manager is None:
        return None
    best = _best(installed, running, is_open)
    firmware = gsp_firmware(host)
    version = running or best["version"]
    return {
        "version": running, "open": is_open,
        "installed_version": best["version"], "installed_open": best["open"], "signer": best["signer"],
        "installed": installed,
        "gsp_firmware": firmware, "gsp_matches": version in firmware if version else None,
        "fabric_manager": manager, "nvswitches": switches,
        "status": status,
    }


def running_driver(text):
    """Return (version or None, whether it is the open module or None). Pure.

    Args:
        text: ``/proc/driver/nvidia/version``, such as ``NVRM version: NVIDIA UNIX Open Kernel Module for x86_64
            550.163.01  Release Build …``; the proprietary one lacks ``Open``.
    """
    found = _RUNNING.search(text or "")
    if found is None:
        return None, None
    return found.group(1), "Open Kernel Module" in found.group(0)


def module_names(dependencies):
    """Return the names of the driver's own module files, sorted. Pure.

    Args:
        dependencies: ``modules.dep`` of a kernel.
    """
    return sorted({name for name in _FILE.findall(dependencies or "") if not _HELPER.search(name)})


def parse_modinfo(text):
    """Return [{"module", "version", "open", "signer"}] from what ``modinfo`` prints for one or more modules. Pure."""
    found = []
    for line in text.splitlines():
        key, _colon, value = line.partition(":")
        value = value.strip()
        if key == "filename":
            module = re.sub(r"\.ko(\.[a-z0-9]+)?$", "", value.rsplit("/", 1)[-1])
            found.append({"module": module, "version": None, "open": None, "signer": None})
        elif found and key in ("version", "signer"):
            found[-1][key] = value or None
        elif found and key == "license":
            found[-1]["open"] = value == _OPEN_LICENCE
    return found


def gsp_firmware(host):
    """Return {version: [file names]} of the firmware that open modules, and Hopper and later, cannot start without."""
    found = {}
    for version in host.names(FIRMWARE):
        if _VERSION.fullmatch(version):
            files = [name for name in host.names("{0}/{1}".format(FIRMWARE, version)) if name.startswith("gsp_")]
            if files:
                found[version] = files
    return found


def _installed(host, running):
    """Return (modules, status). ``modinfo`` is started only where there is something to ask about."""
    release = host.text("/proc/sys/kernel/osrelease")
    if not release:
        return [], "partial: /proc/sys/kernel/osrelease cannot be read, so the installed module is unknown"
    names = module_names(host.text("/lib/modules/{0}/modules.dep".format(release)))
    if not names and running is None:
        return [], OK
    # Below a root, modinfo would otherwise look at the modules of this machine.
    base = [] if host.is_real else ["-b", host.root]
    finished, status = ask(host, ["modinfo", "-k", release] + base + (names or ["nvidia"]))
    found = parse_modinfo(finished.stdout) if finished else []
    if found:
        return found, OK
    if status == ABSENT:
        return [], "partial: there is no program modinfo, so version and signer of the installed module are unknown"
    said = status.split(": ", 1)[1] if ": " in status else "modinfo printed no module"
    return [], "partial: no installed module for kernel {0}: {1}".format(release, said)


def _best(installed, running, is_open):
    """Return the file that would be loaded again: the one that runs, else the one that is named plainly."""
    order = sorted(installed, key=lambda one: (one["version"] != running, one["open"] != is_open,
                                               one["module"] != "nvidia"))
    return order[0] if order else {"version": None, "open": None, "signer": None}


def _fabric_manager(host, switches, tools):
    if not host.exists("/usr/bin/" + MANAGER):
        return {"installed": False, "running": False, "version": None, "mode": None} if switches else None
    finished, _status = ask(host, [MANAGER, "--version"]) if tools else (None, None)
    version = _VERSION.search(finished.stdout) if finished else None
    mode = re.search(r"^\s*FABRIC_MODE\s*=\s*(\d)", host.text(_MANAGER_CONFIGURATION) or "", re.MULTILINE)
    return {"installed": True, "running": _manager_runs(host), "version": version.group() if version else None,
            "mode": int(mode.group(1)) if mode else None}


def _manager_runs(host):
    """Whether its service has a process. A file with a process id alone may be left from one that died."""
    if host.text(_MANAGER_GROUP):
        return True
    pid = host.text(_MANAGER_PID) or ""
    # The kernel cuts a process's name to 15 characters.
    return pid.isdigit() and host.text("/proc/{0}/comm".format(pid)) == MANAGER[:15]
