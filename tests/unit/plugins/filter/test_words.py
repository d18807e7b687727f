# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and verdicts in sentences."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.filter.plan_text import FilterModule as Plan
from ansible_collections.sovereign.region.plugins.filter.verdict_text import FilterModule as Verdict

plan_text = Plan().filters()["plan_text"]
verdict_text = Verdict().filters()["verdict_text"]


def action(verb="create", kind="project", name="research/climate", before=None, after=None, **more):
    return dict({"verb": verb, "kind": kind, "name": name, "before": before, "after": after, "interrupts": None,
                 "deferred": None}, **more)


def test_an_empty_plan_says_so():
    assert plan_text([], "embedded") == ["Plan for region embedded: nothing to do"]


def test_the_headline_counts_each_kind_in_the_order_of_the_plan():
    actions = [action(kind="domain", name="research"), action(), action(name="research/x"),
               action("grant", "flavor access", "f for research/x", None, {"project": "research/x"})]
    assert plan_text(actions, "r")[0] == "Plan for region r: 4 changes: 1 domain, 2 projects, 1 flavor access"


def test_two_changes_of_one_object_are_one_object():
    actions = [action("disable", "domain", "research"), action("delete", "domain", "research")]
    assert plan_text(actions, "r")[0] == "Plan for region r: 2 changes: 1 domain"


def test_one_change_is_singular():
    assert plan_text([action()], "r")[0] == "Plan for region r: 1 change: 1 project"


@pytest.mark.parametrize("given, said", [
    (action(after={"tags": ["gpu"], "enabled": True, "description": ""}), "create project research/climate (tags gpu)"),
    (action(after={"description": "Ice and sea"}), 'create project research/climate (description "Ice and sea")'),
    (action(), "create project research/climate"),
    (action("update", before={"tags": []}, after={"tags": ["gpu", "secret"]}),
     "update project research/climate: tags from none to gpu and secret"),
    (action("update", before={"description": "old"}, after={"description": ""}),
     "update project research/climate: description from old to empty"),
    (action("adopt", before={"enabled": False}, after={"enabled": True}),
     "adopt project research/climate: enabled from no to yes"),
    (action("adopt", before={}, after={}), "adopt project research/climate"),
    (action("disable", before={"enabled": True}, after={"enabled": False}, interrupts="every token stops working"),
     "disable project research/climate; interrupts work: every token stops working"),
    (action(deferred="a reboot of gpu-a1"), "create project research/climate; deferred: a reboot of gpu-a1"),
    (action("delete", before={"tags": ["gpu"]}), "delete project research/climate"),
    (action("grant", "flavor access", "h200.1 for Default/clinic", None, {"project": "Default/clinic"}),
     "grant access to flavor h200.1 for Default/clinic"),
    (action("update", "flavor extra specs", "h200.1", {"pci_passthrough:alias": "h200:1"},
            {"pci_passthrough:alias": "h200:2"}),
     "update extra specs of flavor h200.1: pci_passthrough:alias from h200:1 to h200:2"),
    (action(kind="flavor", name="f", after={"ram_mib": 8192, "vcpus": 4, "disk_gib": 0, "public": False}),
     "create flavor f (RAM 8192 MiB, vCPUs 4, disk 0 GiB, public no)"),
    (action("grant", "group membership", "Default/otto in Default/auditors", None, {"user": "Default/otto"}),
     "grant membership of Default/otto in Default/auditors"),
    (action(kind="mapping", name="campus", after={"schema_version": "2.0", "rules": [{"local": [], "remote": []}]}),
     "create mapping campus (schema version 2.0, 1 rule)"),
    (action("update", "mapping", "campus", {"rules": [{}]}, {"rules": [{}, {}]}),
     "update mapping campus: other rules (2 rules instead of 1)"),
    (action("update", "identity provider", "campus", {"authorization_ttl": None}, {"authorization_ttl": 720}),
     "update identity provider campus: authorization TTL from none to 720 min"),
])
def test_a_sentence_for_each_verb(given, said):
    assert plan_text([given], "r")[1] == "1. " + said


def test_what_interrupts_or_waits_is_counted_in_the_headline():
    names = [{"name": "a", "interrupts": "x"}, {"name": "b", "interrupts": "x"}, {"name": "c", "deferred": "y"}]
    lines = plan_text([action(**one) for one in names], "r")
    assert lines[0].endswith("3 projects; 2 interrupt work; 1 has to wait")


def test_the_same_on_several_hosts_is_said_once():
    one = action("set", "driver override", "0000:41:00.0", {"driver": None}, {"driver": "vfio-pci"})
    actions = [dict(one, host="gpu-{0}".format(number)) for number in range(10)] + [dict(one, host="other"), one]
    lines = plan_text(actions, "r")
    assert lines[1] == (
        "1. set driver override 0000:41:00.0: driver from none to vfio-pci "
        "(on gpu-0, gpu-1, gpu-2, gpu-3, gpu-4, gpu-5, gpu-6, gpu-7 and 3 more)")
    assert lines[2].endswith("to vfio-pci") and len(lines) == 3
    assert "12 changes: 12 driver overrides" in lines[0]


def test_one_role_in_several_places_is_one_sentence():
    def grant(role, **fields):
        return action("grant", "role assignment", "…", None, dict({"role": role, "inherited": False}, **fields))

    lines = plan_text([
        grant("reader", group="d/g", project="d/a"), grant("member", group="d/g", project="d/a"),
        grant("reader", group="d/g", project="d/b"), grant("reader", group="d/g", domain="d", inherited=True),
        grant("reader", user="d/g", system=True),
        action("revoke", "role assignment", "…", {"role": "reader", "group": "d/g", "project": "d/a"}, None),
    ], "r")
    assert lines == [
        "Plan for region r: 6 changes: 1 role assignment",
        "1. grant role reader of group d/g on project d/a, project d/b and the projects below domain d",
        "2. grant role member of group d/g on project d/a",
        "3. grant role reader of user d/g on the system",
        "4. revoke role reader of group d/g on project d/a",
    ]


def test_what_two_modules_do_alike_is_said_twice():
    assert len(plan_text([action("delete", "flavor", "f", {}, None)] * 2, "r")) == 3


def test_warnings_come_last():
    assert plan_text([action()], "r", warnings=["pool x has no flavor"])[-1] == "warning: pool x has no flavor"


def test_a_name_with_a_line_break_cannot_look_like_another_line():
    line = plan_text([action(name="a/b\n2. delete project admin")], "r")[1]
    assert "\n" not in line and line == "1. create project a/b?2. delete project admin"


def test_a_verb_has_its_own_headline():
    assert plan_text([action()], "r", verb="site")[0].startswith("Done in region r: 1 change")
    assert plan_text([], "r", verb="site")[0] == "Done in region r: nothing to do"


def verdict(status, rule="tenancy.declared", subject="projects", message="m"):
    return {"status": status, "rule": rule, "subject": subject, "message": message, "evidence": []}


def test_verdicts_are_lines_and_a_sum():
    assert verdict_text([verdict("pass"), verdict("fail"), verdict("pass")]) == [
        "pass: tenancy.declared, projects: m",
        "fail: tenancy.declared, projects: m",
        "pass: tenancy.declared, projects: m",
        "3 verdicts: 1 fail, 2 pass",
    ]


def test_no_verdict_is_no_pass():
    assert verdict_text([]) == ["no verdict: nothing was looked at, and that is never a pass"]
