# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call to the running Glance and Neutron for each operation of the table. As in ``personas_identity``."""

from __future__ import annotations

from personas_world import fresh

PATCHES = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


def create_image(visibility):
    def probe(call, _world, _kind, _case):
        return call("POST", "image", "/v2/images", {
            "name": fresh(), "disk_format": "raw", "container_format": "bare", "visibility": visibility}).status_code
    return probe


def list_images(call, _world, _kind, _case):
    return call("GET", "image", "/v2/images").status_code


def show_image(call, world, kind, _case):
    return call("GET", "image", "/v2/images/" + world.image[kind]).status_code


def download_image(call, world, kind, _case):
    return call("GET", "image", "/v2/images/{0}/file".format(world.image[kind])).status_code


def download_public_image(call, world, kind, _case):
    return call("GET", "image", "/v2/images/{0}/file".format(world.public[kind])).status_code


def update_image(call, world, kind, _case):
    return call("PATCH", "image", "/v2/images/" + world.image[kind],
                [{"op": "replace", "path": "/name", "value": fresh()}], headers=PATCHES).status_code


def delete_image(call, world, kind, case):
    image = world.new_image(world.owners[kind]) if case.allowed else world.image[kind]
    return call("DELETE", "image", "/v2/images/" + image).status_code


def share_image(call, world, kind, case):
    image = world.new_image(world.owners[kind], visibility="shared") if case.allowed else world.image[kind]
    return call("POST", "image", "/v2/images/{0}/members".format(image), {"member": world.project["own"]}).status_code


def deactivate_image(call, world, kind, case):
    image = world.new_image(world.owners[kind]) if case.allowed else world.image[kind]
    return call("POST", "image", "/v2/images/{0}/actions/deactivate".format(image)).status_code


def _post(call, path, body):
    """Neutron refuses a project that is not the caller's with 400, before it asks its policy."""
    reply = call("POST", "network", "/v2.0/" + path, body)
    return 403 if reply.status_code == 400 and "Specifying 'project_id'" in reply.text else reply.status_code


def network(**asked):
    def probe(call, world, kind, _case):
        body = dict({"name": fresh(), "project_id": world.project[kind]}, **asked)
        return _post(call, "networks", {"network": body}), (409,)
    return probe


def show_network(call, world, kind, _case):
    return call("GET", "network", "/v2.0/networks/" + world.network[kind]).status_code


def delete_network(call, world, kind, case):
    made = world.new_network(world.owners[kind]) if case.allowed else world.network[kind]
    return call("DELETE", "network", "/v2.0/networks/" + made).status_code


def create_router(call, world, kind, _case):
    return _post(call, "routers", {"router": {"name": fresh(), "project_id": world.project[kind]}})


def create_floatingip(call, world, kind, _case):
    """From a network that is not external, which Neutron notices after it has asked the policy."""
    return _post(call, "floatingips", {"floatingip": {
        "floating_network_id": world.network["own"], "project_id": world.project[kind]}}), (400,)


def create_security_group_rule(call, world, kind, _case):
    return _post(call, "security-group-rules", {"security_group_rule": {
        "security_group_id": world.secgroup[kind], "direction": "ingress", "ethertype": "IPv4", "protocol": "udp",
        "port_range_min": 1000, "port_range_max": 1000 + int(fresh()[-3:], 16),
        "project_id": world.project[kind]}}), (409,)


def rbac(target):
    def probe(call, world, kind, case):
        made = world.new_network(world.owners[kind]) if case.allowed else world.network[kind]
        return _post(call, "rbac-policies", {"rbac_policy": {
            "object_type": "network", "object_id": made, "action": "access_as_shared",
            "project_id": world.project[kind], "target_tenant": target or world.project["other"]}})
    return probe


def see_segmentation(call, world, kind, _case):
    """Neutron leaves an attribute out that one may not see."""
    reply = call("GET", "network", "/v2.0/networks/" + world.network[kind])
    if reply.status_code != 200:
        return reply.status_code
    return 200 if "provider:segmentation_id" in reply.json()["network"] else 403


def show_network_quota(call, world, _kind, _case):
    return call("GET", "network", "/v2.0/quotas/" + world.project["other"]).status_code


def update_network_quota(call, world, _kind, _case):
    return call("PUT", "network", "/v2.0/quotas/" + world.project["other"], {"quota": {"network": 100}}).status_code


GLANCE = {
    "list_images": list_images,
    "create_image": create_image("private"),
    "create_public_image": create_image("public"),
    "create_community_image": create_image("community"),
    "show_image": show_image,
    "download_image": download_image,
    "download_public_image": download_public_image,
    "update_image": update_image,
    "delete_image": delete_image,
    "share_image": share_image,
    "deactivate_image": deactivate_image,
}
NEUTRON = {
    "create_network": network(),
    "create_shared_network": network(shared=True),
    "create_external_network": network(**{"router:external": True}),
    "create_provider_network": network(**{"provider:network_type": "geneve", "provider:segmentation_id": 77}),
    "show_network": show_network,
    "delete_network": delete_network,
    "create_router": create_router,
    "create_floatingip": create_floatingip,
    "create_security_group_rule": create_security_group_rule,
    "create_rbac_policy": rbac(None),
    "share_with_all": rbac("*"),
    "see_segmentation": see_segmentation,
    "show_network_quota": show_network_quota,
    "update_network_quota": update_network_quota,
}
