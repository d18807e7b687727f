# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs against real services, judged by what the servers logged and by the plain SDK."""

from __future__ import annotations

import os
import re
import signal

import pytest
from embedded_content import content
from embedded_helpers import wait_for

# What a request means that creates something, by its method and path.
MEANING = (
    (r"POST /v3/domains", ("create", "domain")),
    (r"POST /v3/projects", ("create", "project")),
    (r"POST /v2\.1/flavors", ("create", "flavor")),
    (r"POST /v2\.1/flavors/[^/]+/os-extra_specs", ("create", "flavor extra specs")),
    (r"POST /v2\.1/flavors/[^/]+/action", ("grant", "flavor access")),
    (r"POST /v3/groups", ("create", "group")),
    (r"POST /v3/users", ("create", "user")),
    (r"PUT /v3/groups/[^/]+/users/[^/]+", ("grant", "group membership")),
    (r"PUT /v3/(OS-INHERIT/)?(domains/[^/]+|projects/[^/]+|system)/(groups|users)/[^/]+/roles/[^/]+"
     r"(/inherited_to_projects)?", ("grant", "role assignment")),
    (r"PUT /v3/OS-FEDERATION/mappings/[^/]+", ("create", "mapping")),
    (r"PUT /v3/OS-FEDERATION/identity_providers/[^/]+", ("create", "identity provider")),
    (r"PUT /v3/OS-FEDERATION/identity_providers/[^/]+/protocols/[^/]+", ("create", "protocol")),
)


def meanings(requests):
    """What the servers were asked to do, in the words of actions."""
    said = [f"{one.method} {one.path.rstrip('/')}" for one in requests]
    return [next((meant for pattern, meant in MEANING if re.fullmatch(pattern, text)), text) for text in said]


def test_a_plan_changes_nothing_and_site_then_does_exactly_what_it_said(seed, cloud, base):
    planned = seed.run("plan").good()
    assert content(cloud) == base
    assert planned.result["check_mode"] and planned.result["changed"] and not planned.result["failed"]
    assert {one["kind"] for one in planned.result["actions"]} == {meant[1] for pattern, meant in MEANING}
    assert "1. create domain research" in planned.output

    before = seed.mark()
    checked = seed.run("site", "--check").good()
    assert seed.requests(before) == []
    assert checked.result["actions"] == planned.result["actions"]

    before = seed.mark()
    built = seed.run("site").good()
    requests = seed.requests(before)
    assert built.result["actions"] == planned.result["actions"]
    # The servers' own account: as many requests as actions, of the same kinds, in the same order, all accepted.
    assert meanings(requests) == [(one["verb"], one["kind"]) for one in planned.result["actions"]]
    assert all(one.status < 300 for one in requests)

    before = seed.mark()
    for again in (seed.run("site").good(), seed.run("plan", region_plan_fail_on_changes=True).good()):
        assert again.result["actions"] == []
        assert again.changed == 0
        assert "nothing to do" in again.output
    assert seed.requests(before) == []


def test_a_plan_that_is_not_empty_can_be_an_exit_status(seed):
    for switched in (True, "true"):
        failed = seed.run("plan", region_plan_fail_on_changes=switched)
        assert failed.code != 0
        assert failed.result["actions"] and not failed.result["failed"]
        assert "Plan for region embedded: " in failed.output
    assert seed.run("plan", region_plan_fail_on_changes="false").code == 0


def test_drift_is_found_named_and_repaired_and_what_is_not_ours_stays(seed, cloud):
    seed.run("site").good()
    as_declared = content(cloud)
    foreign = cloud.identity.create_project(name="not-ours", domain_id="default", tags=["theirs"])
    theirs = cloud.compute.create_flavor(name="not.ours", vcpus=1, ram=64, disk=0)
    try:
        project = cloud.identity.find_project("weather")
        cloud.identity.update_project(project.id, description="changed by hand")
        flavor = cloud.compute.find_flavor("l40s.1", get_extra_specs=True)
        cloud.compute.update_flavor_extra_specs_property(flavor.id, "pci_passthrough:alias", "h200:1")
        cloud.compute.flavor_remove_tenant_access(flavor.id, project.id)

        found = seed.run("plan").good().result["actions"]
        assert [(one["verb"], one["kind"], one["name"]) for one in found] == [
            ("update", "project", "Default/weather"),
            ("update", "flavor extra specs", "l40s.1"),
            ("grant", "flavor access", "l40s.1 for Default/weather"),
        ]
        assert found[0]["before"] == {"description": "changed by hand"}

        verified = seed.run("verify")
        assert verified.code != 0
        assert [one["status"] for one in verified.result["verdicts"] if one["rule"] == "tenancy.declared"] == [
            "fail", "fail"]
        assert verified.result["changed"] is False

        before = seed.mark()
        repaired = seed.run("site", region_purge=True).good()
        assert len(seed.requests(before)) == len(repaired.result["actions"]) == 3
    finally:
        left = content(cloud)
        cloud.identity.delete_project(foreign.id)
        cloud.compute.delete_flavor(theirs.id)
    assert "Default/not-ours" in left["projects"] and "not.ours" in left["flavors"]
    assert content(cloud) == as_declared


def test_verify_says_what_is_so(seed):
    seed.run("site").good()
    before = seed.mark()
    verified = seed.run("verify").good()
    assert seed.requests(before) == []
    # Cards on vfio-pci belong to their guests: how they are, no driver of the host can tell.
    judged = [one for one in verified.result["verdicts"] if one["rule"] != "accelerators.health"]
    assert {one["status"] for one in judged} == {"pass"}
    assert all(one["evidence"] for one in verified.result["verdicts"])
    assert verified.result["canary"] == []


