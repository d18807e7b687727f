# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cards of a host belong to which pool. A host that is not as declared is reported, never bent to it. Pure."""

from __future__ import annotations

from .._core.errors import nearest, unknown_name
from .._hardware import models, pci


def match(pools, devices):
    """Return (mapping of a pool's name to the addresses of its cards, sentences for what does not fit).

    Args:
        pools: the pools of this host, as ``region`` returns them in ``hosts``.
        devices: ``accelerators`` as accelerator_info returns them.
    """
    cards = {device["address"]: device for device in devices if _is_card(device)}
    claimed, problems = {}, []
    named = {address for pool in pools for address in _addresses(pool)}
    for pool in pools:
        addresses = _addresses(pool)
        if addresses:
            found, wrong = _named(pool, addresses, cards, devices)
        else:
            found, wrong = _counted(pool, cards, named)
        claimed[pool["name"]] = found
        problems += wrong
    return claimed, problems + _twice(pools, claimed)


def _twice(pools, claimed):
    """Return a sentence for each card that two pools claim, under two names of one model."""
    first, said = {}, []
    for pool in pools:
        for address in claimed[pool["name"]]:
            other = first.setdefault(address, pool["name"])
            if other != pool["name"]:
                said.append("pool {0}: {1} belongs to pool {2} already; name the addresses of each pool".format(
                    pool["name"], address, other))
    return said


def _is_card(device):
    """Whether it is a whole card: VFs are made and taken away by this collection, and are no cards of their own."""
    return (device.get("sriov") or {}).get("role") != "vf" and device["kind"] != "display"


def _addresses(pool):
    return [pci.address(address) or address for address in pool["devices"]] if isinstance(pool["devices"], list) else []


def _named(pool, addresses, cards, devices):
    problems = []
    every = {device["address"]: device for device in devices}
    for address in addresses:
        path = "pool {0}: devices".format(pool["name"])
        if address not in cards and address in every:
            what = "a VF; name its PF" if (every[address].get("sriov") or {}).get("role") == "vf" else "a display"
            problems.append("{0}: {1} is {2}".format(path, address, what))
        elif address not in cards:
            problems.append(unknown_name(path, address, "accelerator of this host", cards))
        elif not models.is_called(cards[address], pool["model"]):
            problems.append("{0}: {1} is {2}, not {3}".format(path, address, words(cards[address]), pool["model"]))
    return addresses, problems


def _counted(pool, cards, named):
    of_model = [address for address, device in cards.items() if models.is_called(device, pool["model"])]
    found = sorted(address for address in of_model if address not in named)
    wanted = pool["cards_per_host"]
    if len(found) == wanted:
        return found, []
    others = sorted({words(device) for device in cards.values() if not models.is_called(device, pool["model"])})
    if not found:
        known = {name for device in cards.values() for name in device["models"]}
        close = nearest(pool["model"], known)
        here = "; did you mean {0!r}?".format(close) if close else "; here are: {0}".format(", ".join(others)) \
            if others else "; this host has no accelerator"
    else:
        here = ": {0}; name the addresses if only some belong to the pool".format(", ".join(found))
    return found, ["pool {0}: declared are {1} x {2}, and this host has {3}{4}".format(
        pool["name"], wanted, pool["model"], len(found) or "none", here)]


def words(device):
    """Return what a device is called in a sentence."""
    return device["model"] or "an unknown device {0}:{1}".format(device["vendor_id"], device["device_id"])
