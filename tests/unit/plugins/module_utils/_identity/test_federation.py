# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation against the simulated Keystone: convergence, requests, faults, refusals, budget."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation
from ansible_collections.sovereign.region.tests.unit.fake_cloud.federation import FederatedCloud
from ansible_collections.sovereign.region.tests.unit.fake_cloud.fixtures import faulty_server, waited  # noqa: F401

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}]
MORE = [{"local": [{"user": {"name": "{0}"}}],
         "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-x", "any_one_of": ["y"]}]}]
GIVES = [{"local": [{"user": {"name": "{0}"}},
                    {"projects": [{"name": "climate", "roles": [{"name": "member"}]},
                                  {"name": "home-{0}", "roles": [{"name": "reader"}]}]}],
          "remote": [{"type": "OIDC-sub"}]}]


@pytest.fixture()
def fake(faulty_server):  # noqa: F811 - pytest hands a fixture over by its name
    return FederatedCloud(faulty_server)


@pytest.fixture()
def open_cloud(fake, waited):  # noqa: F811
    return lambda: connect(fake.options(), sleep=waited.append)


def provider(name, **fields):
    base = {"name": name, "domain": None, "description": None, "enabled": None, "remote_ids": None,
            "authorization_ttl": None, "protocols": None, "purge": False, "state": "present"}
    return dict(base, **fields)


def protocol(name, mapping, attribute=None):
    return {"name": name, "mapping": mapping, "remote_id_attribute": attribute}


def mapping(name, **fields):
    return dict({"name": name, "rules": RULES, "schema_version": None, "state": "present"}, **fields)


def service(name, **fields):
    base = {"name": name, "auth_url": None, "sp_url": None, "description": None, "enabled": None,
            "relay_state_prefix": None, "state": "present"}
    return dict(base, **fields)


def params(providers=(), mappings=(), services=(), **options):
    base = {"keystone_release": None, "adopt": False, "pending": []}
    return dict(base, identity_providers=list(providers), mappings=list(mappings), service_providers=list(services),
                **options)


def converge(cloud, asked, check_mode=False):
    assert federation.validate(asked) == []
    return federation.execute(cloud, asked, check_mode)


def names(actions):
    return [(action["verb"], action["kind"], action["name"]) for action in actions]


def add_provider(fake, name, **fields):
    base = {"domain_id": "default", "enabled": True, "description": None, "remote_ids": ["https://" + name],
            "authorization_ttl": None}
    fake.federation.identity_providers[name] = dict(base, **fields)


def add_protocol(fake, owner, name, used, attribute=None):
    fake.federation.protocols[owner, name] = {"mapping_id": used, "remote_id_attribute": attribute}


def prepare(fake):
    fake.identity.add_domain("research", id="r-1")
    for name in ("old", "kept", "foreign"):
        fake.federation.mappings[name] = {"rules": RULES, "schema_version": "2.0"}
    add_provider(fake, "kept", description="x", remote_ids=["https://kept", "https://z"], authorization_ttl=5)
    add_protocol(fake, "kept", "openid", "kept", "HTTP_OIDC_ISS")
    add_protocol(fake, "kept", "saml2", "old")
    add_provider(fake, "gone", enabled=False)
    add_protocol(fake, "gone", "openid", "old")
    add_provider(fake, "foreign")
    add_protocol(fake, "foreign", "openid", "foreign")
    fake.federation.service_providers["sp"] = {"auth_url": "https://a/x", "sp_url": "https://a/y", "enabled": True,
                                               "description": None, "relay_state_prefix": "ss:mem:"}


BUSY = params(
    [
        provider("new ü", domain="research", remote_ids=["https://b", "https://a"], authorization_ttl=60,
                 protocols=[protocol("openid", "new", "OIDC-iss"), protocol("mapped", "kept", "")]),
        provider("kept", domain="Default", remote_ids=["https://z", "https://y"], authorization_ttl=-1, purge=True,
                 protocols=[protocol("openid", "new", "OIDC-iss")]),
        provider("gone", state="absent"),
    ],
    [mapping("new", schema_version="2.0", rules=MORE), mapping("kept", rules=MORE), mapping("old", state="absent")],
    [service("other", auth_url="https://o/auth", sp_url="https://o/sp", relay_state_prefix="https://o/auth?rs="),
     service("sp", enabled=False)],
)
STORY = [
    ("create", "mapping", "new"),
    ("create", "identity provider", "new ü"),
    ("create", "protocol", "new ü/openid"),
    ("update", "protocol", "kept/openid"),
    ("update", "mapping", "kept"),
    ("create", "protocol", "new ü/mapped"),
    ("create", "service provider", "other"),
    ("disable", "service provider", "sp"),
    ("delete", "protocol", "kept/saml2"),
    # It lets in a new remote id, so its protocols and their mappings come first.
    ("update", "identity provider", "kept"),
    ("delete", "identity provider", "gone"),
    ("delete", "mapping", "old"),
]


