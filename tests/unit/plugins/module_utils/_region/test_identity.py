# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section identity: personas, what is normalised, the slice, what follows from a mistake elsewhere, doubts."""

from __future__ import annotations

import copy
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation, mapping_check
from ansible_collections.sovereign.region.plugins.module_utils._region.document import InvalidDocument, load
from ansible_collections.sovereign.region.plugins.module_utils._region.personas import (
    PERSONAS,
    SCOPES,
    personas_at,
    role_of,
    scopes_of,
)
from ansible_collections.sovereign.region.plugins.module_utils._region.slices_identity import identity
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import role_assignments, users
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._region.documents import (
    INVENTORIES,
    inventory,
)

RULE = {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}


def region(**section):
    """Return a small valid document with a section identity."""
    return {
        "version": 1,
        "name": "r",
        "sites": [{"name": "a", "jurisdiction": "DE"}],
        "tenancy": {"domains": [{"name": "d"}], "projects": [{"name": "p"}, {"name": "q", "domain": "d"}]},
        "identity": section,
    }


def paths(document):
    """Return the paths of all problems of a document."""
    with pytest.raises(InvalidDocument) as caught:
        load(document)
    return [problem.path.replace("sovereign_region.identity.", "") for problem in caught.value.found]


def test_personas_are_roles_at_scopes():
    assert list(PERSONAS) == ["admin", "manager", "member", "reader", "auditor"]
    assert (role_of("auditor"), scopes_of("auditor")) == ("reader", ("system",))
    assert personas_at("system") == ["admin", "auditor"]
    assert personas_at("domain") == ["admin", "manager", "reader"]
    assert personas_at("project") == ["admin", "manager", "member", "reader"]
    assert all(set(one["scopes"]) <= set(SCOPES) and one["description"].endswith(".") for one in PERSONAS.values())


def test_references_are_returned_with_their_domains():
    document = region(
        users=[{"name": "u", "domain": "d", "default_project": "q"}, {"name": "v", "default_project": None}],
        groups=[{"name": "g", "members": ["u", "Default/v"]}, {"name": "h", "domain": "d"}],
        assignments=[
            {"persona": "member", "group": "h", "project": "q"},
            {"role": "creator", "user": "u", "domain": "d", "inherited": True},
            {"persona": "auditor", "group": "g", "system": True},
        ],
        scopes=[{"project": "q", "purge": True}, {"system": True}],
    )
    before = copy.deepcopy(document)
    data = load(document).data
    assert document == before
    assert load(data).data == data
    section = data["identity"]
    assert [one["default_project"] for one in section["users"]] == ["d/q", None]
    assert [one["members"] for one in section["groups"]] == [["d/u", "Default/v"], None]
    assert [(one["group"], one["user"], one["project"]) for one in section["assignments"]] == [
        ("d/h", None, "d/q"), (None, "d/u", None), ("Default/g", None, None)]
    assert identity(data)["assignments"] == [
        {"role": "member", "group": "d/h", "project": "d/q", "inherited": False, "state": "present"},
        {"role": "creator", "user": "d/u", "domain": "d", "inherited": True, "state": "present"},
        {"role": "reader", "group": "Default/g", "system": True, "inherited": False, "state": "present"},
    ]
    assert identity(data)["scopes"] == [{"project": "d/q", "purge": True}, {"system": True, "purge": False}]


def test_the_slice_of_the_embedded_region():
    found = identity(load(inventory("embedded")).data)
    assert found["keystone_release"] == "2026.2"
    assert found["groups"][2] == {
        "name": "auditors", "domain": "Default", "description": "Data protection officers",
        "members": ["Default/otto"], "state": "present",
    }
    assert found["identity_providers"] == [{
        "name": "campus", "domain": "research", "description": "Single sign-on of the campus", "enabled": True,
        "remote_ids": ["https://login.campus.example"], "authorization_ttl": 720, "purge": False, "state": "present",
        "protocols": [{"name": "openid", "mapping": "campus", "remote_id_attribute": "OIDC-iss"}],
    }]
    (mapping,) = found["mappings"]
    assert set(mapping) == {"name", "schema_version", "rules", "state"}
    (check,) = found["checks"]
    assert check["rules"] == mapping["rules"] and [one["name"] for one in check["assertions"]] == [
        "a researcher", "a student who only plays chess"]


@pytest.mark.parametrize("name", INVENTORIES)
def test_the_modules_take_the_slice(name):
    found = identity(load(inventory(name)).data)
    federated = ("mappings", "identity_providers", "service_providers", "keystone_release")
    taken = (
        (users, {key: found[key] for key in ("groups", "users")}),
        (role_assignments, {key: found[key] for key in ("assignments", "scopes")}),
        (federation, {key: found[key] for key in federated}),
    )
    for module, options in taken:
        validated = ArgumentSpecValidator(module.ARGUMENT_SPEC).validate(options)
        assert validated.error_messages == []
        assert module.validate(validated.validated_parameters) == []
    options = dict(found["context"], mappings=found["checks"])
    validated = ArgumentSpecValidator(mapping_check.ARGUMENT_SPEC).validate(options)
    assert validated.error_messages == []
    checked = mapping_check.check(validated.validated_parameters)
    assert [(row["mapping"], row["accepted"]) for row in checked["results"]] == [
        (mapping["name"], one["expect"]["accepted"]) for mapping in found["checks"] for one in mapping["assertions"]]
    assert checked["findings"] == []


