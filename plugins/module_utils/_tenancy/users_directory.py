# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a Keystone: users and groups by name, and which users are federated.

What Keystone does and this works with (Keystone 30.0.0, ``keystone/identity/core.py``, ``api/users.py``):

* a list of users holds local and federated users alike, and does not tell which is which; only ``GET /users/{id}`` has
  ``federated``. A federated user takes its name from a claim, so it may bear the name of a local one;
* with ``domain_specific_drivers_enabled``, a list without ``domain_id`` covers only the domain of the token.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import NotFound
from .names import project_name

# An attribute of our own: users and groups have no tags, and Keystone keeps what it does not know. It has no colon,
# because Keystone turns one into an underscore when it creates an object, and not when it changes one.
MARK = "sovereign_region_owner"


@dataclass(frozen=True)
class Local:
    """Which users certain names mean.

    Attributes:
        rows: mapping of ``domain/name`` to the row of the local user.
        federated: those names that only federated users bear.
    """

    rows: dict
    federated: frozenset


def read_domains(cloud):
    """Return mapping of domain id to name."""
    return {item["id"]: item["name"] for item in cloud.list("identity", "/domains", "domains")}


def read(cloud, kind, domains, needed):
    """Return mapping of ``domain/name`` to the list of rows that bear it.

    Args:
        cloud: Cloud.
        kind: ``user`` or ``group``.
        domains: mapping of domain id to name.
        needed: names of the domains whose objects matter; None for all.
    """
    path, key = "/{0}s".format(kind), kind + "s"
    rows = cloud.list("identity", path, key)
    seen = {row["domain_id"] for row in rows}
    if len(seen) < 2:
        # Rows of one domain only: either there are no others, or this Keystone has to be asked domain by domain.
        for domain_id, name in sorted(domains.items()):
            if domain_id not in seen and (needed is None or name in needed):
                rows = rows + cloud.list("identity", path, key, {"domain_id": domain_id})
    found = {}
    for row in rows:
        # A user who never had a name, or a name with a slash, cannot be declared nor taken for another one's.
        name = project_name(domains.get(row["domain_id"], row["domain_id"]), row.get("name") or "")
        if name.count("/") == 1:
            found.setdefault(name, []).append(row)
    return found


def local_users(cloud, rows, names, trusted=()):
    """Return Local for some names.

    A user that bears a mark was made or taken over by one of us, which is only done with local ones. Any other is
    looked up by itself.

    Args:
        cloud: Cloud.
        rows: mapping of ``domain/name`` to rows of users.
        names: the names that matter.
        trusted: ids of users that need no look, because nothing is decided about them.
    """
    found, federated = {}, set()
    for name in sorted(set(names)):
        candidates = rows.get(name, ())
        marked = [row for row in candidates if row.get(MARK)]
        if not marked and len(candidates) == 1 and candidates[0]["id"] in trusted:
            marked = list(candidates)
        for row in marked or candidates:
            if marked or not is_federated(cloud, row["id"]):
                found[name] = row
                break
        else:
            if candidates:
                federated.add(name)
    return Local(found, frozenset(federated))


def is_federated(cloud, user_id):
    """Whether a user came from an identity provider. One that is gone did not."""
    try:
        return bool(cloud.get("identity", "/users/{0}".format(user_id))["user"].get("federated"))
    except NotFound:
        return False


def read_projects(cloud, domains):
    """Return mapping of ``domain/name`` to id."""
    rows = cloud.list("identity", "/projects", "projects")
    named = [(project_name(domains.get(row["domain_id"], row["domain_id"]), row["name"]), row["id"]) for row in rows]
    return {name: project for name, project in named if name.count("/") == 1}


def coming(pending, kind):
    """Return (names that an earlier part of the plan creates, names that it removes).

    Args:
        pending: actions of earlier modules.
        kind: such as ``domain``.
    """
    made = {one.get("name") for one in pending if one.get("kind") == kind and one.get("verb") == "create"}
    gone = {one.get("name") for one in pending if one.get("kind") == kind and one.get("verb") == "delete"}
    return made, gone - made
