# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes that move a PCI function, one for each action, each with what to do when the kernel does not follow.

Source: Documentation/ABI/testing/sysfs-bus-pci, ``driver_override``, ``unbind`` and ``drivers_probe``.
"""

from __future__ import annotations

import copy

from .._core.errors import HostError, Refused
from .._hardware import groups
from .._hardware import holders as hardware_holders
from . import binding_plan as steps
from . import persistence
from .binding_refusals import holders, in_use_words

DEVICES = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
PROBE = "/sys/bus/pci/drivers_probe"
# A driver that takes a whole host's GPUs may need long for its first load.
LOAD_TIMEOUT = 120.0
# What the GPU's driver does on leaving takes seconds; what takes longer waits for somebody.
UNBIND_TIMEOUT = 60.0
BIND_TIMEOUT = 120.0
# As vfio.rst and the ABI document have it: an override is taken back with an empty line.
NO_OVERRIDE = "\n"


def perform(host, action):
    """Carry out one action. Raises HostError, or Refused when a function came into use since it was observed."""
    if action.kind == steps.KIND_MODULE:
        load(host, action.name, action.details)
    elif action.kind == steps.KIND_NATIVE:
        load_native(host, action.name)
    elif action.kind == steps.KIND_SETTING:
        text = action.after["driver_override"]
        path = "{0}/{1}/driver_override".format(DEVICES, action.name)
        host.write_attribute(path, NO_OVERRIDE if text is None else text + "\n")
    elif action.kind == steps.KIND_FUNCTION and action.verb == "unbind":
        unbind(host, action.name, action.before["driver"], action.details)
    elif action.kind == steps.KIND_FUNCTION:
        bind(host, action.name, action.details)
    else:
        persistence.perform(host, action)


def load(host, module, driver):
    """Load a module and see that it registers the driver."""
    done = host.run(["modprobe", module], LOAD_TIMEOUT, changes=True)
    if not done.ok:
        raise HostError("{0}; the kernel log says more (journalctl -k -n 20). Where Secure Boot is on, the module has "
                        "to be signed with a key that the kernel knows".format(done.words()))
    if not host.exists("{0}/{1}".format(DRIVERS, driver)):
        names = [name for name in host.names(DRIVERS) if name.replace("-", "_") == driver.replace("-", "_")]
        hint = "it registers {0}; declare that name".format(names[0]) if names else "declare a name of " + DRIVERS
        raise HostError("module {0} is loaded, but there is no PCI driver {1!r}: {2}".format(module, driver, hint))


def load_native(host, address):
    """Load the modules that know a function, as udev does when it appears. There may be none, which is no failure."""
    alias = host.text("{0}/{1}/modalias".format(DEVICES, address))
    if alias:
        host.run(["modprobe", "--quiet", "--use-blacklist", alias], LOAD_TIMEOUT, changes=True)


def take_back(host, written):
    """Take overrides back where the function did not follow them; return their addresses.

    Args:
        host: Host.
        written: list of (address, driver that was written, what stood there before).
    """
    taken = []
    for address, target, before in written:
        if current_driver(host, address) not in (None, target):
            path = "{0}/{1}/driver_override".format(DEVICES, address)
            host.write_attribute(path, NO_OVERRIDE if before is None else before + "\n")
            taken.append(address)
    return taken


def current_driver(host, address):
    """Return the driver that a function is on, or None."""
    return host.target_name("{0}/{1}/driver".format(DEVICES, address))


def unbind(host, address, driver, device):
    """Take a function off the driver on which it was observed; nothing is done when it has left it already."""
    now = current_driver(host, address)
    if now is None:
        return
    if now != driver:
        raise Refused("{0} is on {1} now, it was on {2} when this began: something else moves it; run again when that "
                      "is done".format(address, now, driver))
    # Those before it in the plan took seconds each, and somebody may have opened this one meanwhile.
    looked = dict(copy.deepcopy(device), holders=[], in_use=False)
    status = hardware_holders.observe(host, [looked])
    if status != "ok":
        raise Refused("{0} stays on {1}: who uses it cannot be told now ({2})".format(address, driver, status))
    if looked["in_use"]:
        raise Refused(in_use_words(address, holders(looked)))
    try:
        host.write_attribute("{0}/{1}/unbind".format(DRIVERS, driver), address, UNBIND_TIMEOUT)
    except HostError as error:
        if error.number is not None:
            raise
        raise HostError(
            "{0} does not come off {1}: {2}. Nothing else was touched. See who has it open (fuser -v /dev/nvidia* "
            "/dev/dri/* /dev/snd/* /dev/vfio/*) and what the kernel says (journalctl -k | grep {0}); when they let go, "
            "the write ends by itself, and the next run goes on from there. If nobody holds it, the "
            "driver hangs, and only a reboot helps".format(
                address, driver, error)) from error


def bind(host, address, driver):
    """Let the kernel look for a driver, which with an override is that one; without one it may find none.

    Args:
        host: Host.
        address: of the function.
        driver: the one that has to take it; None for whichever does.
    """
    # Where loading a module has bound it already, this does nothing.
    host.write_attribute(PROBE, address, BIND_TIMEOUT)
    now = current_driver(host, address)
    if driver is None and groups.is_vfio(now):
        raise HostError(
            "{0} went to {1} again although nothing overrides its driver: {1} takes all functions of its kind. Take "
            "vfio-pci.ids= off the kernel command line and \"options vfio-pci ids=\" out of /etc/modprobe.d, and "
            "reboot".format(address, now))
    if driver is None or now == driver:
        return
    if now is None:
        raise HostError(
            "{1} did not take {0}, which is on no driver now: the kernel says why (journalctl -k | grep {0}). The next "
            "run tries again; driver \"default\" gives it back to its native driver".format(address, driver))
    raise HostError("{0} went to {2} instead of {1}: something else set its driver_override meanwhile".format(
        address, driver, now))
