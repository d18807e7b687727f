# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for federation: one action for each request, and the order that ``federation_order.py`` explains. Pure."""

from __future__ import annotations

from .._core.change import Action, differing
from .federation_declared import (
    SERVICE_PROVIDER_FIELDS,
    absent,
    mapping_difference,
    new_provider,
    new_service_provider,
    present,
    protocol_difference,
    provider_fields,
    purged_protocols,
    version_of,
)
from .federation_impact import sentence
from .federation_order import Step, arranged, exchange

MAPPING, PROVIDER, PROTOCOL, SERVICE = "mapping", "identity provider", "protocol", "service provider"
_NO_LOGIN = "nobody can log in through it any more"


def plan(params, observed):
    """Return (actions in their order, refusals that only the order brings to light)."""
    providers, refusals = _providers(params, observed)
    steps = _mappings(params, observed) + providers + _protocols(params, observed)
    steps += _service_providers(params, observed) + _removals(params, observed)
    _connect(steps, observed)
    return arranged(steps), refusals


def _mappings(params, observed):
    steps = []
    for name, item in present(params["mappings"]).items():
        before, after = mapping_difference(item, observed)
        if after:
            # Keystone sets a version that is not sent back to its default, so both are sent whatever changes.
            whole = {"rules": item["rules"], "schema_version": version_of(item, observed)}
            lost = sentence([row for row in observed.lost if row["mapping"] == name])
            action = Action("create" if before is None else "update", MAPPING, name, before, after, lost, details=whole)
            steps.append(Step((MAPPING, name), action))
    return steps


def _providers(params, observed):
    """Return (steps, refusals) for identity providers that are declared present."""
    ids = {name: (set(row["remote_ids"]), set(row["remote_ids"])) for name, row in observed.providers.items()}
    declared = present(params["identity_providers"])
    for name, item in declared.items():
        now, then = ids.get(name, (set(), set()))
        wanted = provider_fields(item)["remote_ids"]
        ids[name] = (now, then if wanted is None else set(wanted))
    for name in absent(params["identity_providers"], observed.providers):
        ids[name] = (ids[name][0], set())
    waits, first = exchange(ids)
    steps, refusals = [], []
    for name, item in declared.items():
        found = observed.providers.get(name)
        if found is None:
            action = Action("create", PROVIDER, name, None, new_provider(item))
        else:
            if name in first:
                released, found = _release(name, found, ids[name])
                steps.append(Step((PROVIDER, name, "release"), released))
                if "enabled" in released.after and item["enabled"] is None:
                    refusals.append(
                        "identity provider {0!r} exchanges all its remote ids with another one and is disabled for "
                        "that moment; declare whether it is enabled, so that a run that is cut off there can be "
                        "repeated".format(name))
            action = _update(PROVIDER, name, found, provider_fields(item))
        if action:
            step = Step((PROVIDER, name), action)
            step.after = {(PROVIDER, one, "release") if one in first else (PROVIDER, one) for one in waits[name]}
            if name in first:
                step.after.add((PROVIDER, name, "release"))
            steps.append(step)
    return steps, refusals


def _release(name, found, ids):
    """Return (the action with which it lets go of its remote ids, the fields afterwards)."""
    kept = sorted(ids[0] & ids[1])
    then = dict(found, remote_ids=kept, enabled=found["enabled"] and bool(kept))
    interrupts = "nobody can log in through it until its remote ids are exchanged" if found["enabled"] else None
    before, after = differing(found, then)
    return Action("update", PROVIDER, name, before, after, interrupts), then


def _update(kind, name, found, wanted):
    """Return the action that makes an object as declared, or None."""
    before, after = differing(found, wanted)
    if not after:
        return None
    verb, interrupts = "update", None
    if set(after) == {"enabled"}:
        verb = "enable" if after["enabled"] else "disable"
    if after.get("enabled") is False and kind == PROVIDER:
        interrupts = _NO_LOGIN + "; tokens that were issued stay valid until they expire"
    elif after.get("enabled") is False:
        interrupts = "nobody reaches the other cloud through it any more"
    return Action(verb, kind, name, before, after, interrupts)


def _protocols(params, observed):
    steps = []
    written = {
        name for name, item in present(params["mappings"]).items() if mapping_difference(item, observed)[1]
    }
    for name, item in present(params["identity_providers"]).items():
        for protocol in item["protocols"] or []:
            found = observed.protocols.get(name, {}).get(protocol["name"])
            before, after = protocol_difference(protocol, found)
            if not after:
                continue
            # Keystone takes a change of a protocol only with its mapping.
            body = dict(after, mapping=protocol["mapping"])
            lost = sentence([] if protocol["mapping"] in written else [
                row for row in observed.lost
                if (row["identity_provider"], row["protocol"]) == (name, protocol["name"])])
            action = Action("update" if found else "create", PROTOCOL, "{0}/{1}".format(name, protocol["name"]),
                            before, after, lost, details=(name, protocol["name"], body))
            steps.append(Step((PROTOCOL, name, protocol["name"]), action))
    return steps


