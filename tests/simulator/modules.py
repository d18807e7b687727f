# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading and unloading modules, with their use counts."""

from __future__ import annotations

from . import pci, sriov
from .drivers import DRIVERS, MODULES, closure, module_name
from .state import Blocked


def installed(state):
    """The names of modules that can be loaded on this host."""
    about = state.description
    missing = set() if about.nvidia_version else {one for one in MODULES if one.startswith("nvidia")}
    if about.vgpu != "mdev":
        missing.add("nvidia_vgpu_vfio")
    if "gim" not in (*about.modules, *about.available):
        missing.add("gim")
    return [one for one in MODULES if one not in missing]


def use_count(state, name):
    """The number in /proc/modules: modules that need it, and whoever holds what it made."""
    count = len(needed_by(state, name))
    drivers = {one.name for one in DRIVERS.values() if one.module == name}
    nodes = {node for node, address in state.nodes.items()
             if name == "nvidia" and (address is None or state.devices.get(address)) and node.startswith("/dev/nvidia")}
    for process in state.processes.values():
        opened = set(process.files.values())
        count += len(opened & nodes)
        if "vfio-pci" in drivers or name == "vfio":
            count += sum(one.startswith("/dev/vfio/") and one[10:].isdigit() for one in opened)
    return count


def needed_by(state, name):
    """The loaded modules that need this one."""
    return [one for one in state.modules if name in MODULES[one].needs]


def load(state, name, parameters=None):
    """Load a module and what it needs. Returns None, or why it could not, in modprobe's words."""
    name = module_name(name)
    if name in state.modules:
        return None
    if name not in installed(state):
        return f"modprobe: FATAL: Module {name} not found in directory /lib/modules/{state.description.kernel}"
    for one in closure(name):
        if one not in state.modules and not _insert(state, one, parameters if one == name else None):
            return f"modprobe: ERROR: could not insert '{one}': No such device"
    return None


def _insert(state, name, parameters):
    options = dict(MODULES[name].parameters)
    options.update(configured(state, name))
    options.update(parameters or {})
    state.modules[name] = options
    mine = [one.name for one in DRIVERS.values() if one.module == name]
    state.drivers += mine
    for driver in mine:
        pci.offer(state, driver)
    if name == "nvidia" and not any(one.driver in ("nvidia", "nvidia-nvswitch") for one in state.devices.values()):
        # Seen on a QEMU machine with the device on vfio-pci, and on one without a device.
        state.say("NVRM: No NVIDIA devices probed.", 4)
        _forget(state, name)
        return False
    if name == "gim":
        _gim_functions(state, options)
    if name == "nvidia":
        kind = "Open Kernel Module" if state.description.nvidia_open else "Kernel Module"
        state.say(f"NVRM: loading NVIDIA UNIX {kind} for x86_64  {state.description.nvidia_version}  Release Build", 5)
    return True


def _gim_functions(state, options):
    """AMD's host driver makes its VFs when it is loaded, as its parameter says; one number for all or one each."""
    numbers = [int(one) for one in str(options.get("vf_num") or "0").split(",") if one.strip().isdigit()]
    cards = [one for one in state.devices.values() if one.driver == "gim"]
    for index, device in enumerate(cards):
        number = numbers[index] if index < len(numbers) else numbers[-1] if len(numbers) == 1 else 0
        limit = {"SPX": 1, "DPX": 2, "QPX": 4, "CPX": 8}[state.gpus[device.address].compute]
        if number > limit:
            state.say(f"gim error {device.address}: VF number {number} exceeds the vf limit {limit}", 3)
        elif number:
            sriov.enable(state, device, number)


def unload(state, name):
    """Unload a module. Returns None, or why it could not, in rmmod's words. Raises Blocked while a device is held."""
    name = module_name(name)
    if name not in state.modules:
        return f"rmmod: ERROR: Module {name} is not currently loaded"
    users = needed_by(state, name)
    if users:
        return f"rmmod: ERROR: Module {name} is in use by: {' '.join(users)}"
    if use_count(state, name):
        return f"rmmod: ERROR: Module {name} is in use"
    for device in list(state.devices.values()):
        if device.driver and DRIVERS[device.driver].module == name:
            try:
                pci.detach(state, device)
            except Blocked:
                state.modules[name]["going"] = "1"
                raise
    _forget(state, name)
    return None


def _forget(state, name):
    state.modules.pop(name, None)
    state.drivers = [one for one in state.drivers if DRIVERS[one].module != name]


def settings(state):
    """The words of every line below /etc/modprobe.d, as lists."""
    lines = []
    for path in sorted(state.files.entries):
        if path.startswith("/etc/modprobe.d/") and path.endswith(".conf"):
            text = (state.files.text(path) or "").replace("\\\n", " ")
            lines += [line.split() for line in text.splitlines() if line.split() and not line.startswith("#")]
    return lines


def configured(state, name):
    """The options that /etc/modprobe.d and the command line give a module."""
    found = {}
    for words in settings(state):
        if words[0] == "options" and len(words) > 2 and module_name(words[1]) == name:
            found.update(word.split("=", 1) for word in words[2:] if "=" in word)
    for word in state.arguments:
        owner, dot, rest = word.partition(".")
        if dot and "=" in rest and module_name(owner) == name:
            found.update([rest.split("=", 1)])
    return found


def blacklisted(state):
    """The modules that nothing loads by itself."""
    found = {module_name(words[1]) for words in settings(state) if words[0] == "blacklist" and len(words) > 1}
    for word in state.arguments:
        if word.startswith(("modprobe.blacklist=", "module_blacklist=")):
            found |= {module_name(one) for one in word.split("=", 1)[1].split(",")}
    return found


def autoload(state):
    """What udev does at boot: the module of every device's modalias, unless it is blacklisted."""
    barred, ready = blacklisted(state), installed(state)
    for driver in DRIVERS.values():
        wanted = any(driver.matches(one.about, one.is_vf) and one.driver is None for one in state.devices.values())
        if driver.module and wanted and driver.module in ready and driver.module not in barred:
            load(state, driver.module)
