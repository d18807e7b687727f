# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock in the real Keystone: many want it at once, and its holder is killed while its workers go on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import Refused
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import lock
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.lock_machine import Machine
from embedded_helpers import wait_for

PLAY = """
- hosts: a,b
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  environment:
    SOVEREIGN_REGION_RUN: "{{ run | default('') }}"
  tasks:
    - sovereign.region.region_lock:
        cloud: embedded-admin
        region: "{{ name }}"
      run_once: true
    - ansible.builtin.wait_for:
        timeout: 8
"""


@pytest.fixture()
def admin(region):
    clouds = yaml.safe_load((Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]
    return lambda: connect({"cloud": clouds["embedded-admin"]})


@pytest.fixture()
def name(admin):
    """The name of a region of this test's own, unlocked afterwards."""
    found = "test-" + uuid.uuid4().hex[:8]
    yield found
    use(admin(), "cleaner", region=found, state="released", force=True)


def use(cloud, run, **more):
    given = {"state": "held", "minutes": 60, "owner_run": run, "renew": False, "force": False, "wait": 60}
    given.update(more)
    assert lock.validate(given) == []
    return lock.execute(cloud, given, False, Machine(Host(), run, required=False))


def test_held_prolonged_and_released(admin, name):
    first = use(admin(), "one", region=name)
    assert first["lock"]["mine"] and first["api_calls"] == 4
    assert use(admin(), "one", region=name, renew=True)["lock"]["acquired"] == first["lock"]["acquired"]
    assert use(admin(), "one", region=name, state="released")["changed"] is False
    with pytest.raises(Refused, match="lost"):
        use(admin(), "one", region=name, renew=True)


def test_of_many_one_wins(admin, name):
    won, lost = [], []
    start = threading.Barrier(6)

    def contend(run):
        cloud = admin()
        start.wait(30)
        try:
            won.append(use(cloud, run, region=name)["lock"]["holder"]["run"])
        except Refused as error:
            lost.append(str(error))

    threads = [threading.Thread(target=contend, args=("run-{0}".format(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5), (won, lost)
    assert lock.Keeper(admin(), {"region": name}, Machine(Host(), won[0], required=False)).observe().owner.run == won[0]


@pytest.mark.parametrize("run", ["", "pipeline-7"], ids=["by process", "by name"])
def test_workers_that_outlive_a_killed_run_are_waited_for(region, admin, name, tmp_path, run):
    play = tmp_path / "play.yml"
    play.write_text(PLAY, encoding="utf-8")
    log = tmp_path / "log"
    program = Path(sys.executable).parent / "ansible-playbook"
    with open(log, "wb") as output:
        holder = subprocess.Popen(
            [str(program), "-i", "a,b,", "-e", "name={0} run={1}".format(name, run), str(play)],
            env=region.environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True)
    wait_for(lambda: "wait_for" in log.read_text(encoding="utf-8"), every=0.2)
    with pytest.raises(Refused, match=r"process {0} .*sovereign\.region\.unlock".format(holder.pid)):
        use(admin(), "other", region=name)
    time.sleep(1.5)
    os.kill(holder.pid, 9)
    holder.wait(10)
    began = time.monotonic()
    with pytest.raises(Refused, match="others of its run still work: process"):
        use(admin(), "other", region=name, wait=1)
    found = use(admin(), "other", region=name)
    assert found["lock"]["mine"] and "taken over" in found["message"]
    assert time.monotonic() - began > 3
