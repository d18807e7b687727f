# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which driver the VFs of a PF are on, also those that the same plan makes.

A VF has no address before it exists, so plans name it by its PF and index, and the address is looked up when it is
there. Source: the kernel's Documentation/ABI/testing/sysfs-bus-pci (``driver_override``, ``drivers_probe``).
"""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import HostError, Refused
from .._hardware import facts
from . import slices

_OVERRIDE = "driver override"
_VF = "VF"
_MODULE = "kernel module"
_NATIVE = "native driver"
_DEVICES = "/sys/bus/pci/devices/"


def autoprobe(item):
    """Return whether the kernel is to bind new VFs by itself; None where that is not managed. Pure."""
    if item["autoprobe"] is not None or item["driver"] is None:
        return item["autoprobe"]
    return item["driver"] == "default"


def problems(path, item, device, observed):
    """Return why the VFs of a PF can never be on a driver. Pure."""
    if slices.is_nvidia_gpu(device) and item["driver"] not in (None, "default", "nvidia"):
        return ["{0}.driver: {1!r}, but VFs of NVIDIA's GPUs stay on nvidia, which hands them to VFIO itself: vfio-pci "
                "refuses them, and unbinding breaks them until the VFs are made anew; leave driver out".format(
                    path, item["driver"])]
    return []


def decide(item, device, devices, observed):
    """Return (actions, refusals). Pure."""
    driver, address = item["driver"], device["address"]
    there = dict(slices.vfs_of(device, devices)) if device["sriov"].get("num") == item["vfs"] else {}
    if slices.is_nvidia_gpu(device):
        return _rescue(item, device, there)
    if driver is None:
        return [], []
    plan, refusals = [], []
    for index in range(item["vfs"]):
        name, vf = slices.vf_name(address, index), there.get(index)
        if vf is None:
            plan += _pending(name, driver)
            continue
        actions, refused = _existing(name, driver, vf, observed)
        plan, refusals = plan + actions, refusals + refused
    binds = [action for action in plan if action.verb == "bind"]
    if binds and binds[0].after["driver"] != "its own":
        plan = _load(binds[0].after["driver"], observed) + plan
    elif binds:
        # The kernel looks only among the drivers that are loaded. What knows one VF of a PF knows them all.
        plan.insert(plan.index(binds[0]), Action("load", _NATIVE, binds[0].name, None, dict(binds[0].after)))
    return plan, refusals


def _load(target, observed):
    """The driver has to be registered before a VF can be bound to it."""
    name = slices.FALLBACK if target == "vfio" else target
    modules = observed["host"].get("modules") or {}
    if name in observed["host"].get("vfio_drivers", ()) or (modules.get(name.replace("-", "_")) or {}).get("loaded"):
        return []
    return [Action("load", _MODULE, name, {"loaded": False}, {"loaded": True})]


def _pending(name, driver):
    """Return the actions for a VF that the same plan makes: nothing is bound to it yet."""
    if driver in ("default", "none"):
        return []
    return [
        Action("set", _OVERRIDE, name, {"driver_override": None}, {"driver_override": driver}),
        Action("bind", _VF, name, {"driver": None}, {"driver": driver}),
    ]


def wanted_override(driver, vf):
    """Return the driver that a VF is to be given; None for the kernel's own choice, and for none. Pure."""
    if driver in ("default", "none"):
        return None
    return (vf.get("vfio_driver") or slices.FALLBACK) if driver == "vfio" else driver


