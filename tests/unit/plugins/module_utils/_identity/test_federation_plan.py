# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for federation, carried out request by request on a model of Keystone, and cut off after any of them."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation
from ansible_collections.sovereign.region.plugins.module_utils._identity.federation_order import (
    Step,
    arranged,
    exchange,
)
from ansible_collections.sovereign.region.tests.unit.fake_cloud.federation import Federation
from hypothesis import given, settings
from hypothesis import strategies as st

DOMAINS = {"default": "Default", "d-1": "research"}
NAMES = ["a", "b", "c"]
REMOTE_IDS = ["https://1", "https://2", "https://3"]
MAPPINGS = ["m", "n", "ü o"]
RULES = [
    [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}],
    [{"local": [{"user": {"name": "{0}", "email": "{1}"}}], "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-email"}]}],
]
STATES = st.sampled_from(["present", "present", "present", "absent"])


class Direct:
    """The model as a Cloud: every request is answered at once, and each change is looked at."""

    def __init__(self, model):
        self.model, self.sent, self.open_before = model, [], model.open_to_all()

    def list(self, service, path, key, query=None):
        if path == "/domains":
            return list(self.model.domains.values())
        if path == "/projects":
            return [{"id": "p-1", "name": "climate", "domain_id": "d-1"}]
        return self.model.answer("GET", path, query or {}, None)[1][key]

    def _change(self, method, path, body):
        self.sent.append((method, path))
        self.model.answer(method, path, {}, body)
        assert self.model.open_to_all() <= self.open_before, "an identity provider accepts any issuer"

    def put(self, service, path, body):
        self._change("PUT", path, body)

    def patch(self, service, path, body):
        self._change("PATCH", path, body)

    def delete(self, service, path):
        self._change("DELETE", path, None)


def subset(values):
    return st.sets(st.sampled_from(values)).map(sorted)


PROTOCOLS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["openid", "mapped"]), "mapping": st.sampled_from(MAPPINGS),
                           "remote_id_attribute": st.none() | st.sampled_from(["", "OIDC-iss", "MELLON_IDP"])}),
    max_size=2, unique_by=lambda item: item["name"])


@st.composite
def models(draw):
    """A Keystone that may be there."""
    model = Federation({key: {"id": key, "name": name, "description": ""} for key, name in DOMAINS.items()})
    for name in draw(subset(MAPPINGS)):
        version = draw(st.sampled_from(["1.0", "2.0"]))
        model.mappings[name] = {"rules": draw(st.sampled_from(RULES)), "schema_version": version}
    free = list(REMOTE_IDS)
    for name in draw(subset(NAMES)):
        taken = draw(subset(free)) if free else []
        free = [one for one in free if one not in taken]
        model.identity_providers[name] = {
            "domain_id": draw(st.sampled_from(["default", "default", "d-1"])), "remote_ids": taken,
            "enabled": draw(st.booleans()), "description": draw(st.sampled_from([None, "", "x"])),
            "authorization_ttl": draw(st.sampled_from([None, 0, 60]))}
        for protocol in draw(subset(["openid", "mapped"])):
            # A mapping that is gone may still be named: Keystone lets that happen.
            model.protocols[name, protocol] = {"mapping_id": draw(st.sampled_from(MAPPINGS)),
                                               "remote_id_attribute": draw(st.sampled_from([None, "", "OIDC-iss"]))}
    for name in draw(subset(["sp"])):
        model.service_providers[name] = {"auth_url": "https://x/auth", "sp_url": "https://x/sp", "enabled": True,
                                         "description": None, "relay_state_prefix": "ss:mem:"}
    return model


@st.composite
def declarations(draw):
    """What may be declared; not everything of it can be right."""
    providers, free = [], list(REMOTE_IDS)
    for name in draw(subset(NAMES)):
        state, remote_ids = draw(STATES), None
        if draw(st.booleans()):
            remote_ids = draw(subset(free)) if free else []
        if state == "present":
            free = [one for one in free if one not in (remote_ids or [])]
        providers.append({
            "name": name, "state": state, "domain": draw(st.sampled_from([None, "Default"])),
            "remote_ids": remote_ids, "enabled": draw(st.sampled_from([None, True, True, False])),
            "description": draw(st.sampled_from([None, "", "y"])),
            "authorization_ttl": draw(st.sampled_from([None, -1, 0, 90])),
            "protocols": draw(st.none() | PROTOCOLS), "purge": False})
        if providers[-1]["protocols"] is not None:
            providers[-1]["purge"] = draw(st.booleans())
    mappings = [{"name": name, "state": draw(STATES), "rules": draw(st.sampled_from(RULES)),
                 "schema_version": draw(st.sampled_from([None, "1.0", "2.0"]))} for name in draw(subset(MAPPINGS))]
    services = [{"name": name, "state": draw(STATES), "auth_url": "https://y/auth", "sp_url": "https://y/sp",
                 "description": draw(st.sampled_from([None, "z"])), "enabled": draw(st.sampled_from([None, False])),
                 "relay_state_prefix": draw(st.sampled_from([None, "", "x?rs="]))}
                for name in draw(subset(["sp", "tp"]))]
    return {"identity_providers": providers, "mappings": mappings, "service_providers": services,
            "keystone_release": None, "adopt": draw(st.booleans()), "pending": []}


