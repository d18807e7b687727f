# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a region: two that want it, owners that die, clocks that differ, records that cannot be read."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import CloudError, Refused
from ansible_collections.sovereign.region.plugins.module_utils._core.processes import Process
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import lock
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.lock_record import (
    FIRST_NAMESPACE,
    TAG,
    Owner,
    decode,
    lock_name,
    stamp,
)

ALICE = Owner("run-a", "c1", "alice", 1000, "m1", "boot-1", FIRST_NAMESPACE, 100, 5, (7, 8))
BOB = dataclasses.replace(ALICE, run="run-b", user="bob", pid=200, start=9, pipes=(11,))
ELSEWHERE = dataclasses.replace(BOB, host="c2", machine="m2", boot_id="boot-2")
REBOOTED = dataclasses.replace(BOB, boot_id="boot-3")
ALIVE = {100: Process(100, 1, "S", 5), 200: Process(200, 1, "S", 9)}


class FakeMachine:
    """A host whose processes and clock a test sets."""

    def __init__(self, owner, processes=None, left=(), up=10.0):
        self.owner, self.left, self.up = owner, list(left), up
        self.processes = ALIVE if processes is None else processes
        self.time = 0.0

    def process(self, pid):
        return self.processes.get(pid)

    def survivors(self, owner):
        return self.left.pop(0) if self.left else []

    def uptime(self):
        return self.up

    def clock(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


def options(**more):
    given = {"region": "r", "state": "held", "minutes": 60, "owner_run": None, "renew": False, "force": False,
             "wait": 120}
    return dict(given, **more)


@pytest.fixture()
def use(open_cloud):
    """A function that runs the module for one owner."""

    def used(owner, machine=None, check=False, later=0.0, **more):
        cloud = open_cloud()
        if later:
            note = cloud._note_time

            def shifted(reply):
                note(reply)
                cloud.server_time += later

            cloud._note_time = shifted
        return lock.execute(cloud, options(**more), check, machine or FakeMachine(owner))

    return used


def locks(fake):
    return [row for row in fake.identity.projects.values() if row["name"].startswith(TAG)]


def test_the_first_holds_and_the_second_is_told_who(fake, use):
    result = use(ALICE)
    assert result["lock"]["mine"] and not result["changed"] and result["actions"] == []
    assert result["api_calls"] == 4
    row = locks(fake)[0]
    assert row["enabled"] is False and row["tags"] == [TAG] and row["domain_id"] == "default"
    with pytest.raises(Refused, match=r"alice@c1, process 100 \(run run-a\) since .* sovereign\.region\.unlock"):
        use(BOB)
    assert len(locks(fake)) == 1


def test_the_same_run_prolongs(fake, use):
    first = use(ALICE)["lock"]
    second = use(dataclasses.replace(ALICE, run="named otherwise"), later=600.0)["lock"]
    assert second["acquired"] == first["acquired"] and second["expires"] > first["expires"]


def test_release_is_only_for_the_holder(fake, use):
    use(ALICE)
    with pytest.raises(Refused, match="does not hold"):
        use(BOB, state="released")
    assert not use(ALICE, state="released")["changed"]
    assert locks(fake) == []
    assert use(ALICE, state="released")["message"] == "region r is not locked"


def test_force_releases_and_the_loser_is_told(fake, use):
    use(ALICE)
    assert use(BOB, state="released", force=True)["changed"]
    with pytest.raises(Refused, match="lost it"):
        use(ALICE, renew=True)
    use(BOB)
    with pytest.raises(Refused, match="lost the lock"):
        use(ALICE, renew=True)


def test_check_mode_changes_nothing(fake, use):
    use(ALICE)
    before = fake.mutations()
    for more in ({}, {"state": "released"}, {"state": "released", "force": True}):
        result = use(BOB, check=True, **more)
        assert result["lock"]["holder"]["user"] == "alice" and not result["lock"]["mine"]
    assert result["changed"] is True
    assert fake.mutations() == before


@pytest.mark.parametrize(
    ("processes", "taken"),
    [
        ({}, True),
        ({100: Process(100, 1, "S", 6)}, True),
        ({100: Process(100, 1, "Z", 5)}, True),
        (ALIVE, False),
    ],
    ids=["gone", "pid given again", "zombie", "alive"],
)
def test_a_dead_owner_on_this_host(fake, use, processes, taken):
    use(ALICE)
    if taken:
        assert use(BOB, FakeMachine(BOB, processes))["lock"]["mine"]
    else:
        with pytest.raises(Refused):
            use(BOB, FakeMachine(BOB, processes))


@pytest.mark.parametrize(
    ("other", "uptime", "taken"),
    [
        (ELSEWHERE, -90.0, False),
        (REBOOTED, -90.0, True),
        (REBOOTED, 100000.0, False),
        (dataclasses.replace(REBOOTED, host="copy"), -90.0, False),
        (dataclasses.replace(REBOOTED, machine=""), -90.0, False),
        (dataclasses.replace(REBOOTED, pid_namespace="pid:[5]"), -90.0, False),
        (dataclasses.replace(BOB, pid_namespace="pid:[5]"), -90.0, False),
        (dataclasses.replace(BOB, uid=1001), -90.0, False),
        (dataclasses.replace(BOB, uid=0), -90.0, True),
    ],
    ids=["other host", "started again", "copy that ran all along", "other name", "no machine id", "container after a "
         "start", "container", "hidden processes", "root"],
)
def test_what_is_not_known_is_not_dead(fake, use, other, uptime, taken):
    use(ALICE)
    machine = FakeMachine(other, {}, up=uptime)
    if taken:
        assert use(other, machine)["lock"]["mine"]
    else:
        with pytest.raises(Refused):
            use(other, machine)
        assert use(other, machine, later=3700.0)["lock"]["mine"]


def test_survivors_are_waited_for(fake, use):
    use(ALICE)
    machine = FakeMachine(BOB, {}, left=[[Process(31, 1, "S", 1)]] * 5)
    assert use(BOB, machine)["lock"]["mine"]
    assert machine.time == 2.5


def test_survivors_are_not_waited_for_without_end(fake, use):
    use(ALICE)
    machine = FakeMachine(BOB, {}, left=[[Process(31, 1, "S", 1)]] * 1000)
    with pytest.raises(Refused, match="after 120 s others of its run still work: process 31"):
        use(BOB, machine)
    assert decode(locks(fake)[0]).owner.run == "run-a"


def test_the_same_run_id_again_waits_too(fake, use):
    use(ALICE)
    again = dataclasses.replace(BOB, run="run-a")
    machine = FakeMachine(again, {}, left=[[Process(31, 1, "S", 1)]])
    assert use(again, machine)["message"].count("taken over") == 1
    assert machine.time == 0.5


def test_a_lock_near_its_end_is_replaced(fake, use):
    use(ALICE, minutes=1)
    before = locks(fake)[0]["id"]
    use(ALICE, later=5.0)
    assert locks(fake)[0]["id"] != before


@pytest.mark.parametrize(
    "description",
    ["", "{", "null", "[]", "{}", json.dumps({"version": 1}), json.dumps({"version": 2}), "\x00", json.dumps(
        {"version": 1, "region": "r", "token": "t", "owner": {}, "acquired": "x", "renewed": "x", "expires": "x"})],
)
def test_garbage_is_held_until_released_by_hand(fake, use, description):
    fake.identity.add_project(lock_name("r"), description=description, tags=[TAG], enabled=False)
    with pytest.raises(Refused, match="cannot be read"):
        use(ALICE, later=10**8)
    with pytest.raises(Refused):
        use(ALICE, state="released")
    assert use(ALICE, state="released", force=True)["changed"]


def test_a_project_that_is_no_lock_is_left_alone(fake, use):
    fake.identity.add_project(lock_name("r"))
    for more in ({}, {"state": "released", "force": True}):
        with pytest.raises(Refused, match="no lock of ours"):
            use(ALICE, **more)
    assert fake.mutations() == []


def test_a_lost_reply_is_no_second_lock(fake, use):
    fake.fail(method="POST", path="/projects$", status="cut", times=1, carried_out=True)
    assert use(ALICE)["lock"]["mine"]
    assert len(locks(fake)) == 1


def test_a_fault_takes_no_lock(fake, use):
    fake.fail(method="POST", path="/projects$", status=500)
    with pytest.raises(CloudError):
        use(ALICE)
    assert locks(fake) == []


@pytest.mark.parametrize("dead", [False, True])
def test_of_many_one_wins(fake, use, dead):
    if dead:
        use(ALICE)
    won, lost = [], []

    def contend(number):
        owner = dataclasses.replace(BOB, run="run-{0}".format(number), pid=1000 + number)
        try:
            alive = {1000 + one: Process(1000 + one, 1, "S", 9) for one in range(8)}
            won.append(use(owner, FakeMachine(owner, alive))["lock"]["holder"]["run"])
        except Refused as error:
            lost.append(str(error))

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and len(lost) == 7
    assert decode(locks(fake)[0]).owner.run == won[0]


def test_names_fit_and_differ():
    long = ["a" * 60 + str(number) for number in range(20)]
    names = {lock_name(region) for region in [*long, "a"]}
    assert len(names) == 21 and max(map(len, names)) <= 64


def test_the_record_reads_back():
    text = lock.encode("r", ALICE, "t", 10.0, 20.0, 30.0)
    found = decode({"id": "x", "description": text, "tags": [TAG]})
    assert found.owner == ALICE and (found.acquired, found.renewed, found.expires) == (10.0, 20.0, 30.0)
    assert stamp(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("more", [{"minutes": 0}, {"minutes": 10081}, {"region": " "}, {"wait": -1}, {"force": True},
                                  {"renew": True, "state": "released"}])
def test_options_that_cannot_be_right(more):
    assert len(lock.validate(options(**more))) == 1
    assert lock.validate(options()) == []
