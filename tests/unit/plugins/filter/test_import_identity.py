# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity imported into a region document: from kolla-ansible's variables, and from what a Keystone has."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.sovereign.region.plugins.filter.kolla_identity import kolla_identity
from ansible_collections.sovereign.region.plugins.module_utils._identity import import_keystone
from ansible_collections.sovereign.region.plugins.module_utils._identity.import_groups import landing
from ansible_collections.sovereign.region.plugins.module_utils._identity.import_section import section
from ansible_collections.sovereign.region.plugins.module_utils._region import document

SECRET = "Planted-Halibut-7"
RULES = [{"local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}],
          "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-groups", "whitelist": ["a", "b"]}]}]
KOLLA = {
    "keystone_identity_providers": [{
        "name": "eduid", "openstack_domain": "research", "protocol": "openid", "identifier": "https://idp.example.org",
        "public_name": "eduID", "attribute_mapping": "eduid", "metadata_folder": "/etc/" + SECRET,
        "certificate_file": "/etc/c.pem"}],
    "keystone_identity_mappings": [{"name": "eduid", "file": "/etc/eduid.json", "schema_version": "2.0"}],
    "keystone_federation_oidc_additional_options": {"OIDCClientSecret": SECRET, "OIDCOutgoingProxy": "http://p"},
    "keystone_trusted_dashboards": ["https://dashboard.example.org/auth/websso/"],
    "keystone_remote_id_attribute_oidc": "OIDC-iss",
}


def whole(identity, domains=(), projects=()):
    """A region document with that section."""
    return {
        "version": 1, "name": "r", "sites": [{"name": "s", "jurisdiction": "DE"}],
        "accelerators": {"pools": []}, "identity": identity,
        "tenancy": {"domains": [{"name": name} for name in domains], "projects": projects, "flavors": []},
    }


def test_the_variables_of_kolla_ansible_become_a_section_that_the_document_takes():
    found = kolla_identity(KOLLA, {"eduid": json.dumps(RULES)})
    assert found["identity"] == {
        "mappings": [{"name": "eduid", "schema_version": "2.0", "rules": RULES}],
        "identity_providers": [{
            "name": "eduid", "domain": "research", "description": "eduID", "remote_ids": ["https://idp.example.org"],
            "protocols": [{"name": "openid", "mapping": "eduid", "remote_id_attribute": "OIDC-iss"}]}],
        "federation": {"trusted_dashboards": ["https://dashboard.example.org/auth/websso/"]},
    }
    assert found["domains"] == ["research"]
    found["identity"]["groups"] = [{"name": "a", "domain": "research"}, {"name": "b", "domain": "research"}]
    written = yaml.safe_load(yaml.safe_dump(found["identity"]))
    assert document.load(whole(written, ["research"])).data["identity"]["mappings"][0]["rules"] == RULES


def test_secrets_of_the_web_server_are_not_repeated():
    found = json.dumps(kolla_identity(KOLLA, {"eduid": RULES}))
    assert SECRET not in found
    assert "OIDCClientSecret, OIDCOutgoingProxy configure the web server" in found
    assert "metadata_folder and certificate_file of eduid" in found


def test_what_kolla_does_not_say_is_noted():
    bare = {"keystone_identity_providers": [
        {"name": "x", "openstack_domain": "d", "protocol": "openid", "attribute_mapping": "m", "colour": SECRET}],
        "keystone_identity_mappings": [{"name": "m", "file": "/etc/m.json"}, {"name": "n", "file": "/etc/n.json"}]}
    notes = kolla_identity(bare, {"n": {"rules": RULES}})["notes"]
    assert SECRET not in str(notes)
    for word in ("the rules of m are in /etc/m.json, which was not read", "n names no schema_version",
                 "colour of x is not known here", "x has no identifier", "HTTP_OIDC_ISS, the default is a header",
                 "mapping 'm' of x is not among the mappings"):
        assert any(word in note for note in notes), word
    assert kolla_identity({}) == {"identity": {}, "domains": [], "notes": []}


def test_what_is_not_what_kolla_takes_is_an_error_without_the_content():
    wrong = {"keystone_identity_providers": [{"name": "x"}], "keystone_identity_mappings": [{"name": "m"}]}
    with pytest.raises(AnsibleFilterError) as caught:
        kolla_identity(wrong, {"m": "no json, but " + SECRET})
    assert "openstack_domain and protocol and attribute_mapping is missing" in str(caught.value)
    assert "the file of m holds no list of rules" in str(caught.value) and SECRET not in str(caught.value)
    with pytest.raises(AnsibleFilterError, match="expected a list of mappings"):
        kolla_identity({"keystone_identity_providers": {"name": "x"}})


def test_values_of_web_server_options_are_never_told_whatever_their_shape():
    for options in (["OIDCClientSecret " + SECRET], "OIDCClientSecret " + SECRET, {"OIDCClientSecret": SECRET}, 7):
        notes = kolla_identity({"keystone_federation_oidc_additional_options": options})["notes"]
        assert SECRET not in str(notes) and len(notes) == 1 and "are not carried over" in notes[0]


