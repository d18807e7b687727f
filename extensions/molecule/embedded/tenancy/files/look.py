# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a declared region with what Keystone and Nova say, through the plain SDK. Ends with 1 when they differ."""

from __future__ import annotations

import json
import sys

import openstack


def look(document: dict) -> list[str]:
    """One sentence for each thing that is not as declared."""
    cloud = openstack.connect()
    tenancy = document["tenancy"]
    domains = {domain.name: domain for domain in cloud.identity.domains()}
    projects = {}
    found = []
    for wanted in tenancy["projects"]:
        domain = domains.get(wanted.get("domain", "Default"))
        name = f"{wanted.get('domain', 'Default')}/{wanted['name']}"
        project = domain and cloud.identity.find_project(wanted["name"], domain_id=domain.id)
        if not project:
            found.append(f"project {name} is missing")
            continue
        projects[name] = project.id
        if set(project.tags) != {*wanted.get("tags", []), "managed-by:sovereign.region:embedded"}:
            found.append(f"project {name} has the tags {project.tags}")
        if project.description != wanted.get("description", ""):
            found.append(f"project {name} has the description {project.description!r}")
    for wanted in tenancy["flavors"]:
        flavor = cloud.compute.find_flavor(wanted["name"], get_extra_specs=True)
        if not flavor:
            found.append(f"flavor {wanted['name']} is missing")
            continue
        if (flavor.vcpus, flavor.ram, flavor.disk) != (wanted["vcpus"], wanted["ram_mib"], wanted["disk_gib"]):
            found.append(f"flavor {flavor.name} has another size")
        alias = f"{wanted['pool']}:{wanted['gpus']}"
        if flavor.extra_specs.get("pci_passthrough:alias") != alias:
            found.append(f"flavor {flavor.name} has the extra specs {flavor.extra_specs}")
        access = {row["tenant_id"] for row in cloud.compute.get_flavor_access(flavor.id)}
        declared = {one if "/" in one else f"Default/{one}" for one in wanted["access"]}
        if access != {projects.get(one) for one in declared}:
            found.append(f"flavor {flavor.name} is not for {sorted(declared)}")
    return found


if __name__ == "__main__":
    problems = look(json.loads(sys.argv[1]))
    print("\n".join(problems) or "as declared")
    sys.exit(1 if problems else 0)
