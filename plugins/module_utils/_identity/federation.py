# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity providers with their protocols, mappings and service providers of Keystone, whole lists at a time.

None of them has a place for a mark: Keystone keeps no tags on them, and a mark in a description would be gone with
the next edit of it. So the name is the claim: what is declared is made as declared, what is not declared is never
touched, and removal names the object. Two things guard what somebody else made: an identity provider in another domain
is refused, and so is a change of a mapping that identity providers use which are not declared here (unless ``adopt``).
Source: Identity API v3, extension OS-FEDERATION, as Keystone 27.1.0 to 30.0.0 carry it out.
"""

from __future__ import annotations

from dataclasses import replace

from .._core import cloud_module
from .._core.errors import DeclarationError, Refused
from . import federation_facts as facts
from .federation_declared import absent, changing_mappings, present, purged_protocols, synchronised
from .federation_impact import lost_grants
from .federation_plan import MAPPING, PROTOCOL, PROVIDER, plan
from .federation_refusals import declaration_problems, refusals
from .federation_spec import ARGUMENT_SPEC, DEFAULT_TTL, problems

__all__ = ["ARGUMENT_SPEC", "validate", "observe", "decide", "performer", "describe", "execute"]

_KINDS = {
    PROVIDER: ("identity_providers", "identity_provider"),
    MAPPING: ("mappings", "mapping"),
    "service provider": ("service_providers", "service_provider"),
}


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    return problems(params)


def observe(cloud, params):
    """Return Observed.

    A run without anything to do costs one list call for each kind of object and one for each declared identity provider
    that is there. What else is read depends on what is about to change: the protocols of the other identity providers
    when a mapping changes or goes, the users of what would be removed, and what a mapping of schema 3.0 takes away.
    """
    observed = facts.objects(cloud, params)
    declared = {item["name"] for item in params["identity_providers"]} & set(observed.providers)
    protocols = {name: facts.protocols_of(cloud, name) for name in sorted(declared)}
    observed = replace(observed, protocols=protocols)
    if changing_mappings(params, observed):
        for name in sorted(set(observed.providers) - declared):
            protocols[name] = facts.protocols_of(cloud, name)
    leaving = [(name, None) for name in absent(params["identity_providers"], observed.providers)]
    leaving += purged_protocols(params, observed)
    users = {pair: [user["name"] for user in facts.federated_users(cloud, *pair)] for pair in leaving}
    names = observed.domain_names()
    targets = [row[:-1] + (names.get(row[-1]),) for row in synchronised(params, observed)]
    return replace(observed, users=users, lost=lost_grants(cloud, targets, names))


def decide(params, observed):
    """Return the plan. Pure.

    Raises:
        DeclarationError: a name that does not exist, or something that is needed to create an object is missing.
        Refused: something is in use, not ours, or would open an identity provider to everybody.
    """
    wrong = declaration_problems(params, observed)
    if wrong:
        raise DeclarationError(wrong)
    refused = refusals(params, observed)
    if not refused:
        actions, refused = plan(params, observed)
    if refused:
        raise Refused("\n".join(refused))
    return actions


def performer(cloud, params, observed):
    """Return a function that carries out one Action, with one request."""
    domains = {name: key for key, name in observed.domain_names().items()}

    def perform(action):
        if action.kind == PROTOCOL:
            provider, protocol, fields = action.details
            path, key = facts.path_of("identity_providers", provider, protocol), "protocol"
            body = _protocol_body(fields or {})
        else:
            kind, key = _KINDS[action.kind]
            path = facts.path_of(kind, action.name)
            body = action.details if action.kind == MAPPING else _body(action.after or {}, domains)
        if action.verb == "delete":
            cloud.delete("identity", path)
        elif action.verb == "create":
            cloud.put("identity", path, {key: body})
        else:
            cloud.patch("identity", path, {key: body})

    return perform


def _protocol_body(fields):
    body = {name: value for name, value in fields.items() if name != "mapping"}
    return dict(body, mapping_id=fields.get("mapping"))


def _body(fields, domains):
    """Return the request's fields in Keystone's words."""
    body = dict(fields)
    if "domain" in body:
        body["domain_id"] = domains[body.pop("domain")]
    if body.get("authorization_ttl") == DEFAULT_TTL:
        body["authorization_ttl"] = None
    return body


def describe(params, observed):
    """Return the declared objects as they are now, and the domains that nobody uses any more."""
    names = observed.domain_names()
    providers = []
    for name in present(params["identity_providers"]):
        row = observed.providers.get(name)
        if row:
            protocols = [dict(fields, name=key) for key, fields in sorted(observed.protocols.get(name, {}).items())]
            domain = names.get(row["domain_id"], row["domain_id"])
            providers.append(dict(row, name=name, domain=domain, protocols=protocols))
    return {
        "identity_providers": providers,
        "mappings": [
            dict(observed.mappings[name], name=name)
            for name in present(params["mappings"]) if name in observed.mappings
        ],
        "service_providers": [
            dict(observed.service_providers[name], name=name)
            for name in present(params["service_providers"]) if name in observed.service_providers
        ],
        "orphan_domains": observed.orphan_domains(),
    }


class _Run:
    """The four steps, remembering what was seen before anything changed: afterwards the preview would be empty."""

    decide = staticmethod(decide)
    performer = staticmethod(performer)

    def __init__(self):
        self.lost = None

    def observe(self, cloud, params):
        observed = observe(cloud, params)
        if self.lost is None:
            self.lost = observed.lost
        return observed

    def describe(self, params, observed):
        return dict(describe(params, observed), removed_by_mapping=self.lost)


def execute(cloud, params, check_mode):
    """Return the module's whole result."""
    return cloud_module.converge(_Run(), cloud, params, check_mode)
