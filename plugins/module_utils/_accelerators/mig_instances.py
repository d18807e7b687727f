# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIG instances: which are declared, which are there, which go and which come. Deciding is pure.

An instance is a GPU instance with one compute instance over all of it. They are compared as a bag of profiles, with
placements where they are declared: what matters to a tenant is how many there are of each.
"""

from __future__ import annotations

import re
from collections import Counter

from .._core.change import Action
from .._core.errors import HostError, nearest
from .._hardware import nvidia_mig_profiles
from . import mig_mode, slices

_GONE = "compute instance set"
_FREED = "GPU instance set"
_COME = "MIG layout"
_FILL = "compute instance"
_PROFILE = re.compile(r"(?:MIG\s+)?([1-9]g\.[0-9]{1,4}gb(?:[+-][a-z.]+)*)$")


def profile(text):
    """Return a profile as nvidia-smi names it, such as ``1g.18gb``, or None when the text is none."""
    found = _PROFILE.match(text.strip())
    return found.group(1) if found else None


def problems(path, item):
    """Return one sentence for each instance that cannot be right, whatever the GPU."""
    said = []
    for number, one in enumerate(item["instances"] or ()):
        here, places = "{0}.instances[{1}]".format(path, number), one["placements"]
        if profile(one["profile"]) is None:
            said.append("{0}.profile: {1!r}, expected the name of a MIG profile such as 1g.18gb".format(
                here, one["profile"]))
        if one["count"] < 1:
            said.append("{0}.count: {1}, expected at least 1; leave the profile out for none".format(
                here, one["count"]))
        if places is not None and len(places) != one["count"]:
            said.append("{0}.placements: {1} for {2} instances; expected the first memory slice of each, as "
                        "nvidia-smi mig -lgipp lists them".format(here, len(places), one["count"]))
        if places and (len(set(places)) != len(places) or min(places) < 0):
            said.append("{0}.placements: {1}, expected different slices from 0 on".format(here, places))
    return said


def wanted(item):
    """Return the declared instances as a Counter of (profile, start or None)."""
    found = Counter()
    for one in item["instances"] or ():
        name = profile(one["profile"])
        for start in one["placements"] or [None] * one["count"]:
            found[(name, start)] += 1
    return found


def declaration(item):
    """Return what the program at boot reads: mode, and each instance with its start; instances None: left alone."""
    known = None if item["instances"] is None else [
        list(one) for one in sorted(wanted(item).elements(), key=_size)]
    return {"mode": item["mode"], "instances": known}


def _size(one):
    """Larger instances first: small ones that stand in the middle would leave no room for them."""
    name, start = one
    compute, memory = re.match(r"(\d+)g\.(\d+)gb", name).groups()
    return -int(compute), -int(memory), name, -1 if start is None else start


def profile_problems(path, item, device):
    """Return which declared profiles the GPU does not offer, or not that often; nothing when nobody knows."""
    offered = {one["profile"]: one for one in (device.get("mig") or {}).get("profiles") or ()}
    if not offered:
        return []
    said = []
    for number, one in enumerate(item["instances"] or ()):
        name, here = profile(one["profile"]), "{0}.instances[{1}]".format(path, number)
        if name not in offered:
            close = nearest(name, offered)
            said.append("{0}.profile: {1!r} is no profile of {2} ({3}); {4}it offers: {5}".format(
                here, name, device["address"], device.get("model") or "unknown model",
                "the nearest is {0!r}, and ".format(close) if close else "",
                ", ".join("{0} (at most {1})".format(key, value["total"]) for key, value in offered.items())))
        elif one["count"] > offered[name]["total"]:
            said.append("{0}.count: {1}, but {2} takes at most {3} of {4}".format(
                here, one["count"], device.get("model") or device["address"], offered[name]["total"], name))
    slices_asked = sum(int(name[0]) * count for (name, start), count in wanted(item).items())
    whole = max(int(name[0]) for name in offered)
    if not said and slices_asked > whole:
        said.append("{0}.instances: they ask for {1} compute slices, and {2} has {3}; it offers: {4}".format(
            path, slices_asked, device.get("model") or device["address"], whole, ", ".join(offered)))
    return said


def match(item, device):
    """Return (kept, left over, missing): instances that stay, that go, and a Counter of those that are to come."""
    there = list((device.get("mig") or {}).get("instances") or ())
    if item["instances"] is None and item["mode"] == "enabled":
        return there, [], Counter()
    missing = wanted(item)
    kept, left = [], []
    for exact in (True, False):
        for one in list(there):
            start = _start(one)
            key = (one["profile"], start) if exact else (one["profile"], None)
            if missing[key] > 0 and (one.get("compute_instances") or 0) <= 1:
                missing[key] -= 1
                kept.append(one)
                there.remove(one)
    left = there
    return kept, left, +missing


def _start(one):
    text = (one.get("placement") or "").partition(":")[0]
    return int(text) if text.isdigit() else None


def _names(instances):
    return dict(sorted(Counter(str(one["profile"]) for one in instances).items()))


def removals(item, device, devices, observed):
    """Return (actions, refusals): compute instances first, because a GPU instance goes only when it is empty."""
    left = match(item, device)[1]
    if not left or mig_mode.is_pending(item, device):
        return [], []
    address = device["address"]
    ids = sorted(one["gi_id"] for one in left)
    words = "the MIG instances {0} of {1} are destroyed".format(
        ", ".join("{0} x {1}".format(count, name) for name, count in _names(left).items()), address)
    plan = []
    filled = sorted(one["gi_id"] for one in left if one.get("compute_instances") != 0)
    if filled:
        plan.append(Action("delete", _GONE, address, {"gpu_instances": filled}, None, interrupts=words))
    plan.append(Action("delete", _FREED, address, {"gpu_instances": ids, "profiles": _names(left)}, None,
                       interrupts=words))
    refusals = slices.unsure(observed)
    if any(one["profile"] is None for one in left):
        refusals.append("the profiles of the MIG instances of {0} cannot be told (nvidia-smi mig -lgi: {1}), so none "
                        "is destroyed".format(
                            address, (device.get("sources") or {}).get("nvidia-smi mig", "no answer")))
    busy = slices.users_of(device, devices) + [
        "{0}: it has vGPU {1}".format(vf["address"], vf["vgpu"]["type"])
        for index, vf in slices.vfs_of(device, devices) if (vf.get("vgpu") or {}).get("type")]
    if busy:
        refusals.append("MIG instances of {0} are left alone, because something works on it: {1}; stop that first"
                        .format(address, slices.named(busy)))
    return plan, refusals


def additions(item, device, switched):
    """Return (actions, refusals) for what is missing.

    Args:
        item: the declaration.
        device: the GPU.
        switched: whether the same plan turns MIG mode on, which may stay pending.
    """
    if item["mode"] == "disabled":
        return [], []
    kept, _left, missing = match(item, device)
    address, plan = device["address"], []
    for one in kept:
        if one.get("compute_instances") == 0 and item["instances"] is not None:
            plan.append(Action("create", _FILL, "{0} GPU instance {1}".format(address, one["gi_id"]), None,
                               {"profile": one["profile"]}))
    if missing:
        order = sorted(missing.elements(), key=_size)
        deferred = None
        if switched:
            deferred = ("MIG mode: made at once where the GPU takes the mode at once, else at the next boot or run "
                        "after the GPU was reset")
        plan.append(Action(
            "create", _COME, address, None, {"profiles": dict(sorted(Counter(name for name, start in order).items()))},
            deferred=deferred,
            details=[name if start is None else "{0}:{1}".format(name, start) for name, start in order]))
    return plan, []


def perform(host, action):
    """Carry out one of the actions above. Raises HostError."""
    if action.kind == _COME:
        _create(host, action)
    elif action.kind == _FILL:
        address, number = action.name.split(" GPU instance ")
        _run(host, address, ["-gi", number, "-cci"], "the compute instance of GPU instance {0}".format(number))
    else:
        slices.refuse_if_used(host, action.name)
        flag = "-dci" if action.kind == _GONE else "-dgi"
        numbers = ",".join(str(one) for one in action.before["gpu_instances"])
        _run(host, action.name, [flag, "-gi", numbers], "GPU instances {0}".format(numbers))


def _create(host, action):
    current, pending = mig_mode.now(host, action.name)
    if current != "enabled" and pending == "enabled" and action.deferred:
        # It was said that they may have to wait; what restores them at boot is written already.
        return
    try:
        _run(host, action.name, ["-cgi", ",".join(action.details), "-C"],
             "MIG instances {0}".format(", ".join(action.details)))
    except HostError as error:
        # Some drivers list profiles only in MIG mode, so this may be the first time that they can be named.
        offered = nvidia_mig_profiles.observe(host, action.name)[0]
        raise HostError("{0}; now it offers: {1}".format(error, ", ".join("{0} ({1} more fit)".format(
            one["profile"], one["free"]) for one in offered or ()) or "nothing that nvidia-smi mig -lgip would list"))


def _run(host, address, arguments, what):
    finished = host.run(["nvidia-smi", "mig", "-i", address] + arguments, 180, changes=True)
    if finished.ok:
        return
    said = finished.words()
    hint = ""
    if "insufficient resources" in (finished.stdout + finished.stderr).lower():
        hint = ("; the instances that stay leave no room at the right place: declare placements (nvidia-smi mig -lgipp "
                "lists them), or take all instances away once")
    elif "in use" in (finished.stdout + finished.stderr).lower():
        hint = "; a process or a vGPU still uses it"
    raise HostError("{0}: {1}: {2}{3}".format(address, what, said, hint))
