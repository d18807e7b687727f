# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools: sites that exist, modes that make sense, devices that belong to one pool, classes that stay apart."""

from __future__ import annotations

from itertools import combinations

from .._core.schema import Problem, child
from .checks_sites import twice
from .names import alias, resource_class

# What can reach a pod: Kata assigns PCI devices; vGPU and MIG instances of a server's driver are not PCI devices.
KATA_MODES = ("passthrough", "vf")
PROFILE_MODES = ("vgpu", "mig")
SLICED_MODES = ("vf", "vgpu", "mig")


def problems(view):
    """Return the problems of the section ``accelerators.pools``."""
    found = twice(view.names["pools"], "pool")
    names = view.declared("sites")
    for path, pool in view.pools:
        if pool["site"] not in names:
            found += view.unknown(child(path, "site"), pool["site"], "sites", names)
        found += _mode_problems(path, pool) + _address_problems(path, pool)
    return found + _host_problems(view) + _claim_problems(view) + _class_problems(view)


def _meaning(path, key, value, expected):
    return Problem(child(path, key), value, expected, kind="meaning")


def _mode_problems(path, pool):
    mode, consumer, profile = pool["mode"], pool["consumer"], pool["profile"]
    found = []
    if mode in PROFILE_MODES and profile is None:
        found.append(_meaning(path, "profile", None, "the name of a profile, because the mode is {0}".format(mode)))
    if mode in ("passthrough", "host") and profile is not None:
        found.append(_meaning(path, "profile", profile, "no profile, because the mode is {0}".format(mode)))
    if mode not in SLICED_MODES and pool["slices"] != 1:
        found.append(_meaning(path, "slices", pool["slices"], "no slices, because the mode is {0}".format(mode)))
    if consumer and mode == "host":
        found.append(_meaning(path, "consumer", consumer, "no consumer, because the mode is host"))
    elif consumer == "kata" and mode not in KATA_MODES:
        expected = "nova, because kata takes only the modes {0}".format(" and ".join(KATA_MODES))
        found.append(_meaning(path, "consumer", consumer, expected))
    return found


def _address_problems(path, pool):
    """Return problems of addresses that differ only in the case of their letters."""
    if not isinstance(pool["devices"], list):
        return []
    found, first = [], {}
    for index, address in enumerate(pool["devices"]):
        before = first.setdefault(address.lower(), index)
        if before != index:
            where = child(child(path, "devices"), index)
            expected = "each address once, devices[{0}] is the same".format(before)
            found.append(Problem(where, address, expected, kind="meaning"))
    return found


def _host_problems(view):
    """Return problems of hosts that would stand at two sites."""
    found, first = [], {}
    for path, pool in view.pools:
        for index, host in enumerate(pool["hosts"]):
            name, site = first.setdefault(host, (pool["name"], pool["site"]))
            if site != pool["site"]:
                expected = "a host of the site {0}; pool {1} has it at the site {2}".format(pool["site"], name, site)
                found.append(Problem(child(child(path, "hosts"), index), host, expected, kind="meaning"))
    return found


def _claim_problems(view):
    """Return problems of devices that two pools claim."""
    by_host = {}
    for path, pool in view.pools:
        for host in pool["hosts"]:
            by_host.setdefault(host, []).append((path, pool))
    pairs = {}
    for host, claims in by_host.items():
        for (path, one), (other_path, two) in combinations(claims, 2):
            pairs.setdefault((path, other_path), (one, two, []))[2].append(host)
    found = []
    for (_first, path), (one, two, hosts) in sorted(pairs.items(), key=lambda pair: pair[0][1]):
        found += _overlap(path, one, two, hosts)
    return found


def _overlap(path, one, two, hosts):
    where = "on {0}".format(", ".join(hosts))
    if isinstance(one["devices"], list) and isinstance(two["devices"], list):
        taken = {address.lower() for address in one["devices"]}
        expected = "a device that pool {0} does not claim {1}".format(one["name"], where)
        return [
            Problem(child(child(path, "devices"), index), address, expected, kind="meaning")
            for index, address in enumerate(two["devices"]) if address.lower() in taken
        ]
    if resource_class(one["model"], "passthrough") != resource_class(two["model"], "passthrough"):
        return []
    expected = (
        "PCI addresses in both pools: pool {0} claims cards of the model {1} {2}, and a count does not say which"
    ).format(one["name"], one["model"], where)
    return [_meaning(path, "devices", two["devices"], expected)]


def _class_problems(view):
    """Return problems of pools that are different things under one derived name."""
    found, classes, aliases = [], {}, {}
    for path, pool in view.pools:
        if pool["mode"] in PROFILE_MODES and pool["profile"] is None:
            continue
        what = (pool["model"], pool["mode"], pool["profile"])
        names = ((classes, resource_class(*what), "resource class"), (aliases, alias(*what), "alias"))
        for seen, derived, word in names:
            if derived is None:
                continue
            name, before = seen.setdefault(derived, (pool["name"], what))
            if before != what:
                key = "model" if before[0] != what[0] else "profile" if before[2] != what[2] else "mode"
                value = dict(zip(("model", "mode", "profile"), what))[key]
                expected = "the same as in pool {0}, or another name: both are the {1} {2}".format(name, word, derived)
                found.append(_meaning(path, key, value, expected))
                break
    return found
