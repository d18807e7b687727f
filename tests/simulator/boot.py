# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a simulated host: its files, its first boot, its reboots, and what udev does."""

from __future__ import annotations

import re

from . import modules, pci
from .bootloader import arguments, first_files
from .drivers import aliases
from .files import Files
from .processes import start
from .state import Device, Gpu, State

_RULES = ("/usr/lib/udev/rules.d", "/lib/udev/rules.d", "/etc/udev/rules.d")
_OS = {
    "debian": 'ID=debian\nVERSION_ID="13"\n',
    "ubuntu": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n',
    "el9": 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n',
}
_RUN = re.compile(r'RUN\+="([^"]+)"')
_DRIVERCTL = (
    'ACTION=="add", TEST=="/etc/driverctl.d/$env{SUBSYSTEM}-$kernel", TAG+="systemd", '
    'ENV{SYSTEMD_WANTS}+="driverctl@$env{SUBSYSTEM}-$kernel.service"\n'
)


def build(description):
    """Return the State of a host that was installed as described and has booted once."""
    state = State(description, Files(), on_add=appeared)
    _install(state)
    models = [one for one in sorted(description.functions, key=lambda one: one.address) if one.model]
    counts = {}
    for one in models:
        # NVML counts GPUs and not NVSwitches.
        kind = "switch" if one.model == "NVSWITCH" else "gpu"
        state.gpus[one.address] = Gpu(one.model, counts.get(kind, 0))
        counts[kind] = counts.get(kind, 0) + 1
    boot(state)
    return state


def _install(state):
    about, files = state.description, state.files
    for folder in (
        "/etc/driverctl.d",
        "/etc/modprobe.d",
        "/etc/modules-load.d",
        "/etc/systemd/system",
        "/etc/udev/rules.d",
        "/etc/mdevctl.d",
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib/nvidia",
        "/var/lib",
        "/run",
        "/tmp",
        "/root",
        "/boot",
    ):
        files.folder(folder)
    for name in ("bin", "sbin", "lib"):
        files.link("/" + name, "usr/" + name)
    files.put("/etc/os-release", f'PRETTY_NAME="Simulated host"\n{_OS[about.os]}')
    kernel = f"/usr/lib/modules/{about.kernel}"
    files.put(f"{kernel}/modules.alias", aliases(about.kernel))
    files.put(f"{kernel}/modules.dep", "".join(f"kernel/{one}.ko.xz:\n" for one in modules.installed(state)))
    files.put(f"{kernel}/modules.builtin", "kernel/drivers/pci/pci-stub.ko\nkernel/drivers/pci/pcie/pcieport.ko\n")
    files.put(f"/boot/config-{about.kernel}", "CONFIG_INTEL_IOMMU=y\nCONFIG_VFIO=m\n")
    files.put(f"/boot/vmlinuz-{about.kernel}", "simulated\n")
    if about.driverctl:
        files.put("/usr/lib/udev/rules.d/05-driverctl.rules", _DRIVERCTL)
    if about.blacklist:
        files.put("/etc/modprobe.d/simulated-blacklist.conf", "".join(f"blacklist {one}\n" for one in about.blacklist))
    if about.modules:
        files.put("/etc/modules-load.d/simulated.conf", "".join(f"{one}\n" for one in about.modules))
    first_files(state)
    for path, text in about.files.items():
        files.put(path, text)


def boot(state):
    """A whole boot, without anything that a unit or a rule would run."""
    begin(state)
    go_on(state)


def begin(state):
    """Everything volatile is made anew, up to where the earliest units run; what is on disk and in the cards stays."""
    about = state.description
    state.boots += 1
    state.booted, state.modules, state.drivers, state.new_ids = False, {}, [], {}
    state.devices, state.removed, state.mdevs, state.processes = {}, {}, {}, {}
    state.nodes, state.kmsg, state.drivers_autoprobe, state.events = {}, [], True, []
    state.next_pid, state.next_group = 4000, 200
    state.files.forget_volatile()
    state.arguments = arguments(state)
    state.gpus = {address: _after_boot(gpu) for address, gpu in state.gpus.items()}
    state.say(f"Linux version {about.kernel} (simulated), boot {state.boots}", 5)
    state.say(f"Command line: {' '.join(state.arguments)}", 5)
    for function in about.functions:
        pci.add(state, Device(function))
    for number in range(about.processes):
        start(state, "systemd" if number == 0 else f"service-{number}")
    # udev goes over all devices that are there: its rules come before it loads their modules.
    for address in list(state.devices):
        _run_rules(state, address)


def go_on(state):
    """The rest of a boot: modules for what is on the bus, those that are listed, driverctl's overrides."""
    modules.autoload(state)
    for name in _listed(state):
        modules.load(state, name)
    for address in list(state.devices):
        _driverctl(state, address)
    state.booted = True


def _after_boot(gpu):
    new = Gpu(gpu.model, gpu.index)
    for name in Gpu.kept:
        setattr(new, name, getattr(gpu, name))
    # MIG mode stays over a reboot on Ampere only.
    new.mig = new.mig_pending = gpu.mig_pending and not gpu.about.live_mig
    new.cc, new.cc_pending = gpu.cc_pending or gpu.cc, None
    new.ppcie, new.ppcie_pending = gpu.ppcie_pending or gpu.ppcie, None
    return new


def _listed(state):
    found = []
    for path in sorted(state.files.entries):
        if path.startswith("/etc/modules-load.d/") and path.endswith(".conf"):
            found += [
                word.strip()
                for word in (state.files.text(path) or "").splitlines()
                if word.strip() and not word.startswith(("#", ";"))
            ]
    return found


def appeared(state, address):
    """What udev does when a function appears on a host that runs."""
    _run_rules(state, address)
    _driverctl(state, address)


def _rules(state):
    """The rules for functions with a driverctl file: (lines that are driverctl's own, command lines of others)."""
    lines = [
        line
        for path in sorted(state.files.entries)
        if path.startswith(_RULES) and path.endswith(".rules")
        for line in (state.files.text(path) or "").splitlines()
        if "/etc/driverctl.d/" in line and not line.startswith("#")
    ]
    return [line for line in lines if "driverctl@" in line], [one for line in lines for one in _RUN.findall(line)]


def _run_rules(state, address):
    """Note the programs that udev's rules run for a function: whoever drives the host runs them (``state.events``)."""
    if state.files.text(f"/etc/driverctl.d/pci-{address}") is not None:
        state.events += [command.replace("$kernel", address).replace("%k", address) for command in _rules(state)[1]]


def _driverctl(state, address):
    """What ``driverctl load-override`` does, when there is a file and driverctl's rule."""
    name = (state.files.text(f"/etc/driverctl.d/pci-{address}") or "").strip()
    device = state.devices[address]
    if not name or not _rules(state)[0]:
        return
    modules.load(state, name)
    device.override = name
    if device.driver not in (None, name) and device.pending is None:
        pci.detach(state, device)
    if device.driver is None:
        pci.attach(state, device)
