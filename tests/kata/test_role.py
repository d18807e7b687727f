# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on a host that is as declared, on one that is not, and what it refuses."""

from __future__ import annotations

LOOKS = {"What would be installed": "ok", "Configuration of the shims": "ok",
         "Handlers of the container runtime": "ok"}


def test_a_host_that_is_as_declared_costs_three_modules(role):
    for check in (True, False):
        done, tasks = role.run(check, kata_keep=2)
        assert done and tasks == LOOKS, role.output


def test_a_restart_has_to_be_allowed_and_a_handler_that_goes_can_come_back(role, host):
    before = host.machine.run("containerd config dump")
    fewer = role.declared()["kata_handlers"]
    fewer[1] = {"name": fewer[1]["name"], "state": "absent"}
    done, tasks = role.run(kata_handlers=fewer)
    assert not done and "allow_interruption" in role.output
    assert host.machine.run("containerd config dump") == before

    done, tasks = role.run(check=True, kata_handlers=fewer)
    assert done and tasks["Handlers of the container runtime"] == "changed", role.output
    assert host.machine.run("containerd config dump") == before
    done, tasks = role.run(kata_handlers=fewer, kata_allow_interruption=True)
    assert done and tasks["Handlers of the container runtime"] == "changed", role.output
    assert "runtimes.kata]" not in host.machine.run("containerd config dump")

    done, tasks = role.run(kata_allow_interruption=True)
    assert done, role.output
    assert host.machine.run("containerd config dump") == before


def test_what_cannot_be_right_is_said_before_the_host_is_asked(role):
    wrong = role.declared()["kata_handlers"]
    wrong[0]["snapshoter"] = "erofs"
    done, tasks = role.run(kata_handlers=wrong)
    assert not done and "the nearest is 'snapshotter'" in role.output and tasks == {}