def test_a_text_is_no_list_of_dashboards():
    for value in ("https://dashboard.example.org/", 3, {"a": "b"}):
        with pytest.raises(AnsibleFilterError, match="keystone_trusted_dashboards: expected a list of URLs"):
            kolla_identity({"keystone_trusted_dashboards": value})


def test_what_two_rows_say_differently_is_an_error():
    row = dict(KOLLA["keystone_identity_providers"][0])
    for other, words in (
        (dict(row, openstack_domain="other"), "eduid is in domain 'research' in an earlier row"),
        (dict(row), "protocol 'openid' of eduid stands in an earlier row"),
    ):
        with pytest.raises(AnsibleFilterError, match=words):
            kolla_identity({"keystone_identity_providers": [row, other]})
    two = kolla_identity({"keystone_identity_providers": [row, dict(row, protocol="mapped")]})
    assert [one["name"] for one in two["identity"]["identity_providers"][0]["protocols"]] == ["openid", "mapped"]
    rules = {"name": "m", "file": "/etc/m.json"}
    with pytest.raises(AnsibleFilterError, match="m stands in an earlier row"):
        kolla_identity({"keystone_identity_mappings": [rules, rules]}, {"m": RULES})


def test_schema_3_comes_with_the_first_release_that_has_it():
    found, notes = section({"mappings": [{"name": "m", "schema_version": "3.0", "rules": RULES}]})
    assert found["keystone_release"] == "2026.1"
    assert notes == ["mapping m has schema 3.0, which Keystone has from 2026.1 on; correct keystone_release if it is a "
                     "later one"]
    found["groups"] = [{"name": name, "domain": "research"} for name in ("a", "b")]
    assert document.load(whole(found, ["research"]))
    assert "keystone_release" not in section({"mappings": [{"name": "m", "schema_version": "2.0", "rules": RULES}]})[0]


def test_where_a_mapping_puts_people():
    rules = RULES + [{
        "local": [{"group": {"id": "g1"}}, {"group": {"name": "c", "domain": {"id": "r1"}}}, {"group": {"name": "d"}},
                  {"groups": "{0}", "domain": {"name": "open"}}],
        "remote": [{"type": "OIDC-iss", "any_one_of": ["x"]}, {"type": "OIDC-groups"}]}]
    found = landing({"rules": rules}, {"r1": "research"}, {"own"})
    assert found.names == {("research", "a"), ("research", "b"), ("research", "c"), ("own", "d")}
    assert (found.ids, found.open) == ({"g1"}, {"open"})


def test_groups_and_what_they_may_do():
    domains = {"r1": "research", "default": "Default"}
    rows = [{"id": "1", "name": "a", "domain_id": "r1", "description": "A"},
            {"id": "2", "name": "other", "domain_id": "default"}]
    found = {"mappings": [{"name": "m", "rules": RULES}], "identity_providers": []}
    groups, notes = import_keystone.named_groups(found, rows, domains)
    assert groups == [{"name": "a", "domain": "research", "description": "A", "id": "1"}]
    assert notes == ["mapping m names group research/b, which does not exist: nobody gets it"]
    project = {"project": {"id": "p", "name": "climate", "domain": {"id": "r1", "name": "research"}}}
    assignments, notes = import_keystone.assignments_of(groups, [
        {"group": {"id": "1"}, "role": {"name": "member"}, "scope": project},
        {"group": {"id": "1"}, "role": {"name": "reader"}, "scope": {"system": {"all": True}}},
        {"group": {"id": "1"}, "role": {"name": "creator"}, "scope": {
            "domain": {"id": "r1", "name": "research"}, "OS-INHERIT:inherited_to": "projects"}},
        {"group": {"id": "1"}, "role": {"name": "odd", "domain": {"name": "research"}}, "scope": project},
        {"group": {"id": "2"}, "role": {"name": "member"}, "scope": project},
        {"user": {"id": "1"}, "role": {"name": "member"}, "scope": project},
    ])
    made, refused = section({"groups": groups, "assignments": assignments})
    assert refused == [] and [note.partition(" belongs")[0] for note in notes] == ["role odd of group research/a"]
    assert sorted(made["assignments"], key=str) == sorted([
        {"persona": "member", "group": "research/a", "project": "research/climate"},
        {"persona": "auditor", "group": "research/a", "system": True},
        {"role": "creator", "group": "research/a", "domain": "research", "inherited": True}], key=str)
    assert made["groups"] == [{"name": "a", "domain": "research", "description": "A"}]
    assert document.load(whole(made, ["research"], [{"name": "climate", "domain": "research"}]))


def test_what_the_document_would_refuse_is_said():
    provider = {"name": "a b", "domain": "d", "remote_ids": ["x" * 65], "protocols": []}
    unused, notes = section({"identity_providers": [provider]})
    assert len(notes) == 2 and all(note.startswith("the region document does not take identity.") for note in notes)
