# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and for what: a persona's credentials, and things that are its own or somebody else's. Pure.

Sources: ``RequestContext.to_policy_values`` of oslo.context 6 and of Keystone 30.0.0 (``keystone/common/context.py``);
that ``admin`` implies ``manager``, ``member`` and ``reader`` is what ``keystone-manage bootstrap`` sets up.
"""

from __future__ import annotations

from .._region.personas import PERSONAS, role_of, scopes_of

HIERARCHY = ("admin", "manager", "member", "reader")
# What the thing is to the one who asks: their own, their project's or domain's, or of another domain.
TARGETS = ("self", "own", "other")
USER, PROJECT, DOMAIN = "own-user", "own-project", "own-domain"


class Seat:
    """A persona at one of its scopes.

    Attributes:
        persona: its name.
        scope: ``system``, ``domain`` or ``project``.
    """

    def __init__(self, persona, scope):
        self.persona = persona
        self.scope = scope

    @property
    def name(self):
        """Both in words, such as ``reader of a domain``."""
        return self.persona + {"system": " of the system", "domain": " of a domain", "project": " of a project"}[
            self.scope]


SEATS = tuple(Seat(persona, scope) for persona in PERSONAS for scope in scopes_of(persona))


def roles_of(role):
    """Return a role with those that it implies; a role that is not in the hierarchy implies none."""
    return list(HIERARCHY[HIERARCHY.index(role):]) if role in HIERARCHY else [role]


def person(seat, service):
    """Return the credentials with which a service asks its policy, before it adds what it works out itself.

    Args:
        seat: Seat.
        service: name of the service.
    """
    project = PROJECT if seat.scope == "project" else None
    domain = DOMAIN if seat.scope == "domain" else None
    made = {
        "user_id": USER,
        "user_domain_id": DOMAIN,
        "system_scope": "all" if seat.scope == "system" else None,
        "domain_id": domain,
        "project_id": project,
        "project_domain_id": DOMAIN if project else None,
        "roles": roles_of(role_of(seat.persona)),
        "is_admin_project": True,
        "service_user_id": None,
        "service_user_domain_id": None,
        "service_project_id": None,
        "service_project_domain_id": None,
        "service_roles": [],
    }
    if service == "keystone":
        made["token"] = _token(seat, made["roles"])
    return made


def _token(seat, roles):
    """Keystone shows its policy the token itself."""
    scope = {
        "system": {"system": {"all": True}},
        "domain": {"domain": {"id": DOMAIN, "name": DOMAIN}},
        "project": {"project": {"id": PROJECT, "name": PROJECT, "domain": {"id": DOMAIN, "name": DOMAIN}}},
    }[seat.scope]
    return dict(
        scope, roles=[{"id": role, "name": role} for role in roles],
        user={"id": USER, "name": USER, "domain": {"id": DOMAIN, "name": DOMAIN}})


def target(kind, **values):
    """Return what a policy is told about a thing, with every key that any rule of any service asks for.

    Args:
        kind: one of TARGETS.
        values: keys with another value than the usual one, such as the name of a role that is given away.
    """
    user = USER if kind == "self" else "another-user"
    project, domain = ("another-project", "another-domain") if kind == "other" else (PROJECT, DOMAIN)
    made = dict.fromkeys(("user_id", "target.user.id", "target.credential.user_id", "target.token.user_id",
                          "target.trust.trustor_user_id", "target.trust.trustee_user_id"), user)
    made.update(dict.fromkeys(("project_id", "tenant_id", "owner", "member_id", "target.project.id",
                               "target.limit.project_id", "network:project_id", "security_group:project_id",
                               "ext_parent:project_id"), project))
    made.update(dict.fromkeys(("domain_id", "target.domain.id", "target.domain_id", "target.project.domain_id",
                               "target.user.domain_id", "target.group.domain_id", "target.limit.domain.id",
                               "target.limit.project.domain_id"), domain))
    # A role that belongs to no domain, as all usual ones; an image that only its project sees.
    made.update({"target.role.name": "member", "target.role.domain_id": None, "visibility": "private"})
    made.update(values)
    return made