def test_what_shall_not_be_there_is_named():
    absent = {"mappings": ["old"], "identity_providers": ["pilot"]}
    found = identity(load(region(mappings=[{"name": "m", "rules": [RULE]}], absent=absent)).data)
    assert [(one["name"], one["state"]) for one in found["mappings"]] == [("m", "present"), ("old", "absent")]
    assert found["identity_providers"] == [{"name": "pilot", "state": "absent"}]
    assert [one["name"] for one in found["checks"]] == ["m"]
    options = {key: found[key] for key in ("mappings", "identity_providers", "service_providers")}
    validated = ArgumentSpecValidator(federation.ARGUMENT_SPEC).validate(options)
    assert validated.error_messages == []
    assert federation.validate(validated.validated_parameters) == []


def test_the_slice_is_a_copy_for_reading_only():
    data = load(inventory("embedded")).data
    before = copy.deepcopy(data)
    identity(data)["mappings"][0]["rules"].clear()
    assert data == before


def test_rules_are_handed_on_as_they_are_written():
    rule = {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "a", "any_one_of": [1.0, "x"], "regex": False}]}
    data = load(region(mappings=[{"name": "m", "rules": [rule]}])).data
    assert identity(data)["mappings"][0]["rules"] == [rule]
    assert data["identity"]["mappings"][0]["schema_version"] == "1.0"


def test_schema_3_with_a_release_that_has_it():
    for release in ("2026.1", "2026.2"):
        load(region(keystone_release=release, mappings=[{"name": "m", "schema_version": "3.0", "rules": [RULE]}]))
    broken = region(keystone_release="2026", mappings=[{"name": "m", "schema_version": "3.0", "rules": [RULE]}])
    # What the release is cannot be told: the mapping is not blamed for it.
    assert paths(broken) == ["keystone_release"]


def test_what_is_inherited_is_judged_where_it_holds():
    groups = [{"name": "g"}]
    load(region(groups=groups, assignments=[{"persona": "member", "group": "g", "domain": "d", "inherited": True}]))
    wrong = [{"persona": "auditor", "group": "g", "domain": "d", "inherited": True}]
    assert paths(region(groups=groups, assignments=wrong)) == ["assignments[0].persona"]


def test_one_broken_item_is_one_problem():
    document = region(
        groups=[{"name": "g", "members": "u"}],
        mappings=[{"name": "m", "rules": []}],
        assignments=[{"persona": "reader", "group": "g", "project": "p"}],
        identity_providers=[{"name": "i", "domain": "d", "protocols": [{"name": "openid", "mapping": "m"}]}],
    )
    assert paths(document) == ["groups[0].members", "mappings[0].rules"]


def test_a_name_that_cannot_be_read_may_be_the_one_that_is_meant():
    document = region(groups=[{"nmae": "g"}], assignments=[{"persona": "reader", "group": "g", "project": "p"}])
    assert paths(document) == ["groups[0].name", "groups[0].nmae"]


@pytest.mark.parametrize("section", [[], "x", None, 1])
def test_a_section_that_is_no_mapping_is_one_problem(section):
    with pytest.raises(InvalidDocument) as caught:
        load(dict(region(), identity=section))
    assert [problem.path for problem in caught.value.found] == ["sovereign_region.identity"]


def test_expected_groups_are_declared_in_either_way_of_writing():
    expected = ["d/g", "g", {"name": "g", "domain": {"name": "d"}}, {"name": "other", "domain": {"id": "f00"}}]
    mapping = {"name": "m", "rules": [RULE],
               "assertions": [{"name": "a", "claims": {}, "expect": {"group_names": expected}}]}
    load(region(groups=[{"name": "g", "domain": "d"}], mappings=[mapping]))


def test_doubts():
    mapping = {"name": "m", "rules": [RULE]}
    document = region(
        users=[{"name": "u"}, {"name": "v"}],
        groups=[{"name": "g", "members": ["v"]}],
        mappings=[mapping, dict(mapping, name="n")],
        identity_providers=[
            {"name": "i", "domain": "d"},
            {"name": "j", "domain": "d", "remote_ids": ["x"], "protocols": [{"name": "openid", "mapping": "n"}]},
        ],
    )
    assert [text.partition(":")[0] for text in load(document).warnings] == [
        "group Default/g has no assignment",
        "user Default/u has no assignment and is in no group",
        "mapping m is used by no protocol",
        "mapping m has no golden assertion",
        "mapping n has no golden assertion",
        "identity provider i has no protocol",
        "identity provider j has remote ids, and no protocol of it nor the section federation says remote_id_attribute",
    ]


def test_a_thousand_assignments_are_quick():
    names = ["g{0}".format(number) for number in range(1000)]
    document = region(
        groups=[{"name": name} for name in names],
        assignments=[{"persona": "reader", "group": name, "project": "p"} for name in names],
    )
    start = time.process_time()
    load(document)
    # 0.1 s on a slow machine; what grows with the square of the size takes far longer.
    assert time.process_time() - start < 1.0