def _service_providers(params, observed):
    steps = []
    for name, item in present(params["service_providers"]).items():
        found = observed.service_providers.get(name)
        if found is None:
            action = Action("create", SERVICE, name, None, new_service_provider(item))
        else:
            action = _update(SERVICE, name, found, {field: item[field] for field in SERVICE_PROVIDER_FIELDS})
        if action:
            steps.append(Step((SERVICE, name), action))
    return steps


def _removals(params, observed):
    """Return the steps that remove: protocols, identity providers, service providers, mappings."""
    steps = []
    for name, protocol in purged_protocols(params, observed):
        before = dict(observed.protocols[name][protocol])
        action = Action("delete", PROTOCOL, "{0}/{1}".format(name, protocol), before, None, _NO_LOGIN,
                        details=(name, protocol, None))
        steps.append(Step((PROTOCOL, name, protocol), action))
    names = observed.domain_names()
    for name in absent(params["identity_providers"], observed.providers):
        row = dict(observed.providers[name])
        key = row.pop("domain_id")
        # Its protocols go in the same request.
        before = dict(row, domain=names.get(key, key), protocols=sorted(observed.protocols.get(name, {})))
        interrupts = _NO_LOGIN if row["enabled"] and before["protocols"] else None
        steps.append(Step((PROVIDER, name), Action("delete", PROVIDER, name, before, None, interrupts)))
    for name in absent(params["service_providers"], observed.service_providers):
        before = dict(observed.service_providers[name])
        interrupts = "nobody reaches the other cloud through it any more" if before["enabled"] else None
        steps.append(Step((SERVICE, name), Action("delete", SERVICE, name, before, None, interrupts)))
    for name in absent(params["mappings"], observed.mappings):
        steps.append(Step((MAPPING, name), Action("delete", MAPPING, name, dict(observed.mappings[name]), None)))
    return steps


def _connect(steps, observed):
    """Say what comes before what."""
    by_key = {step.key: step for step in steps}
    for step in steps:
        if step.key[0] == PROTOCOL:
            unused, provider, protocol = step.key
            old = observed.protocols.get(provider, {}).get(protocol, {}).get("mapping")
            new = (step.action.after or {}).get("mapping", old if step.action.after else None)
            _connect_protocol(step, by_key, provider, old, new)
        elif step.key[0] == PROVIDER:
            used = {row["mapping"] for row in observed.protocols.get(step.key[1], {}).values()}
            _connect_provider(step, by_key, sorted(used))


def _connect_provider(step, by_key, used):
    """Whom an identity provider keeps out goes before its mappings change; whom it lets in comes after that."""
    for name in used:
        target = by_key.get((MAPPING, name))
        if target and _shuts(step.action):
            _leaves(step, by_key, name)
        elif target and target.action.verb == "update":
            if _opens(step.action):
                step.rather_after.add(target.key)
            elif _narrows(step.action):
                target.rather_after.add(step.key)


def _connect_protocol(step, by_key, provider, old, new):
    parent = by_key.get((PROVIDER, provider))
    if parent and (parent.action.verb == "create" or
                   (step.action.verb == "create" and "remote_ids" in (parent.action.after or {}))):
        # A protocol opens the identity provider to those whom its remote ids name, and to all when there is none yet.
        step.after.add(parent.key)
    elif parent and _opens(parent.action):
        parent.rather_after.add(step.key)
    elif parent and _narrows(parent.action):
        step.rather_after.add(parent.key)
    if new and (MAPPING, new) in by_key:
        where = step.after if by_key[MAPPING, new].action.verb == "create" else step.rather_after
        where.add((MAPPING, new))
    if old and old != new:
        _leaves(step, by_key, old)


def _leaves(step, by_key, mapping):
    """A mapping changes, or goes, after those that leave it."""
    target = by_key.get((MAPPING, mapping))
    if target:
        (target.after if target.action.verb == "delete" else target.rather_after).add(step.key)


def _shuts(action):
    return action.verb == "delete" or (action.after or {}).get("enabled") is False


def _opens(action):
    """Whether somebody may come in who could not before; who takes the place of another one counts as such."""
    added = _remote_ids(action.after) - _remote_ids(action.before)
    return not _shuts(action) and bool((action.after or {}).get("enabled") or added)


def _narrows(action):
    """Whether somebody may not come in any more, and nobody new may."""
    return not _opens(action) and (_shuts(action) or bool(_remote_ids(action.before) - _remote_ids(action.after)))


def _remote_ids(fields):
    return set((fields or {}).get("remote_ids") or ())
