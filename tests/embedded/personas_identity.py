# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call to the running Keystone for each operation of the table of personas.

Each is given who calls, the world, the kind of thing (``self``, ``own``, ``other``, ``any``) and the case: the caller's
user id and whether the call should pass, which is when something of its own is made for it to use up. It returns the
status, or a status together with those that mean that policy let the request pass.
"""

from __future__ import annotations

from personas_world import fresh

USER, GROUP, GRANT = "/users/{0}", "/groups/{0}/users/{1}", "/projects/{0}/users/{1}/roles/{2}"


def _create(what):
    def probe(call, world, kind, _case):
        return call("POST", "identity", "/{0}s".format(what), {
            what: {"name": fresh(what), "domain_id": world.domain[kind]}}).status_code
    return probe


def _delete(what):
    def probe(call, world, kind, case):
        made = world.new(what, domain_id=world.domain[kind])["id"] if case.allowed else getattr(world, what)[kind]
        return call("DELETE", "identity", "/{0}s/{1}".format(what, made)).status_code
    return probe


def _list(what):
    """Whether a known one is in the list: Keystone answers a domain-scoped caller with those of that domain only."""
    def probe(call, world, kind, _case):
        where = "own" if kind == "own" else "other"
        reply = call("GET", "identity", "/{0}s?domain_id={1}".format(what, world.domain[where]))
        return _listed(reply, what + "s", getattr(world, what)[where])
    return probe


def _listed(reply, key, wanted):
    if reply.status_code != 200:
        return reply.status_code
    return 200 if wanted in [row["id"] for row in reply.json()[key]] else 403


def _put(path, body):
    def probe(call, _world, _kind, _case):
        return call("PUT", "identity", path.format(fresh()), body).status_code
    return probe


def update_user(call, world, kind, case):
    user = case.me if kind == "self" else world.user[kind]
    return call("PATCH", "identity", USER.format(user), {"user": {"description": fresh()}}).status_code


def add_user_to_group(call, world, kind, _case):
    return call("PUT", "identity", GROUP.format(world.group[kind], world.user[kind])).status_code


def grant(role):
    def probe(call, world, kind, _case):
        user = world.user[kind]
        path = GRANT.format(world.project[kind], user, world.roles[role])
        return call("PUT", "identity", path).status_code
    return probe


def revoke_member(call, world, kind, case):
    path = GRANT.format(world.project[kind], world.user[kind], world.roles["member"])
    if case.allowed:
        world.admin.made("PUT", "identity", path)
    return call("DELETE", "identity", path).status_code


def list_role_assignments(call, world, kind, _case):
    """Keystone answers a domain-scoped caller with the assignments of that domain, whatever was asked for."""
    project = world.project["own" if kind == "own" else "other"]
    reply = call("GET", "identity", "/role_assignments?scope.project.id={0}".format(project))
    if reply.status_code == 200 and not reply.json()["role_assignments"]:
        return 403
    return reply.status_code


def list_domains(call, world, kind, _case):
    wanted = world.domain["own" if kind == "own" else "other"]
    return _listed(call("GET", "identity", "/domains"), "domains", wanted)


def create_domain(call, _world, _kind, _case):
    return call("POST", "identity", "/domains", {"domain": {"name": fresh(), "enabled": False}}).status_code


def create_role(call, _world, _kind, _case):
    return call("POST", "identity", "/roles", {"role": {"name": fresh()}}).status_code


def create_application_credential(call, world, kind, case):
    user = case.me if kind == "self" else world.user[kind]
    return call("POST", "identity", "/users/{0}/application_credentials".format(user), {
        "application_credential": {"name": fresh()}}).status_code


def list_application_credentials(call, world, kind, case):
    user = case.me if kind == "self" else world.user[kind]
    return call("GET", "identity", "/users/{0}/application_credentials".format(user)).status_code


def create_registered_limits(call, world, _kind, _case):
    return call("POST", "identity", "/registered_limits", {"registered_limits": [
        {"service_id": world.service, "resource_name": fresh(), "default_limit": 1}]}).status_code


def create_endpoint(call, world, _kind, _case):
    return call("POST", "identity", "/endpoints", {"endpoint": {
        "service_id": world.service, "interface": "internal", "url": "http://127.0.0.1:1/"}}).status_code


def _get(path):
    def probe(call, _world, _kind, _case):
        return call("GET", "identity", path).status_code
    return probe


PROBES = {
    "list_users": _list("user"),
    "create_user": _create("user"),
    "update_user": update_user,
    "delete_user": _delete("user"),
    "create_group": _create("group"),
    "add_user_to_group": add_user_to_group,
    "list_projects": _list("project"),
    "create_project": _create("project"),
    "delete_project": _delete("project"),
    "create_domain": create_domain,
    "list_domains": list_domains,
    "grant_member": grant("member"),
    "grant_admin": grant("admin"),
    "revoke_member": revoke_member,
    "list_role_assignments": list_role_assignments,
    "create_role": create_role,
    "create_application_credential": create_application_credential,
    "list_application_credentials": list_application_credentials,
    "list_identity_providers": _get("/OS-FEDERATION/identity_providers"),
    "create_identity_provider": _put("/OS-FEDERATION/identity_providers/{0}", {"identity_provider": {}}),
    "create_mapping": _put("/OS-FEDERATION/mappings/{0}", {"mapping": {"rules": [
        {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}]}}),
    "create_registered_limits": create_registered_limits,
    "create_endpoint": create_endpoint,
}