def test_a_canary_is_booted_and_leaves_nothing(seed, cloud):
    seed.run("site").good()
    verified = seed.run("verify", region_canary="true").good()
    canary = verified.result["canary"]
    assert len(canary) == 4
    assert {one["status"] for one in canary} == {"pass"}
    assert verified.result["changed"] is False and verified.result["actions"] == []
    assert list(cloud.compute.servers(all_projects=True)) == []


def test_why_nothing_could_be_booted_stands_in_the_result(seed):
    seed.run("site").good()
    failed = seed.run("verify", region_canary=True, region_canary_image="no-such-image")
    assert failed.code != 0
    assert "not looked at: canary (" in failed.result["message"]
    assert "Glance shows no active public image 'no-such-image'" in failed.result["message"]


def test_a_page_lands_where_the_person_stands(seed, tmp_path, monkeypatch):
    seed.run("site").good()
    monkeypatch.setenv("PWD", str(tmp_path))
    seed.run("page", region_page_path="region.html").good()
    assert "embedded" in (tmp_path / "region.html").read_text(encoding="utf-8")


def test_teardown_wants_the_name_and_takes_only_what_is_ours(seed, cloud, base):
    seed.run("site").good()
    built = content(cloud)

    planned = seed.run("teardown").good()
    assert planned.result["check_mode"] and planned.result["actions"]
    assert "-e region_teardown=embedded" in planned.output
    refused = seed.run("teardown", region_teardown="another")
    assert refused.code != 0 and "this is region embedded" in refused.output
    assert content(cloud) == built

    before = seed.mark()
    done = seed.run("teardown", region_teardown="embedded").good()
    assert done.result["actions"] == planned.result["actions"]
    assert len(seed.requests(before)) == len(done.result["actions"])
    assert content(cloud) == base


def test_what_is_in_use_is_not_torn_down(seed, cloud):
    seed.run("site").good()
    project = cloud.identity.find_project("weather")
    network = cloud.network.create_network(name="in-use", project_id=project.id)
    try:
        refused = seed.run("teardown", region_teardown="embedded")
        assert refused.code != 0
        assert "'Default/weather' is in use: it has networks" in refused.output
        assert refused.result["failed"]
        assert "Default/weather" in content(cloud)["projects"]
    finally:
        cloud.network.delete_network(network.id)


def test_two_runs_exclude_each_other(seed, cloud):
    before = seed.mark()
    first = seed.start("site")
    try:
        wait_for(lambda: seed.requests(before))
        # Stopped, but alive: it still owns the lock.
        os.killpg(first.pid, signal.SIGSTOP)
        second = seed.run("site")
        assert second.code != 0
        assert second.result["failed"] and second.result["actions"] == []
        assert "lock" in second.result["message"]
        # Hosts are the region, too: without the lock nobody even looks at them.
        assert "TASK [Look at the accelerators]" not in second.output
    finally:
        os.killpg(first.pid, signal.SIGCONT)
        output, unused = first.communicate(timeout=120)
    assert first.returncode == 0, output[-4000:]
    assert seed.run("site").good().result["actions"] == []


def test_a_lock_can_be_released_by_hand(seed):
    before = seed.mark()
    first = seed.start("site")
    try:
        wait_for(lambda: seed.requests(before))
        os.killpg(first.pid, signal.SIGSTOP)
        unlocked = seed.run("unlock").good()
        assert unlocked.result["verb"] == "unlock" and not unlocked.result["actions"]
        assert seed.run("site").code == 0
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate(timeout=60)


def test_hosts_are_looked_at_and_judged(seed):
    seed.run("site").good()
    verdicts = seed.run("verify").good().result["verdicts"]
    judged = {one["subject"]: one for one in verdicts if one["rule"] == "accelerators.declared"}
    assert sorted(judged) == ["host gpu-a1", "host gpu-a2", "host gpu-b1", "host gpu-b2"]
    assert {one["status"] for one in judged.values()} == {"pass"}
    assert len(judged["host gpu-a1"]["evidence"][0]["value"]) == 9


def test_a_host_that_is_not_as_declared_stops_site_before_tenancy(seed):
    before = seed.mark()
    failed = seed.run("site", region_accelerator_root="/nonexistent")
    assert failed.code != 0 and failed.result["actions"] == []
    assert "gpu-a1: root: /nonexistent is no directory" in failed.result["message"]
    assert seed.requests(before) == []
    # The lock was released all the same.
    seed.run("site").good()


def test_hosts_can_be_left_out(seed):
    assert "Look at the accelerators" not in seed.run("plan", region_hosts="false").good().output
    limited = seed.run("plan", "--limit", "localhost,gpu-a1").good()
    assert "Left out of this run by --limit: gpu-a2, gpu-b1, gpu-b2" in limited.output


def test_the_result_is_returned_on_failure_too(seed):
    broken = {"version": 1, "name": "embedded", "sites": [], "tenancy": {"projects": [{"nam": "x"}]}}
    for verb in ("plan", "site", "verify", "teardown", "unlock"):
        failed = seed.run(verb, sovereign_region=broken)
        assert failed.code != 0
        assert failed.result["failed"] and failed.result["region"] is None and failed.result["verb"] == verb
        assert "sovereign_region.tenancy.projects[0]" in failed.result["message"]


@pytest.mark.parametrize("who", ["embedded-member", "embedded-auditor"])
def test_who_may_not_change_the_region_is_told_so(seed, who):
    before = seed.mark()
    failed = seed.run("site", region_cloud=who)
    assert failed.code != 0
    assert failed.result["failed"]
    # The reason, not what went wrong while it was told.
    assert "403" in failed.result["message"] or "policy" in failed.result["message"]
    assert failed.result["message"] in failed.output and "UNREACHABLE" not in failed.output
    assert [one for one in seed.requests(before) if one.status < 400] == []