def decided(params, model):
    """Return (observed, plan), or None when it is refused."""
    observed = federation.observe(Direct(model), params)
    try:
        return observed, federation.decide(params, observed)
    except (errors.Refused, errors.DeclarationError):
        return None


def carried_out(params, model, upto=None):
    """Return the model after the first actions of the plan."""
    after = model.copy()
    cloud = Direct(after)
    observed, plan = decided(params, model)
    perform = federation.performer(cloud, params, observed)
    for action in plan[:upto]:
        perform(action)
    assert len(cloud.sent) == len(plan[:upto]), "one request for each action"
    return after


@settings(max_examples=300, deadline=None)
@given(declarations(), models())
def test_a_plan_is_safe_at_every_request_and_leads_to_what_is_declared(params, model):
    found = None if federation.validate(params) else decided(params, model)
    if not found:
        return
    plan = found[1]
    after = carried_out(params, model)
    assert decided(params, after)[1] == []
    as_declared(params, model, after)
    foreign_is_untouched(params, model, after)
    for index in range(len(plan)):
        half = carried_out(params, model, index)
        foreign_is_untouched(params, model, half)
        nobody_gets_a_mixture(params, model, half, after)
        rest = decided(params, half)
        assert rest, "a run that was cut off can be repeated"
        assert carried_out(params, half).state() == after.state()


def as_declared(params, before, after):
    for item in params["identity_providers"]:
        row = after.identity_providers.get(item["name"])
        if item["state"] == "absent":
            assert row is None
            continue
        assert item["remote_ids"] is None or row["remote_ids"] == sorted(item["remote_ids"])
        assert item["enabled"] is None or row["enabled"] is item["enabled"]
        assert item["description"] is None or (row["description"] or "") == item["description"]
        ttl = item["authorization_ttl"]
        assert ttl is None or row["authorization_ttl"] == (None if ttl == -1 else ttl)
        for protocol in item["protocols"] or []:
            found = after.protocols[item["name"], protocol["name"]]
            assert found["mapping_id"] == protocol["mapping"] and protocol["mapping"] in after.mappings
            wanted = protocol["remote_id_attribute"]
            assert wanted is None or (found["remote_id_attribute"] or "") == wanted
        there = {name for owner, name in after.protocols if owner == item["name"]}
        if item["purge"]:
            assert there == {protocol["name"] for protocol in item["protocols"]}
        else:
            assert there >= {name for owner, name in before.protocols if owner == item["name"]}
    for item in params["mappings"]:
        row = after.mappings.get(item["name"])
        assert (row is None) if item["state"] == "absent" else row["rules"] == item["rules"]
        if row and item["schema_version"] is None and item["name"] in before.mappings:
            assert row["schema_version"] == before.mappings[item["name"]]["schema_version"], "never reset"
        elif row:
            assert row["schema_version"] == (item["schema_version"] or "1.0")


def logins(model):
    """By what rules each protocol that works lets people in."""
    return {
        key: model.mappings[row["mapping_id"]] for key, row in model.protocols.items()
        if row["mapping_id"] in model.mappings and model.identity_providers[key[0]]["enabled"]
    }


def nobody_gets_a_mixture(params, before, between, after):
    """At every moment a protocol has its old rules, its new ones, or none; unless mappings change places."""
    rewritten = [name for name, row in before.mappings.items() if after.mappings.get(name) not in (row, None)]
    for key, rules in logins(between).items():
        assert rules in (logins(before).get(key), logins(after).get(key)) or len(rewritten) > 1


def foreign_is_untouched(params, before, after):
    """What is not declared is as it was, field for field; what others use is changed only when asked."""
    for kind in ("identity_providers", "mappings", "service_providers"):
        declared = {item["name"] for item in params[kind]}
        for name, row in getattr(before, kind).items():
            assert name in declared or getattr(after, kind)[name] == row
    ours = {item["name"] for item in params["identity_providers"]}
    for key, row in before.protocols.items():
        if key[0] not in ours:
            assert after.protocols[key] == row
            mapping = row["mapping_id"]
            if mapping in before.mappings and not params["adopt"]:
                assert after.mappings[mapping] == before.mappings[mapping]
            assert mapping not in before.mappings or mapping in after.mappings
    assert after.domains == before.domains, "no domain appears or goes"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_remote_ids_may_be_exchanged_in_any_way(data):
    """Every assignment of remote ids to identity providers can be reached from every other one."""
    now = data.draw(st.dictionaries(st.sampled_from(REMOTE_IDS), st.sampled_from(NAMES)))
    then = data.draw(st.dictionaries(st.sampled_from(REMOTE_IDS), st.sampled_from(NAMES)))
    model = Federation({"default": {"id": "default", "name": "Default"}})
    model.mappings["m"] = {"rules": RULES[0], "schema_version": "1.0"}
    enabled = {name: bool([one for one in then if then[one] == name]) for name in NAMES}
    for name in NAMES:
        model.identity_providers[name] = {
            "domain_id": "default", "remote_ids": sorted(one for one in now if now[one] == name), "description": None,
            "enabled": name in now.values(), "authorization_ttl": None}
        model.protocols[name, "openid"] = {"mapping_id": "m", "remote_id_attribute": "OIDC-iss"}
    params = {"mappings": [], "service_providers": [], "keystone_release": None, "adopt": False, "pending": [],
              "identity_providers": [
                  {"name": name, "state": "present", "domain": None, "enabled": enabled[name], "description": None,
                   "authorization_ttl": None, "protocols": None, "purge": False,
                   "remote_ids": [one for one in then if then[one] == name]} for name in NAMES]}
    after = carried_out(params, model)
    assert {remote: name for name, row in after.identity_providers.items() for remote in row["remote_ids"]} == then
    assert {name: row["enabled"] for name, row in after.identity_providers.items()} == enabled
    for index in range(len(decided(params, model)[1])):
        assert carried_out(params, carried_out(params, model, index)).state() == after.state()