def test_check_and_run_tell_the_same_story_and_the_next_run_is_silent(fake, open_cloud):
    prepare(fake)
    before = fake.federation.state()
    checked = converge(open_cloud(), BUSY, True)
    assert fake.mutations() == [] and fake.federation.state() == before
    done = converge(open_cloud(), BUSY)
    assert names(done["actions"]) == STORY
    assert done["actions"] == checked["actions"] and done["diff"] == checked["diff"]
    assert len(fake.mutations()) == len(STORY)
    held = fake.federation
    assert held.identity_providers["kept"] == {
        "domain_id": "default", "enabled": True, "description": "x", "remote_ids": ["https://y", "https://z"],
        "authorization_ttl": None}
    assert held.identity_providers["new ü"] == {
        "domain_id": "r-1", "enabled": True, "description": None, "remote_ids": ["https://a", "https://b"],
        "authorization_ttl": 60}
    assert held.mappings["kept"] == {"rules": MORE, "schema_version": "2.0"}, "the schema version is never reset"
    assert held.protocols["kept", "openid"] == {"mapping_id": "new", "remote_id_attribute": "OIDC-iss"}
    assert held.service_providers["other"]["relay_state_prefix"] == "https://o/auth?rs="
    for kind, key in (("identity_providers", "foreign"), ("mappings", "foreign"), ("protocols", ("foreign", "openid"))):
        assert getattr(held, kind)[key] == before[kind][key]
    fake.seen.clear()
    again = converge(open_cloud(), BUSY)
    assert again["changed"] is False and again["actions"] == []
    # Authentication, one list for each of domains and three kinds of objects, and two lists of protocols.
    assert again["api_calls"] == len(fake.seen) == 7
    assert again["identity_providers"][0] == {
        "name": "new ü", "domain": "research", "domain_id": "r-1", "description": "", "enabled": True,
        "remote_ids": ["https://a", "https://b"], "authorization_ttl": 60,
        "protocols": [{"name": "mapped", "mapping": "kept", "remote_id_attribute": ""},
                      {"name": "openid", "mapping": "new", "remote_id_attribute": "OIDC-iss"}]}


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("nth", range(len(STORY)))
def test_a_fault_at_any_change_tells_what_was_done_and_a_rerun_does_the_rest(fake, open_cloud, nth, carried_out):
    prepare(fake)
    fake.fail(skip=nth, times=1, status=500, carried_out=carried_out)
    with pytest.raises(change.PartialFailure) as caught:
        converge(open_cloud(), BUSY)
    assert names([action.as_dict() for action in caught.value.done]) == STORY[:nth]
    assert caught.value.left == len(STORY) - nth - 1 and len(fake.mutations()) == nth + 1
    # The reply was lost, the change perhaps not: then there is one thing less to do.
    left = STORY[nth + 1:] if carried_out else STORY[nth:]
    assert sorted(names(converge(open_cloud(), BUSY)["actions"])) == sorted(left)
    assert converge(open_cloud(), BUSY)["actions"] == []


def test_a_service_that_ignores_changes_is_found_out(fake, open_cloud):
    prepare(fake)
    fake.federation.ignore_changes = True
    with pytest.raises(change.Unverified, match="reading back shows .*: update identity provider kept"):
        converge(open_cloud(), params([provider("kept", remote_ids=["https://q"])]))


@pytest.mark.parametrize("body", ["{}", '{"identity_providers": {}}', "[]", "<html>"])
@pytest.mark.parametrize(
    "path", ["/domains$", "/identity_providers$", "/mappings$", "/protocols$", "/service_providers$"])
def test_a_list_that_is_none_is_an_error_and_not_an_empty_one(fake, open_cloud, path, body):
    prepare(fake)
    fake.fail(method="GET", path=path, status=200, body=body)
    with pytest.raises(errors.ServiceFailed):
        converge(open_cloud(), BUSY)
    assert fake.mutations() == []


