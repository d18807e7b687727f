# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mapping of schema 3.0 takes away.

At each login through it Keystone removes every direct role of the user on a project that the mapping does not give
(Keystone 30.0.0, ``auth/plugins/mapped.py``, ``remove_left_over_project_assignments`` and ``update_assignments``).
Roles through groups, on domains and on the system stay.

What can be known: which users came through a protocol before, and which direct roles they have now. What they will
claim at their next login cannot be known, so a role that some rule could give is told as one that may stay.
"""

from __future__ import annotations

from .federation_facts import federated_users


def lost_grants(cloud, targets, domains):
    """Return the direct project roles of federated users that a mapping of schema 3.0 is going to judge.

    One call for the users of each target, and three more when there are any.

    Args:
        cloud: Cloud.
        targets: list of (identity provider, protocol, name of the mapping, its rules, name of the domain of the
            identity provider or None).
        domains: mapping of domain id to name.

    Returns:
        A list of dicts: mapping, identity_provider, protocol, user, user_id, project (``domain/name``), role,
        inherited, may_stay.
    """
    found = []
    for provider, protocol, mapping, rules, domain in targets:
        found += [(provider, protocol, mapping, rules, domain, user)
                  for user in federated_users(cloud, provider, protocol)]
    if not found:
        return []
    grants = {}
    for row in cloud.list("identity", "/role_assignments", "role_assignments"):
        project = ((row.get("scope") or {}).get("project") or {}).get("id")
        if project and row.get("user"):
            inherited = "OS-INHERIT:inherited_to" in row["scope"]
            grants.setdefault(row["user"]["id"], []).append((project, row["role"]["id"], inherited))
    if not any(user["id"] in grants for *unused, user in found):
        return []
    projects = {row["id"]: row for row in cloud.list("identity", "/projects", "projects")}
    roles = {row["id"]: row["name"] for row in cloud.list("identity", "/roles", "roles")}
    lost = []
    for provider, protocol, mapping, rules, domain, user in found:
        for project_id, role_id, inherited in grants.get(user["id"], ()):
            project = projects.get(project_id, {"name": project_id, "domain_id": None})
            where = domains.get(project["domain_id"], project["domain_id"])
            role = roles.get(role_id, role_id)
            lost.append({
                "mapping": mapping,
                "identity_provider": provider,
                "protocol": protocol,
                "user": user["name"],
                "user_id": user["id"],
                "project": "{0}/{1}".format(where, project["name"]),
                "role": role,
                "inherited": inherited,
                "may_stay": not inherited and may_give(rules, where, project["name"], role, domain),
            })
    return sorted(lost, key=lambda row: tuple(str(value) for value in row.values()))


def may_give(rules, domain, project, role, own_domain):
    """Whether some rule, for some claims, gives ``role`` on ``project``. Pure.

    Args:
        rules: rules of a mapping of schema 3.0.
        domain: name of the project's domain.
        project: name of the project.
        role: name of the role.
        own_domain: name of the domain of the identity provider, where projects without a domain are; None when unknown.
    """
    for rule in rules:
        for local in rule.get("local") or []:
            if local.get("projects_json"):
                return True
            for given in local.get("projects") or []:
                where = given.get("domain") or local.get("domain") or {}
                if (
                    _may_be(given.get("name"), project)
                    and any(_may_be(one.get("name"), role) for one in given.get("roles") or [])
                    and ("id" in where or _may_be(where.get("name", own_domain), domain))
                ):
                    return True
    return False


def _may_be(written, name):
    """Whether a text of a rule can become ``name``: what holds a reference to a claim can become anything."""
    return written is None or "{" in written or written == name


def sentence(rows):
    """Return what is lost in words for an action, or None. Pure."""
    rows = [row for row in rows if not row["may_stay"]]
    if not rows:
        return None
    users = sorted({row["user"] for row in rows})
    # Keystone looks for an inherited role among the others, and refuses the login with 404.
    kept_out = sorted({row["user"] for row in rows if row["inherited"]})
    return "at the next login {0} {1} direct project {2} that the mapping cannot give: {3}{4}{5}".format(
        "1 user loses" if len(users) == 1 else "{0} users lose".format(len(users)),
        len(rows),
        "role" if len(rows) == 1 else "roles",
        ", ".join("{0} {1} on {2}".format(row["user"], row["role"], row["project"]) for row in rows[:3]),
        ", …" if len(rows) > 3 else "",
        "; inherited roles keep out {0}".format(", ".join(kept_out[:3])) if kept_out else "",
    )
