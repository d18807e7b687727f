# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the APIs hold, asked with the plain SDK: never with the modules under test."""

from __future__ import annotations

import json

import openstack


def connection(region, name="embedded-admin"):
    """Return a connection of the plain SDK."""
    config = openstack.config.OpenStackConfig(config_files=[str(region.directory / "clouds.yaml")], load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(cloud=name))


def content(cloud):
    """Return domains, projects, identity, flavors, extra specs and access; ids are left out, names stand for them."""
    domains = {domain.id: domain for domain in cloud.identity.domains()}
    projects = {project.id: project for project in cloud.identity.projects()}
    # The SDK's class of domains has no tags.
    tags = {row["id"]: sorted(row["tags"]) for row in cloud.identity.get("/domains").json()["domains"]}

    def name(project):
        return "{0}/{1}".format(domains[project.domain_id].name, project.name)

    found = {
        "domains": {one.name: [one.description, one.is_enabled, tags[one.id]] for one in domains.values()},
        "projects": {
            name(one): [one.description, one.is_enabled, sorted(one.tags or [])] for one in projects.values()
        },
        "flavors": {},
        **_people(cloud, domains),
        **_federation(cloud, domains),
    }
    for flavor in cloud.compute.flavors(details=True, is_public=None, get_extra_specs=True):
        access = [] if flavor.is_public else cloud.compute.get_flavor_access(flavor.id)
        found["flavors"][flavor.name] = {
            "size": [flavor.vcpus, flavor.ram, flavor.disk],
            "public": flavor.is_public,
            "description": flavor.description or "",
            "extra_specs": dict(flavor.extra_specs),
            "access": sorted(name(projects[row["tenant_id"]]) for row in access),
        }
    return found


def _people(cloud, domains):
    """Users that the region's own services and personas have are part of it: nothing may happen to them."""
    def name(row):
        return "{0}/{1}".format(domains[row["domain_id"]].name, row["name"])

    groups = cloud.identity.get("/groups").json()["groups"]
    users = cloud.identity.get("/users").json()["users"]
    members = {one["id"]: cloud.identity.get(f"/groups/{one['id']}/users").json()["users"] for one in groups}
    assignments = cloud.identity.get("/role_assignments?include_names=true").json()["role_assignments"]
    for row in assignments:
        del row["links"]
    return {
        "groups": {name(one): [one["description"], sorted(name(user) for user in members[one["id"]])]
                   for one in groups},
        "users": {name(one): [one.get("description"), one.get("email"), one["enabled"]] for one in users},
        "assignments": sorted(json.dumps(_named(row), sort_keys=True) for row in assignments),
    }


def _named(value):
    """Return a row without ids."""
    if not isinstance(value, dict):
        return value
    return {key: _named(item) for key, item in value.items() if key != "id"}


def _federation(cloud, domains):
    def rows(path, key):
        return cloud.identity.get("/OS-FEDERATION/" + path).json()[key]

    providers = {}
    for row in rows("identity_providers", "identity_providers"):
        protocols = rows(f"identity_providers/{row['id']}/protocols", "protocols")
        providers[row["id"]] = {
            "domain": domains[row["domain_id"]].name,
            **{key: row[key] for key in ("description", "enabled", "remote_ids", "authorization_ttl")},
            "protocols": {one["id"]: [one["mapping_id"], one.get("remote_id_attribute")] for one in protocols},
        }
    return {
        "identity_providers": providers,
        "mappings": {one["id"]: [one["schema_version"], one["rules"]] for one in rows("mappings", "mappings")},
        "service_providers": {one["id"]: one["sp_url"] for one in rows("service_providers", "service_providers")},
    }
