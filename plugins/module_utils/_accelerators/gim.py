# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VFs of AMD's GPUs: parameters of the module ``gim``, so they change for all GPUs of a host when it is loaded anew.

Source: AMD MxGPU-Virtualization, README, "Module parameters": ``vf_num`` has one number for each GPU, in the order of
the PCI bus. Not run on hardware by this project.
"""

from __future__ import annotations

from .._core.change import Action
from .._core.errors import HostError
from .._hardware.slicing import GIM_OPTIONS
from . import slices

_FILE = "module options file"
_MODULE = "kernel module"
NAME = "gim"
_HEAD = "# Written by the Ansible collection sovereign.region; changes are overwritten.\n"


def options(numbers):
    """Return the text of the modprobe.d file for a list of VF counts in the order of the bus. Pure."""
    return "{0}options {1} vf_num={2}\n".format(_HEAD, NAME, ",".join(str(one) for one in numbers))


def cards(devices):
    """Return the addresses of all AMD GPUs that gim would take, in the order of the bus. Pure."""
    return [one for one in sorted(devices) if devices[one].get("vendor_id") == slices.AMD
            and devices[one].get("kind") == "gpu" and (devices[one].get("sriov") or {}).get("role") == "pf"]


def decide(items, devices, observed):
    """Return (actions, refusals) for all declared AMD PFs at once. A card that is not declared keeps its number. Pure.

    Args:
        items: list of (path, address, item), each a PF of AMD.
        devices: {address: device}.
        observed: facts.
    """
    found = cards(devices)
    now = {one: devices[one]["sriov"].get("num") or 0 for one in found}
    wanted = dict(now, **{address: item["vfs"] for path, address, item in items})
    text = options([wanted[one] for one in found])
    there = observed["host"]["slicing"]["gim_options"]
    plan = []
    if there != text and (there is not None or wanted != now):
        plan.append(Action("create" if there is None else "update", _FILE, GIM_OPTIONS, _said(there), _said(text),
                           details=text))
    if wanted == now:
        return plan, []
    module = (observed["host"].get("modules") or {}).get(NAME) or {}
    if module.get("loaded"):
        plan.append(Action(
            "run", _MODULE, NAME, {"loaded": True}, {"loaded": False},
            interrupts="gim is unloaded: all VFs of the AMD GPUs {0} go away for a moment".format(", ".join(found))))
    plan.append(Action("load", _MODULE, NAME, {"loaded": False},
                       {"loaded": True, "vfs": {one: wanted[one] for one in found}}))
    return plan, _refusals(found, devices) + slices.unsure(observed)


def _said(text):
    return None if text is None else {"text": text}


def _refusals(found, devices):
    said = []
    taken = [one for one in found if devices[one].get("driver") not in (None, NAME)]
    if taken:
        said.append("{0}: on driver {1}, and VFs of AMD's GPUs are made by gim alone; blacklist {1} (kernel_arguments "
                    "with modprobe.blacklist={1}), reboot, and install gim".format(
                        ", ".join(taken), devices[taken[0]]["driver"]))
    busy = [one for address in found for one in slices.users_of(devices[address], devices)]
    if busy:
        said.append("gim is not loaded anew, because something works on its devices: {0}; stop that first".format(
            slices.named(busy)))
    return said


def perform(host, action):
    """Carry out one of the actions above. Return whether it was one of them. Raises HostError."""
    if action.kind == _FILE:
        host.make_directory(GIM_OPTIONS.rsplit("/", 1)[0])
        host.write_file(GIM_OPTIONS, action.details)
        return True
    if action.kind != _MODULE or action.name != NAME:
        return False
    argv = ["modprobe", NAME] if action.verb == "load" else ["modprobe", "-r", NAME]
    finished = host.run(argv, 300, changes=True)
    if not finished.ok:
        raise HostError("gim could not be {0}: {1}; dmesg says more".format(
            "loaded" if action.verb == "load" else "unloaded", finished.words()))
    if action.verb == "load":
        _verify(host, action.after["vfs"])
    return True


def _verify(host, wanted):
    for address, number in wanted.items():
        there = host.text("/sys/bus/pci/devices/{0}/sriov_numvfs".format(address))
        if there != str(number):
            raise HostError("{0}: gim was loaded with vf_num {1}, but the card has {2} VFs; a card in CPX mode takes "
                            "one VF only, and dmesg says what gim refused".format(address, number, there))
