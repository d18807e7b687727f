# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is room for a canary that takes no device somebody may need."""

from __future__ import annotations

from .providers import summaries_of

_DISABLED = "COMPUTE_STATUS_DISABLED"


def room(cloud, name, extra_specs):
    """Return mapping of root provider to the devices that are free there, of hosts that the flavor may use."""
    required = {key[6:] for key, value in extra_specs.items() if key.startswith("trait:") and value == "required"}
    forbidden = {key[6:] for key, value in extra_specs.items() if key.startswith("trait:") and value == "forbidden"}
    return free_by_host(summaries_of(cloud, {"resources": "{0}:1".format(name)}), name, required, forbidden)


def free_by_host(summaries, name, required=(), forbidden=()):
    """Return mapping of root provider to free devices. Pure.

    Args:
        summaries: provider summaries of Placement.
        name: resource class.
        required, forbidden: traits of the root provider.
    """
    found = {}
    for summary in summaries.values():
        resource = summary["resources"].get(name)
        root = summaries.get(summary["root_provider_uuid"])
        if resource is None or root is None:
            continue
        traits = set(root["traits"])
        if traits & (set(forbidden) | {_DISABLED}) or set(required) - traits:
            continue
        key = summary["root_provider_uuid"]
        found[key] = found.get(key, 0) + max(resource["capacity"] - resource["used"], 0)
    return found


def judge_room(flavor, hosts, keep_free):
    """Return why the canary is left out, or None. Pure."""
    free, gpus, name = sum(hosts.values()), flavor["gpus"], flavor["resource_class"]
    if max(hosts.values(), default=0) < gpus:
        return "no host has {0} free {1}: {2}".format(gpus, name, "none is free" if not free else "{0} are free on "
                                                      "{1} hosts".format(free, len(hosts)))
    if free < gpus + keep_free:
        return "{0} of {1} are free, the canary needs {2} and leaves {3}: the last ones are for tenants".format(
            free, name, gpus, keep_free)
    return None