def test_the_budget_of_fifty(fake, open_cloud):
    for index in range(50):
        fake.federation.mappings["m{0}".format(index)] = {"rules": RULES, "schema_version": "1.0"}
        add_provider(fake, "p{0}".format(index))
        add_protocol(fake, "p{0}".format(index), "openid", "m{0}".format(index))
    asked = params(
        [provider("p{0}".format(one), remote_ids=["https://p{0}".format(one)], purge=True,
                  protocols=[protocol("openid", "m{0}".format(one))]) for one in range(50)],
        [mapping("m{0}".format(one)) for one in range(50)])
    result = converge(open_cloud(), asked)
    assert result["changed"] is False and result["api_calls"] == 54


def test_every_request_about_a_mapping_has_its_version(fake, open_cloud):
    prepare(fake)
    converge(open_cloud(), BUSY)
    sent = [one.body["mapping"] for one in fake.seen if "/mappings/" in one.path and one.body]
    assert sent == [{"rules": MORE, "schema_version": "2.0"}] * 2


REFUSED = {
    "another domain": (params([provider("kept", domain="research")]), "is in domain 'Default' and declared in 'res"),
    "taken": (params([provider("kept", remote_ids=["https://foreign"])]), "'https://foreign' belongs to .*'foreign'"),
    "open": (params([provider("kept", remote_ids=[])]), "accepts assertions of any issuer"),
    "open when enabled": (params([provider("gone", remote_ids=[], enabled=True)]), "any issuer"),
    "new and open": (params([provider("n", domain="Default")]), "any issuer"),
    "mapping in use": (params(mappings=[mapping("old", state="absent")]), "in use by gone/openid, kept/saml2"),
    "others' mapping": (params(mappings=[mapping("foreign", rules=MORE)]), "decides logins of foreign/openid, "),
    "users": (params([provider("kept", state="absent")]), "'kept' has users: alice"),
    "users of a protocol": (params([provider("kept", protocols=[], purge=True)]), "came through it: alice"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_safe_is_refused_before_anything_is_touched(fake, open_cloud, case):
    prepare(fake)
    fake.federation.add_user("alice", "kept", "openid")
    asked, message = REFUSED[case]
    with pytest.raises(errors.Refused, match=message):
        converge(open_cloud(), asked)
    assert fake.mutations() == []


WRONG = {
    "no domain": (params([provider("n", remote_ids=["x"])]), "domain: missing; without one Keystone makes a domain"),
    "unknown domain": (params([provider("n", domain="reserch")]), "'reserch' is no domain; the nearest is 'research'"),
    "unknown mapping": (params([provider("kept", protocols=[protocol("openid", "kpt")])]),
                        "protocols.0..mapping: 'kpt' is no mapping; the nearest is 'kept'"),
    "no URLs": (params(services=[service("n")]), "auth_url: missing"),
    "rules of the version that is there": (params(mappings=[mapping("kept", rules=[{"remote": []}])]), "schema 2.0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_declaration_is_told_before_anything_is_touched(fake, open_cloud, case):
    prepare(fake)
    asked, message = WRONG[case]
    with pytest.raises(errors.DeclarationError, match=message):
        converge(open_cloud(), asked)
    assert fake.mutations() == []


def test_others_mapping_is_changed_when_asked_or_when_theirs_is_declared(fake, open_cloud):
    prepare(fake)
    asked = params(mappings=[mapping("foreign", rules=MORE)], adopt=True)
    assert names(converge(open_cloud(), asked)["actions"]) == [("update", "mapping", "foreign")]
    asked = params([provider("foreign")], [mapping("foreign", schema_version="1.0")])
    assert converge(open_cloud(), asked)["actions"][0]["after"] == {"rules": RULES, "schema_version": "1.0"}


def test_pending_domains_count_as_there(fake, open_cloud):
    asked = params([provider("n", domain="soon", remote_ids=["x"])],
                   pending=[{"kind": "domain", "verb": "create", "name": "soon"}])
    assert names(converge(open_cloud(), asked, True)["actions"]) == [("create", "identity provider", "n")]
    with pytest.raises(errors.DeclarationError, match="'soon' is no domain"):
        converge(open_cloud(), asked)


def test_domains_that_keystone_made_and_nobody_uses_are_told(fake, open_cloud):
    made = fake.identity.add_domain("d1", description="Auto generated federated domain for Identity Provider: lost")
    used = fake.identity.add_domain("d2", description="Auto generated federated domain for Identity Provider: there")
    add_provider(fake, "there", domain_id=used["id"])
    assert converge(open_cloud(), params())["orphan_domains"] == [
        {"id": made["id"], "name": "d1", "identity_provider": "lost", "enabled": True}]


def test_the_preview_tells_what_a_mapping_of_schema_3_takes_away(fake, open_cloud):
    prepare(fake)
    user = fake.federation.add_user("alice", "kept", "openid")
    fake.federation.add_user("bob", "kept", "saml2")
    rows = [("climate", "default"), ("words", "default"), ("home-alice", "default"), ("climate", "r-1")]
    for name, domain in rows:
        project = fake.identity.add_project(name, domain)
        fake.federation.assignments.append(
            {"user": {"id": user["id"]}, "role": {"id": "r-member"}, "scope": {"project": {"id": project["id"]}}})
    inherited = {"project": {"id": project["id"]}, "OS-INHERIT:inherited_to": "projects"}
    fake.federation.assignments += [
        {"user": {"id": user["id"]}, "role": {"id": "r-reader"}, "scope": inherited},
        {"group": {"id": "g"}, "role": {"id": "r-member"}, "scope": {"project": {"id": project["id"]}}},
        {"user": {"id": "somebody"}, "role": {"id": "r-member"}, "scope": {"project": {"id": project["id"]}}},
        {"user": {"id": user["id"]}, "role": {"id": "r-member"}, "scope": {"system": {"all": True}}}]
    fake.federation.roles.append({"id": "r-reader", "name": "reader"})
    asked = params([provider("kept")], [mapping("kept", rules=GIVES, schema_version="3.0")], keystone_release="2026.1")
    result = converge(open_cloud(), asked)
    assert [(row["user"], row["project"], row["role"], row["inherited"], row["may_stay"])
            for row in result["removed_by_mapping"]] == [
        ("alice", "Default/climate", "member", False, True),
        ("alice", "Default/home-alice", "member", False, False),
        ("alice", "Default/words", "member", False, False),
        ("alice", "research/climate", "member", False, False),
        ("alice", "research/climate", "reader", True, False)]
    assert result["actions"][0]["interrupts"].startswith(
        "at the next login 1 user loses 4 direct project roles that the mapping cannot give: alice member on Default/h")
    assert result["actions"][0]["interrupts"].endswith("; inherited roles keep out alice")
    again = converge(open_cloud(), asked)
    assert again["removed_by_mapping"] == [] and again["api_calls"] == 5


def test_a_protocol_waits_until_its_identity_provider_names_its_issuers(fake, open_cloud):
    """Enabled, without remote ids and without protocols nobody comes in; the first protocol would let everybody in."""
    prepare(fake)
    add_provider(fake, "empty", remote_ids=[])
    asked = params([provider("empty", remote_ids=["https://z"], protocols=[protocol("openid", "kept")]),
                    provider("kept", remote_ids=["https://kept"])])
    assert names(converge(open_cloud(), asked)["actions"]) == [
        ("update", "identity provider", "kept"), ("update", "identity provider", "empty"),
        ("create", "protocol", "empty/openid")]
    add_provider(fake, "other", remote_ids=[])
    with pytest.raises(errors.Refused, match="'other' would be enabled without remote ids"):
        converge(open_cloud(), params([provider("other", protocols=[protocol("openid", "kept")])]))
    assert converge(open_cloud(), params([provider("other", description="as it was")]))["changed"] is True


def test_an_exchange_that_disables_needs_to_know_what_comes_afterwards(fake, open_cloud):
    add_provider(fake, "a")
    add_provider(fake, "b")
    asked = params([provider("a", remote_ids=["https://b"]), provider("b", remote_ids=["https://a"])])
    with pytest.raises(errors.Refused, match="'a' exchanges all its remote ids with another one .* declare whether"):
        converge(open_cloud(), asked)
    for item in asked["identity_providers"]:
        item["enabled"] = True
    assert [action["after"] for action in converge(open_cloud(), asked)["actions"]] == [
        {"enabled": False, "remote_ids": []}, {"remote_ids": ["https://a"]},
        {"enabled": True, "remote_ids": ["https://b"]}]


def test_access_is_taken_away_before_it_is_given(fake, open_cloud):
    prepare(fake)
    opened = provider("gone", enabled=True, protocols=[protocol("openid", "n")])
    asked = params([provider("kept", enabled=False), opened], [mapping("kept", rules=MORE), mapping("n", rules=MORE)])
    assert names(converge(open_cloud(), asked)["actions"]) == [
        ("create", "mapping", "n"), ("disable", "identity provider", "kept"), ("update", "mapping", "kept"),
        ("update", "protocol", "gone/openid"), ("enable", "identity provider", "gone")]