def test_only_one_of_a_circle_lets_go_first():
    assert exchange({"a": ({1}, {2}), "b": ({2}, {3}), "c": ({3}, {1})})[1] == ["a"]
    assert exchange({"a": ({1}, {2}), "b": ({2}, set()), "c": (set(), {1})})[1] == []


def test_an_order_that_would_be_nicer_gives_way():
    first, second = Step(("x",), "x", set(), {("y",)}), Step(("y",), "y", {("gone",)}, {("x",)})
    assert arranged([first, second]) == ["x", "y"]
    third = Step(("z",), "z", {("y",)})
    assert arranged([third, second]) == ["y", "z"]


def provider(name, remote_ids, protocols, enabled=True):
    """A declared identity provider whose protocols are given as a mapping of name to mapping."""
    return {
        "name": name, "state": "present", "domain": "Default", "remote_ids": remote_ids, "enabled": enabled,
        "description": None, "authorization_ttl": None, "purge": True,
        "protocols": [{"name": key, "mapping": one, "remote_id_attribute": None} for key, one in protocols.items()]}


def ordered(there, mappings, declared):
    """Return (kind, name) of the actions that lead from identity providers of one mapping, ``m``, to others."""
    model = Federation({key: {"id": key, "name": name, "description": ""} for key, name in DOMAINS.items()})
    model.mappings["m"] = {"rules": RULES[0], "schema_version": "1.0"}
    for name, (remote_ids, enabled, protocols) in there.items():
        model.identity_providers[name] = {"domain_id": "default", "remote_ids": remote_ids, "enabled": enabled,
                                          "description": None, "authorization_ttl": None}
        for protocol in protocols:
            model.protocols[name, protocol] = {"mapping_id": "m", "remote_id_attribute": None}
    params = {
        "mappings": [{"name": name, "schema_version": "1.0", "rules": rules, "state": "present"}
                     for name, rules in mappings.items()],
        "identity_providers": declared, "service_providers": [], "keystone_release": None, "adopt": False,
        "pending": []}
    return [(one.kind, one.name) for one in federation.decide(params, federation.observe(Direct(model), params))]


def test_whom_a_new_remote_id_lets_in_comes_under_the_new_mapping_only():
    there = {"a": (["https://1"], True, ["openid", "mapped"])}
    plan = ordered(there, {"m": RULES[0], "n": RULES[1]}, [provider("a", REMOTE_IDS[:2], {"openid": "n"})])
    assert plan == [("mapping", "n"), ("protocol", "a/openid"), ("protocol", "a/mapped"), ("identity provider", "a")]


def test_who_is_kept_out_never_comes_under_the_new_mapping():
    there = {"a": (REMOTE_IDS[:2], True, ["openid"])}
    plan = ordered(there, {"m": RULES[0], "n": RULES[1]}, [provider("a", REMOTE_IDS[:1], {"openid": "n"})])
    assert plan == [("mapping", "n"), ("identity provider", "a"), ("protocol", "a/openid")]
    plan = ordered(there, {"m": RULES[1]}, [provider("a", REMOTE_IDS[:1], {"openid": "m"})])
    assert plan == [("identity provider", "a"), ("mapping", "m")]
    plan = ordered(there, {"m": RULES[1]}, [provider("a", REMOTE_IDS[:2], {"openid": "m"}, False)])
    assert plan == [("identity provider", "a"), ("mapping", "m")]


def test_an_identity_provider_is_enabled_after_its_mapping_has_changed():
    """Although that mapping waits for another identity provider that leaves it."""
    there = {"a": (["https://1"], False, ["openid"]), "b": (["https://2"], True, ["openid"])}
    plan = ordered(there, {"m": RULES[1], "n": RULES[0]}, [
        provider("a", ["https://1"], {"openid": "m"}), provider("b", ["https://2"], {"openid": "n"})])
    assert plan == [("mapping", "n"), ("protocol", "b/openid"), ("mapping", "m"), ("identity provider", "a")]
