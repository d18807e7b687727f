# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call to the running Nova and Placement for each operation of the table of personas.

As in ``personas_identity``. Policy comes before what is wrong with a request: a refusal for another reason than policy
means that policy let it pass.
"""

from __future__ import annotations

from personas_world import fresh

# What Nova answers once policy has let a request pass that cannot work: no such host, not in this state.
PASSED = (400, 404, 409)


def _get(service, path):
    def probe(call, _world, _kind, _case):
        return call("GET", service, path).status_code
    return probe


def _post(path, body, delete=None):
    """Create something nameless; what was created is taken away again by who may."""
    def probe(call, world, _kind, _case):
        name = fresh()
        reply = call("POST", "compute", path, body(name))
        if reply.status_code < 300 and delete:
            world.admin.made("DELETE", "compute", delete.format(next(iter(reply.json().values()))["id"]))
        return reply.status_code
    return probe


def _server(**asked):
    def probe(call, world, _kind, _case):
        body = {"name": fresh(), "flavorRef": "there-is-none", "imageRef": world.public["own"], "networks": "none"}
        return call("POST", "compute", "/servers", {"server": dict(body, **asked)}).status_code, (400, 404)
    return probe


def _action(body, version=None):
    """Ask for something to be done to a server. Nova hides a server of another project: 404."""
    def probe(call, world, kind, _case):
        reply = call("POST", "compute", "/servers/{0}/action".format(world.server[kind]), body, version=version)
        return reply.status_code, (400, 409)
    return probe


def show_server(call, world, kind, _case):
    return call("GET", "compute", "/servers/" + world.server[kind]).status_code


def instance_actions(call, world, kind, _case):
    return call("GET", "compute", "/servers/{0}/os-instance-actions".format(world.server[kind])).status_code


def delete_server(call, world, kind, case):
    server = world.new_server(world.owners[kind]) if case.allowed else world.server[kind]
    return call("DELETE", "compute", "/servers/" + server).status_code


def create_keypair(call, world, kind, _case):
    """For somebody else is a matter of the same rule: the target is that user."""
    whose = {} if kind == "self" else {"user_id": world.user["other"]}
    body = dict({"name": fresh(), "type": "ssh"}, **whose)
    return call("POST", "compute", "/os-keypairs", {"keypair": body}).status_code


def list_flavors(call, world, _kind, _case):
    return call("GET", "compute", "/flavors/{0}/os-extra_specs".format(world.flavor)).status_code


def flavor_access(call, world, _kind, _case):
    return call("POST", "compute", "/flavors/{0}/action".format(world.private), {
        "addTenantAccess": {"tenant": world.project["other"]}}).status_code, (409,)


def disable_service(call, _world, _kind, _case):
    return call("PUT", "compute", "/os-services/" + "0" * 8 + "-0000-4000-8000-" + "0" * 12,
                {"status": "disabled"}).status_code, (404,)


def show_quota(call, world, kind, _case):
    return call("GET", "compute", "/os-quota-sets/" + world.project[kind]).status_code


def update_quota(call, world, kind, _case):
    return call("PUT", "compute", "/os-quota-sets/" + world.project[kind],
                {"quota_set": {"key_pairs": 90}}).status_code


def project_usage(call, world, kind, _case):
    return call("GET", "placement", "/usages?project_id=" + world.project[kind]).status_code


def create_provider(call, _world, _kind, _case):
    return call("POST", "placement", "/resource_providers", {"name": fresh()}).status_code


def update_inventory(call, world, _kind, case):
    provider = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    if case.allowed:
        provider = world.admin.made("POST", "placement", "/resource_providers", {"name": fresh()})["uuid"]
    return call("PUT", "placement", "/resource_providers/{0}/inventories".format(provider), {
        "resource_provider_generation": 0, "inventories": {"VCPU": {"total": 1}}}).status_code


def create_trait(call, _world, _kind, _case):
    return call("PUT", "placement", "/traits/CUSTOM_" + fresh().upper().replace("-", "_")).status_code


NOVA = {
    "create_server": _server(),
    "create_server_on_host": _server(availability_zone="nova:there-is-none"),
    "list_servers": _get("compute", "/servers"),
    "list_all_servers": _get("compute", "/servers?all_tenants=1"),
    "show_server": show_server,
    "stop_server": _action({"os-stop": None}),
    "delete_server": delete_server,
    "console_output": _action({"os-getConsoleOutput": {}}),
    "instance_actions": instance_actions,
    "migrate": _action({"migrate": None}, "compute 2.1"),
    "live_migrate": _action({"os-migrateLive": {"host": None, "block_migration": "auto"}}),
    "live_migrate_to_host": _action({"os-migrateLive": {"host": "there-is-none", "block_migration": "auto"}}),
    "evacuate": _action({"evacuate": {}}),
    "create_keypair": create_keypair,
    "list_flavors": list_flavors,
    "create_flavor": _post("/flavors", lambda name: {"flavor": {"name": name, "vcpus": 1, "ram": 1, "disk": 0}},
                           "/flavors/{0}"),
    "flavor_access": flavor_access,
    "list_hypervisors": _get("compute", "/os-hypervisors/detail"),
    "list_services": _get("compute", "/os-services"),
    "disable_service": disable_service,
    "create_aggregate": _post("/os-aggregates", lambda name: {"aggregate": {"name": name}}, "/os-aggregates/{0}"),
    "show_quota": show_quota,
    "update_quota": update_quota,
    "usage_of_all": _get("compute", "/os-simple-tenant-usage"),
}
PLACEMENT = {
    "list_providers": _get("placement", "/resource_providers"),
    "create_provider": create_provider,
    "update_inventory": update_inventory,
    "list_traits": _get("placement", "/traits"),
    "create_trait": create_trait,
    "allocation_candidates": _get("placement", "/allocation_candidates?resources=VCPU:1"),
    "project_usage": project_usage,
}
