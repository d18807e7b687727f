# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity in the verbs, against a real Keystone, judged by what it holds and by what it was asked."""

from __future__ import annotations

import copy

import yaml
from embedded_content import content
from embedded_helpers import CHECKOUT


def document():
    """The document of the embedded region, to be changed."""
    path = CHECKOUT / "inventories" / "embedded" / "group_vars" / "all" / "region.yml"
    return copy.deepcopy(yaml.safe_load(path.read_text(encoding="utf-8"))["sovereign_region"])


def test_a_mapping_that_does_not_do_what_it_is_meant_to_stops_everything(seed):
    wrong = document()
    wrong["identity"]["mappings"][0]["assertions"][1]["expect"] = {"accepted": True, "group_names": []}
    before = seed.mark()
    for verb in ("plan", "site"):
        failed = seed.run(verb, sovereign_region=wrong, region_hosts=False)
        assert failed.code != 0 and failed.result["failed"] and failed.result["actions"] == []
        said = failed.result["message"]
        assert "mapping 'campus', assertion 'a student who only plays chess' does not hold" in said
        assert "accepted: expected True, got False" in said
        assert "rules[0] did not match: rules[0].remote[3]" in said
        assert failed.result["api_calls"] == 0
    assert seed.requests(before) == []

    seed.run("site", region_hosts=False).good()
    verified = seed.run("verify", sovereign_region=wrong, region_hosts=False)
    assert verified.code != 0
    judged = {(one["rule"], one["subject"]): one["status"] for one in verified.result["verdicts"]}
    assert judged["identity.mapping_assertions", "mapping campus"] == "fail"
    # What can be looked at is looked at all the same.
    assert judged["identity.declared", "federation"] == "pass"


def test_nobody_gets_a_role_when_the_federation_is_refused(seed, cloud, base):
    issuer = document()["identity"]["identity_providers"][0]["remote_ids"][0]
    cloud.identity.put("/OS-FEDERATION/identity_providers/theirs", json={
        "identity_provider": {"domain_id": "default", "remote_ids": [issuer]}})
    try:
        failed = seed.run("site", region_hosts=False)
        assert failed.code != 0 and "theirs" in failed.result["message"]
        assert not [one for one in failed.result["actions"] if one["kind"] == "role assignment"]
        assert content(cloud)["assignments"] == base["assignments"]
    finally:
        cloud.identity.delete("/OS-FEDERATION/identity_providers/theirs")
    seed.run("site", region_hosts=False).good()
    seed.run("teardown", region_teardown="embedded").good()


def test_what_was_changed_by_hand_is_named_and_repaired_and_what_is_not_ours_stays(seed, cloud, base):
    seed.run("site", region_hosts=False).good()
    as_declared = content(cloud)
    auditors, otto = cloud.identity.find_group("auditors"), cloud.identity.find_user("otto")
    clinic = cloud.identity.find_project("clinic")
    reader = cloud.identity.find_role("reader")
    foreign = cloud.identity.create_group(name="not-ours", domain_id="default")
    cloud.identity.put(f"/projects/{clinic.id}/groups/{foreign.id}/roles/{reader.id}")
    cloud.identity.put("/OS-FEDERATION/mappings/not-ours", json={
        "mapping": {"schema_version": "2.0", "rules": as_declared["mappings"]["campus"][1]}})
    theirs = content(cloud)
    try:
        cloud.identity.delete(f"/groups/{auditors.id}/users/{otto.id}")
        cloud.identity.delete(f"/system/groups/{auditors.id}/roles/{reader.id}")
        cloud.identity.patch("/OS-FEDERATION/identity_providers/campus", json={
            "identity_provider": {"remote_ids": ["https://login.elsewhere.example"]}})

        verified = seed.run("verify", region_hosts=False)
        found = verified.result["actions"]
        assert [(one["verb"], one["kind"], one["name"]) for one in found] == [
            ("grant", "group membership", "Default/otto in Default/auditors"),
            ("grant", "role assignment", "reader of group Default/auditors on the system"),
            ("update", "identity provider", "campus"),
        ]
        assert verified.code != 0 and verified.result["changed"] is False
        drift = [one["subject"] for one in verified.result["verdicts"]
                 if one["rule"] == "identity.declared" and one["status"] == "fail"]
        assert drift == ["groups and users", "assignments", "federation"]

        repaired = seed.run("site", region_hosts=False, region_purge=True).good()
        assert repaired.result["actions"] == found
        assert content(cloud) == theirs

        seed.run("teardown", region_teardown="embedded").good()
        left = content(cloud)
        assert "Default/not-ours" in left["groups"] and list(left["mappings"]) == ["not-ours"]
        assert (left["identity_providers"], left["users"]) == (base["identity_providers"], base["users"])
    finally:
        cloud.identity.delete(f"/groups/{foreign.id}")
        cloud.identity.delete("/OS-FEDERATION/mappings/not-ours")
    assert content(cloud) == base


def test_a_document_without_identity_asks_no_more_than_before(seed):
    plain = document()
    del plain["identity"]
    output = seed.run("plan", sovereign_region=plain, region_hosts=False).good().output
    for task in ("Groups and users", "Who may do what", "Who will vouch for whom, asked before anybody may do more"):
        assert "skipping: [localhost]" in output.partition(f"sovereign.region.identity : {task}]")[2].split("TASK")[0]