def _existing(name, driver, vf, observed):
    override, now = wanted_override(driver, vf), vf.get("driver")
    if driver == "default":
        right = now is not None and not slices.is_vfio(now, observed)
    else:
        right = now == override
    if right and vf.get("driver_override") == override:
        return [], []
    plan, refusals = [], []
    if vf.get("driver_override") != override:
        plan.append(Action("set", _OVERRIDE, name, {"driver_override": vf.get("driver_override")},
                           {"driver_override": override}))
    if not right and now is not None:
        plan.append(Action("unbind", _VF, name, {"driver": now}, {"driver": None},
                           interrupts="{0} loses {1} ({2})".format(now, name, vf["address"])))
        busy = slices.users(vf) + slices.unsure(observed)
        if busy:
            refusals.append("{0} ({1}) stays on {2}, because something works on it: {3}; stop that first".format(
                name, vf["address"], now, slices.named(busy)))
    if not right and driver != "none":
        plan.append(Action("bind", _VF, name, {"driver": None}, {"driver": override or "its own"}))
    persisted = (observed["host"].get("driver_overrides") or {}).get(vf["address"])
    if persisted not in (None, override):
        refusals.append("{0} ({1}) is kept on {2} by /etc/driverctl.d/pci-{1}; declare it in pci_driver instead, or "
                        "remove that override first".format(name, vf["address"], persisted))
    return plan, refusals


def _rescue(item, device, there):
    """NVIDIA's VFs belong to its driver; one without a driver is left over from a sriov-manage that was killed."""
    plan = [Action("bind", _VF, slices.vf_name(device["address"], index), {"driver": None}, {"driver": "nvidia"})
            for index, vf in sorted(there.items()) if vf.get("driver") is None and item["vfs"]]
    return plan, []


def perform(host, action):
    """Carry out one of the actions above. Raises HostError, Refused."""
    if action.kind == _MODULE:
        finished = host.run(["modprobe", action.name], 120, changes=True)
        if not finished.ok:
            raise HostError("driver {0} could not be loaded: {1}".format(action.name, finished.words()))
        return
    address = _address(host, action.name)
    if action.kind == _NATIVE:
        # As udev does when a function appears. There may be no such module, which is told by the bind after it.
        alias = host.text(_DEVICES + address + "/modalias")
        if alias:
            host.run(["modprobe", "--quiet", "--use-blacklist", alias], 120, changes=True)
    elif action.kind == _OVERRIDE:
        target = action.after["driver_override"]
        # A line feed clears it: an empty write does not reach the kernel.
        host.write_attribute(_DEVICES + address + "/driver_override",
                             _resolved(host, address, target) if target else "\n")
    elif action.verb == "unbind":
        _unbind(host, address, action.before["driver"])
    else:
        _bind(host, address, action.after["driver"])


def _address(host, name):
    pf, index = name.split(" VF ")
    address = host.target_name("{0}{1}/virtfn{2}".format(_DEVICES, pf, index))
    if address is None:
        raise HostError("{0} is not there any more; something else changes the VFs of this host".format(name))
    return address


def _resolved(host, address, driver):
    """Return the best VFIO driver for a VF that did not exist when the plan was made."""
    if driver != "vfio":
        return driver
    found = slices.known(facts.collect(host, also=[address], tools=False)).get(address) or {}
    return found.get("vfio_driver") or slices.FALLBACK


def _unbind(host, address, driver):
    now = host.target_name(_DEVICES + address + "/driver")
    if now is None:
        return
    if now != driver:
        raise Refused("{0} is on driver {1} by now, not on {2}; plan again".format(address, now, driver))
    slices.refuse_if_used(host, address)
    host.write_attribute("/sys/bus/pci/drivers/{0}/unbind".format(driver), address)


def _bind(host, address, driver):
    if driver == "nvidia":
        host.write_attribute("/sys/bus/pci/drivers/nvidia/bind", address)
    else:
        host.write_attribute("/sys/bus/pci/drivers_probe", address)
    now = host.target_name(_DEVICES + address + "/driver")
    wanted = None if driver == "its own" else _resolved(host, address, driver)
    if now is None or (wanted and now != wanted):
        raise HostError("{0} is on driver {1}, not on {2}, though the kernel took the write; dmesg says why the driver "
                        "refused it".format(address, now or "none", wanted or "its own"))
