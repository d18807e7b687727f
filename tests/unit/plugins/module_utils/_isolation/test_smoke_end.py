# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a pod away comes to an end, whatever hangs, and soon after a signal."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._isolation import smoke, smoke_cri
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.smoke_hosts import (
    Runtime,
    options,
)


@pytest.fixture
def runtime(tmp_path):
    (tmp_path / "root").mkdir()
    return Runtime(tmp_path / "root")


class Clock:
    """Time that goes by only while a command or a pause takes it; a command that hangs takes all that it is given."""

    def __init__(self, runtime, monkeypatch, hanging):
        self.now, self.asked, self.hanging, answer = 1000.0, [], hanging, runtime.host.run

        def run(argv, timeout, **options):
            if argv[7] not in self.hanging:
                return answer(argv, timeout, **options)
            self.asked.append(argv[7])
            self.now += timeout
            return Finished(tuple(argv), None, "", "")

        monkeypatch.setattr(runtime.host, "run", run)
        monkeypatch.setattr(smoke_cri.Cri, "now", lambda cri: self.now)
        monkeypatch.setattr(smoke_cri.Cri, "pause", lambda cri: setattr(self, "now", self.now + 1))


def torn_down(runtime, signals=None, **changes):
    """Take away a pod that runs; return what is left, and how long it took."""
    cri = smoke_cri.Cri(runtime.host, options(**changes), "/tmp")
    runtime.write("/tmp/pod.json", json.dumps(smoke_cri.pod_config("mine", "me", {})))
    runtime.do_runp(["--runtime", "kata", str(runtime.root / "tmp/pod.json")])
    began = cri.now()
    known = {"sandbox": list(runtime.pods)[0], "containers": [], "namespaces": []}
    return smoke.tear_down(runtime.host, cri, "mine", known, signals or smoke.Signals()), cri.now() - began


@pytest.mark.parametrize("hanging", [["stopp", "rmp"], ["pods"], ["stopp", "rmp", "pods"]])
@pytest.mark.parametrize("timeout", [5, 120, 600])
def test_taking_a_pod_away_ends_in_time_whatever_hangs(runtime, monkeypatch, timeout, hanging):
    clock = Clock(runtime, monkeypatch, hanging)
    left, seconds = torn_down(runtime, timeout=timeout)
    assert "gave no answer" in left["sandboxes"][0]
    assert seconds <= max(timeout, 60) + smoke_cri.RESERVE + smoke_cri.GRACE
    # What stops it takes not all of the time, so that what removes it is tried too.
    assert set(clock.asked) == ({"pods"} if "pods" in hanging else {"stopp", "rmp"})


def test_what_stops_slowly_has_its_time_and_goes(runtime, monkeypatch):
    clock = Clock(runtime, monkeypatch, ["stopp"])
    left, seconds = torn_down(runtime, timeout=120)
    assert left == {} and seconds == 120 + smoke_cri.GRACE and len(clock.asked) == 1


@pytest.mark.parametrize("when", ["before", "pods"])
def test_after_a_signal_there_is_a_minute_for_it(runtime, monkeypatch, when):
    signals = smoke.Signals()
    clock = Clock(runtime, monkeypatch, ["stopp", "rmp"])

    def note(command):
        signals.name = "SIGTERM" if command == when else signals.name

    runtime.on_call = note
    note("before")
    left, seconds = torn_down(runtime, signals, timeout=600)
    assert left["sandboxes"] and seconds <= smoke.HURRY + smoke_cri.GRACE and set(clock.asked) == {"stopp", "rmp"}


def test_a_signal_while_it_is_waited_for_processes_to_go(runtime, monkeypatch):
    """Looks go on for a minute from the signal, not from each look anew."""
    monkeypatch.setattr(smoke, "LOOKS", 1000)
    signals, runtime.stubborn = smoke.Signals(), True
    clock = Clock(runtime, monkeypatch, [])
    runtime.on_call = lambda _command: setattr(signals, "name", "SIGTERM" if clock.now > 1100 else None)
    left, seconds = torn_down(runtime, signals, timeout=600)
    assert left["processes"] and 150 < seconds <= 100 + smoke.HURRY + 2
