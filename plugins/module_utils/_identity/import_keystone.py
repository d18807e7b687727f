# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running Keystone has of federation, as the section ``identity`` of a region document. Reads only.

Source: Identity API v3, extension OS-FEDERATION. ``[federation]`` of keystone.conf is in no API.
"""

from __future__ import annotations

from . import federation_facts as facts
from .federation_spec import DEFAULT_TTL
from .import_groups import landing
from .import_section import domains_of, persona_or_role, section

ARGUMENT_SPEC = {}
# What Keystone gives a service provider for which nothing is said ([saml] relay_state_prefix).
RELAY_STATE = "ss:mem:"
_UNSEEN = (
    "[federation] of keystone.conf (trusted_dashboard, assertion_prefix, default_authorization_ttl and so on) is in no "
    "API: write it below identity.federation by hand"
)


def validate(params):
    """Return nothing: there are no options that could be wrong."""
    return []


def execute(cloud, params, check_mode):
    """Return the module's whole result."""
    asked = {"identity_providers": True, "mappings": True, "service_providers": True}
    observed = facts.objects(cloud, asked)
    domains = observed.domain_names()
    protocols = {name: facts.protocols_of(cloud, name) for name in sorted(observed.providers)}
    found = {
        "identity_providers": [_provider(name, row, protocols[name], domains)
                               for name, row in sorted(observed.providers.items())],
        "mappings": [dict(row, name=name) for name, row in sorted(observed.mappings.items())],
        "service_providers": [_service_provider(name, row) for name, row in sorted(observed.service_providers.items())],
    }
    groups, rows, notes = [], [], []
    if observed.mappings:
        groups = cloud.list("identity", "/groups", "groups")
        groups, notes = named_groups(found, groups, domains)
        rows = cloud.list("identity", "/role_assignments", "role_assignments", {"include_names": "true"})
    found["groups"] = groups
    found["assignments"], unnamed = assignments_of(groups, rows)
    made, refused = section(found)
    places = sorted({one["project"] for one in found["assignments"] if one.get("project")})
    if places:
        unnamed = unnamed + ["assignments name projects that the document has to declare below tenancy.projects: "
                             "{0}".format(", ".join(places))]
    notes = notes + unnamed + refused + _provider_notes(found, observed)
    return dict(
        found,
        identity=made,
        domains=domains_of(made),
        orphan_domains=observed.orphan_domains(),
        notes=notes + [_UNSEEN],
        changed=False,
        actions=[],
        api_calls=cloud.calls,
    )


def _provider(name, row, protocols, domains):
    ttl = row["authorization_ttl"]
    return {
        "name": name,
        "domain": domains.get(row["domain_id"], row["domain_id"]),
        "description": row["description"],
        "enabled": row["enabled"],
        "remote_ids": row["remote_ids"],
        "authorization_ttl": None if ttl == DEFAULT_TTL else ttl,
        "protocols": [
            {"name": key, "mapping": one["mapping"], "remote_id_attribute": one["remote_id_attribute"] or None}
            for key, one in sorted(protocols.items())
        ],
    }


def _service_provider(name, row):
    prefix = row["relay_state_prefix"]
    return dict(row, name=name, relay_state_prefix=prefix if prefix and prefix != RELAY_STATE else None)


def named_groups(found, groups, domains):
    """Return (the groups that mappings put people in, notes). Pure.

    Args:
        found: mapping with ``mappings`` and ``identity_providers``.
        groups: rows of Keystone's groups.
        domains: mapping of domain id to name.
    """
    by_name = {(domains.get(row["domain_id"], row["domain_id"]), row["name"]): row for row in groups}
    by_id = {row["id"]: key for key, row in by_name.items()}
    wanted, notes = set(), []
    for mapping in found["mappings"]:
        own = {provider["domain"] for provider in found["identity_providers"]
               for protocol in provider["protocols"] if protocol["mapping"] == mapping["name"]}
        there = landing(mapping, domains, own)
        for place in sorted(there.names - set(by_name)):
            notes.append("mapping {0} names group {1}/{2}, which does not exist: nobody gets it".format(
                mapping["name"], *place))
        for key in sorted(there.ids):
            notes.append("mapping {0} names a group by its id {1}{2}; a name would outlive the group".format(
                mapping["name"], key, ", which is {0}/{1}".format(*by_id[key]) if key in by_id else
                ", which does not exist"))
        for domain in sorted(there.open):
            notes.append("mapping {0} takes names of groups from a claim: every group of domain {1} is in reach".format(
                mapping["name"], domain))
        wanted |= there.names | {by_id[key] for key in there.ids if key in by_id}
        wanted |= {key for key in by_name if key[0] in there.open}
    rows = [{"name": name, "domain": domain, "description": by_name[domain, name].get("description") or "",
             "id": by_name[domain, name]["id"]} for domain, name in sorted(wanted & set(by_name))]
    return rows, notes


def assignments_of(groups, rows):
    """Return (what these groups may do where, in the words of the document, notes). Pure.

    Args:
        groups: rows of ``named_groups``.
        rows: of ``/role_assignments``, with names.
    """
    names = {row["id"]: "{0}/{1}".format(row["domain"], row["name"]) for row in groups}
    found, notes = [], []
    for row in rows:
        group = names.get((row.get("group") or {}).get("id"))
        if group is None:
            continue
        role, scope = row["role"], row["scope"]
        if role.get("domain"):
            notes.append("role {0} of group {1} belongs to domain {2}; the document has roles of no domain only".format(
                role["name"], group, role["domain"].get("name")))
            continue
        if "system" in scope:
            where = {"system": True}
        elif "domain" in scope:
            where = {"domain": scope["domain"]["name"]}
        else:
            where = {"project": "{0}/{1}".format(scope["project"]["domain"]["name"], scope["project"]["name"])}
        inherited = scope.get("OS-INHERIT:inherited_to") == "projects"
        found.append(dict(persona_or_role(role["name"], *where), group=group, inherited=inherited, **where))
    return sorted(found, key=lambda one: [one["group"]] + sorted(map(str, one.items()))), notes


def _provider_notes(found, observed):
    notes = []
    for provider in found["identity_providers"]:
        if not provider["remote_ids"]:
            notes.append("identity provider {0} has no remote ids: whoever comes in by its URL is taken for it".format(
                provider["name"]))
        for protocol in provider["protocols"]:
            if protocol["mapping"] not in observed.mappings:
                notes.append("protocol {0} of identity provider {1} uses mapping {2}, which does not exist: nobody can "
                             "log in by it".format(protocol["name"], provider["name"], protocol["mapping"]))
    return notes
