# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What uses a project or a domain. Keystone deletes both without asking; what is inside would be lost or orphaned."""

from __future__ import annotations

# Service, path, key in the reply and query, by what an operator calls it. One item is enough to refuse.
_IN_PROJECT = (
    ("servers", "compute", "/servers", "servers", {"all_tenants": "1", "limit": "1"}, "project_id"),
    ("networks", "network", "/networks", "networks", {"limit": "1"}, "project_id"),
    ("ports", "network", "/ports", "ports", {"limit": "1"}, "project_id"),
    ("images", "image", "/images", "images", {"limit": "1"}, "owner"),
    # Glance leaves these out of any list that does not ask for them.
    ("hidden images", "image", "/images", "images", {"limit": "1", "os_hidden": "true"}, "owner"),
    ("volumes", "block-storage", "/volumes", "volumes", {"all_tenants": "1", "limit": "1"}, "project_id"),
)
_IN_DOMAIN = (("users", "/users"), ("groups", "/groups"))


def project_in_use(cloud, project_id):
    """Return what the project holds, in words, such as ``["servers"]``.

    A service that the region does not have is passed over; one that does not answer is an error.
    """
    held = []
    for what, service, path, key, query, owner in _IN_PROJECT:
        if cloud.has(service) and cloud.any(service, path, key, dict(query, **{owner: project_id})):
            held.append("it has {0}".format(what))
        # A project is one in all regions of a Keystone, and only this one was looked at.
        held += [
            "it may have {0} in region {1}, which this cannot see".format(what, region)
            for region in cloud.elsewhere(service)
        ]
    if cloud.any("identity", "/projects", "projects", {"parent_id": project_id}):
        held.append("it has projects below it")
    return held


def domain_in_use(cloud, domain_id, projects, leaving=None):
    """Return what the domain holds, in words.

    Args:
        cloud: Cloud.
        domain_id: id of the domain.
        projects: names of the projects in it that would stay.
        leaving: mapping of ``users``, ``groups`` and ``identity_providers`` to the names of those in it that the plan
            removes before.
    """
    held = ["project {0} is in it".format(name) for name in projects[:3]]
    for what, path in _IN_DOMAIN:
        names = list((leaving or {}).get(what) or ())
        query = {"domain_id": domain_id}
        if cloud.any("identity", path, what, query) and (
                not names or _more_than(names, cloud.list("identity", path, what, query))):
            held.append("it has {0}".format(what))
    # Keystone would delete them with the domain, and every login through them would end.
    gone = (leaving or {}).get("identity_providers") or ()
    providers = cloud.list("identity", "/OS-FEDERATION/identity_providers", "identity_providers")
    return held + [
        "users of identity provider {0} live in it".format(row["id"])
        for row in providers if row.get("domain_id") == domain_id and row["id"] not in gone
    ]


def _more_than(names, rows):
    """Whether there are others than these. A federated user may bear the name of a local one, and would stay."""
    for row in rows:
        if row.get("name") not in names:
            return True
        names.remove(row["name"])
    return False
