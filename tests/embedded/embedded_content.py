# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the APIs hold, asked with the plain SDK: never with the modules under test."""

from __future__ import annotations

import openstack


def connection(region, name="embedded-admin"):
    """Return a connection of the plain SDK."""
    config = openstack.config.OpenStackConfig(config_files=[str(region.directory / "clouds.yaml")], load_envvars=False)
    return openstack.connection.Connection(config=config.get_one(cloud=name))


def content(cloud):
    """Return projects, domains, flavors, extra specs and access; ids are left out, names stand for them."""
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
