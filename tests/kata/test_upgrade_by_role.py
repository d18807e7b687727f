# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade, the way back and the end of a release, as an operator declares them to the role."""

from __future__ import annotations

from kata_host import RELEASES


def names(host):
    return sorted(one for one in host.machine.run(f"ls {RELEASES}").split() if one[0].isdigit())


def test_to_the_next_release_and_back_and_the_next_one_goes(role, host):
    old, new = (host.directory(one).rpartition("/")[2] for one in ("static", "static-next"))
    both = names(host)
    assert old in both and new not in both
    upgraded = dict(role.declared("static-next", "go-static"), kata_keep=2, kata_allow_interruption=True)

    done, tasks = role.run(check=True, **upgraded)
    assert done and tasks["What would be installed"] == "changed" and names(host) == both, role.output
    done, tasks = role.run(**upgraded)
    assert done and tasks["What this host can run"] == "ok", role.output
    assert host.machine.run(f"readlink {RELEASES}/current-static {RELEASES}/previous-static").split() == [new, old]
    assert f"{RELEASES}/{new}/" in host.machine.run("containerd config dump")
    assert names(host) == sorted([*both, new]), "the previous one stays"
    done, tasks = role.run(**upgraded)
    assert done and set(tasks.values()) == {"ok"} and len(tasks) == 3, role.output

    back = dict(role.declared("static", "go-static"), kata_allow_interruption=True)
    done, tasks = role.run(**back)
    assert done and f"{RELEASES}/{new}/" not in host.machine.run("containerd config dump"), role.output
    back["kata_releases"].append(dict(host.release("static-next"), state="absent"))
    done, tasks = role.run(**back)
    assert done and names(host) == both, role.output
    done, tasks = role.run(**back)
    assert done and set(tasks.values()) == {"ok"}, role.output
