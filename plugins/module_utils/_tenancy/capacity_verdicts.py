# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on the devices of pools. Pure; nothing that was not seen is a pass."""

from __future__ import annotations

from .._core.verdicts import seen, verdict

PROVIDERS = "placement GET /resource_providers, /allocation_candidates"
TRAITS = "placement GET /resource_providers/{id}/traits"
SERVERS = "nova GET /servers/detail"


def judge(declared, pools, time):
    """Return the verdicts on every pool.

    Args:
        declared: pools as they are declared.
        pools: the same pools as they are.
        time: when it was read.
    """
    found = []
    for wish, pool in zip(declared, pools):
        found.append(_inventory(wish, pool, time))
        found.append(_site(wish, pool, time))
        found.append(_leaks(pool, time))
    return found


def _inventory(wish, pool, time):
    subject = "pool {0}".format(pool["name"])
    missing = [host["host"] for host in pool["hosts"] if not host["found"]]
    counts = {host["host"]: host["total"] if host["found"] else None for host in pool["hosts"]}
    evidence = [seen(PROVIDERS, time, counts)]
    name, want = pool["resource_class"], pool["expected"]
    wrong = []
    if wish.get("per_host") is not None:
        wrong = ["{0} has {1} of {2}".format(host["host"], host["total"], wish["per_host"])
                 for host in pool["hosts"] if host["found"] and host["total"] != wish["per_host"]]
    if missing:
        status, message = "fail", "Placement has no host {0}".format(", ".join(missing))
    elif want is None:
        status, message = "not_applicable", "the number of devices is not declared; Placement has {0} {1}".format(
            pool["total"], name)
    elif wrong:
        status, message = "fail", "{0}: {1}".format(name, ", ".join(wrong))
    elif pool["total"] != want:
        status, message = "fail", "Placement has {0} {1}, declared are {2}".format(pool["total"], name, want)
    else:
        status, message = "pass", "Placement has all {0} {1}".format(want, name)
    return verdict("capacity.inventory", subject, status, message, evidence)


def _site(wish, pool, time):
    subject, trait = "pool {0}".format(pool["name"]), wish.get("trait")
    evidence = [seen(TRAITS, time, {host["host"]: host["traits_ok"] for host in pool["hosts"]})]
    if not trait:
        return verdict("capacity.site", subject, "not_applicable", "no trait of a site is declared", evidence)
    unknown = [host["host"] for host in pool["hosts"] if host["traits_ok"] is None]
    without = [host["host"] for host in pool["hosts"] if host["traits_ok"] is False]
    if without:
        status, message = "fail", "{0} is missing on {1}; servers of this site are not placed there".format(
            trait, ", ".join(without))
    elif unknown or not pool["hosts"]:
        status, message = "error", "Placement has no host {0}".format(", ".join(unknown) or "at all")
    else:
        status, message = "pass", "all hosts bear {0}".format(trait)
    return verdict("capacity.site", subject, status, message, evidence)


def _leaks(pool, time):
    subject = "pool {0}".format(pool["name"])
    leaks = [one for one in pool["holders"] if one["server"] is None or one["status"] == "ERROR"]
    value = [{key: one[key] for key in ("server_id", "server", "status", "host", "devices")} for one in leaks]
    sources = [seen(PROVIDERS, time, {"holders": len(pool["holders"]), "leaks": value})]
    if pool["holders"]:
        sources.append(seen(SERVERS, time, [one["server_id"] for one in pool["holders"] if one["server"]]))
    if not any(host["found"] for host in pool["hosts"]):
        return verdict("capacity.leaks", subject, "error", "Placement has none of its hosts", sources)
    if leaks:
        return verdict("capacity.leaks", subject, "fail", "; ".join(_leak(one) for one in leaks), sources)
    return verdict("capacity.leaks", subject, "pass", "every device that is in use belongs to a server", sources)


def _leak(one):
    if one["server"] is None:
        return "{0} on {1} held by {2}, which is no server".format(_devices(one), one["host"], one["server_id"])
    return "{0} on {1} held by server {2} ({3}), which is in ERROR: delete it".format(
        _devices(one), one["host"], one["server"], one["server_id"])


def _devices(one):
    return "1 device" if one["devices"] == 1 else "{0} devices".format(one["devices"])
