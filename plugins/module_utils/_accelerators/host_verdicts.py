# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host is what its pools say, and whether its cards are well. Pure."""

from __future__ import annotations

from .._core.verdicts import seen, verdict

DECLARED = "accelerators.declared"
HEALTH = "accelerators.health"
_SOURCE = "accelerator_info"
_BAD = ("degraded", "failed")


def judge(outcomes, time):
    """Return two verdicts for each host.

    Args:
        outcomes: of each host ``host``, ``reached``, ``failure``, ``actions``, ``deferred`` and ``accelerators``, as
            the playbooks collect them.
        time: when they were collected, in UTC, as ISO 8601.
    """
    return [one for outcome in outcomes for one in (_declared(outcome, time), _health(outcome, time))]


def _declared(outcome, time):
    subject = "host {0}".format(outcome["host"])
    if not outcome["reached"]:
        return verdict(DECLARED, subject, "error", outcome["failure"], [seen(_SOURCE, time, None, "error")])
    cards = {one["address"]: {"model": one["model"], "driver": one["driver"]} for one in outcome["accelerators"]}
    evidence = [seen(_SOURCE, time, cards)]
    if outcome["failure"]:
        return verdict(DECLARED, subject, "fail" if cards else "error", outcome["failure"], evidence)
    if outcome["actions"] or outcome["deferred"]:
        names = ["{0} {1} {2}".format(one["verb"], one["kind"], one["name"]) for one in outcome["actions"]]
        shown = names + list(outcome["deferred"])
        more = " and {0} more".format(len(shown) - 5) if len(shown) > 5 else ""
        return verdict(DECLARED, subject, "fail", "site would: {0}{1}".format("; ".join(shown[:5]), more), evidence)
    return verdict(DECLARED, subject, "pass", "{0} as the pools say".format(_counted(outcome)), evidence)


def _counted(outcome):
    models = {}
    for one in outcome["accelerators"]:
        if _is_card(one):
            name = one["model"] or "unknown"
            models[name] = models.get(name, 0) + 1
    return ", ".join("{0} x {1}".format(models[name], name) for name in sorted(models)) or "no card"


def _is_card(device):
    """Whether it is a whole card: the driver that its PF is on also speaks for its VFs."""
    return device["kind"] == "gpu" and (device["sriov"] or {}).get("role") != "vf"


def _health(outcome, time):
    subject = "host {0}".format(outcome["host"])
    told = {one["address"]: one["health"] for one in outcome["accelerators"] if _is_card(one)}
    if not told:
        message = outcome["failure"] or "no card was seen"
        return verdict(HEALTH, subject, "error", message, [seen(_SOURCE, time, None, "error")])
    evidence = [seen(_SOURCE, time, {address: health["status"] for address, health in told.items()})]
    bad = ["{0}: {1}".format(address, "; ".join(health["reasons"]) or health["status"])
           for address, health in told.items() if health["status"] in _BAD]
    if bad:
        return verdict(HEALTH, subject, "fail", "; ".join(bad), evidence)
    blind = sorted(address for address, health in told.items() if health["status"] == "unknown")
    if blind:
        # A card on vfio-pci belongs to its guest, and only the driver in there knows how it is.
        message = "no driver of this host tells how {0} of {1} cards are".format(len(blind), len(told))
        return verdict(HEALTH, subject, "not_applicable", message, evidence)
    return verdict(HEALTH, subject, "pass", "{0} cards report no error".format(len(told)), evidence)
