# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that moves PCI functions: its order, that it converges from everywhere, and what it never touches."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import binding
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, words
from ansible_collections.sovereign.region.plugins.module_utils._hardware import groups
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.bus_model import (
    OVERRIDE_FILE,
    Bus,
    Function,
    card,
    declared,
    shipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

TOUCHING = ("driver override", "PCI function", "native driver")
NATIVE = {"0403": "snd_hda_intel", "0c03": "xhci_hcd", "0302": "nvidia", "0200": "igb", "0604": "pcieport"}


def said(plan):
    return ["{0} {1} {2}".format(one.verb, one.kind, one.name) for one in plan]


def run(bus, asked):
    plan = binding.decide(asked, bus.facts())
    for action in plan:
        bus.do(action)
    return plan


def test_a_card_goes_to_vfio_as_a_whole_and_in_order():
    bus = Bus(card())
    plan = binding.decide(declared(("0000:41:00.0", "vfio")), bus.facts())
    assert said(plan) == [
        "load kernel module vfio_pci",
        "create file /etc/sovereign-region/pci-driver.sh",
        "create file /etc/systemd/system/sovereign-region-pci-driver.service",
        "create file /etc/udev/rules.d/05-sovereign-region-pci-driver.rules",
        "create file /etc/systemd/system/sysinit.target.d/50-sovereign-region-pci-driver.conf",
        "set driver override 0000:41:00.0",
        "set driver override 0000:41:00.1",
        "unbind PCI function 0000:41:00.0",
        "unbind PCI function 0000:41:00.1",
        "bind PCI function 0000:41:00.0",
        "bind PCI function 0000:41:00.1",
        "create driverctl file /etc/driverctl.d/pci-0000:41:00.0",
        "create driverctl file /etc/driverctl.d/pci-0000:41:00.1",
    ]
    assert [one.interrupts for one in plan if one.interrupts] == [
        "nvidia loses 0000:41:00.0", "snd_hda_intel loses 0000:41:00.1"]
    assert words.plan_lines([one.as_dict() for one in plan], "x")[0].endswith("2 interrupt work")


def test_a_group_is_finished_before_the_next_is_begun():
    bus = Bus(card() + card("0000:61:00", 2), loaded=("nvidia", "snd_hda_intel", "vfio-pci"), driverctl=True)
    plan = run(bus, declared(("0000:61:00.0", "vfio"), ("0000:41:00.0", "vfio")))
    slots = [one.name.rpartition("pci-")[2][:10] for one in plan]
    assert slots == ["0000:61:00"] * 8 + ["0000:41:00"] * 8


def test_with_driverctl_only_its_own_files_are_written():
    bus = Bus(card(), driverctl=True)
    assert "create file" not in " ".join(said(run(bus, declared(("0000:41:00.0", "vfio")))))
    assert bus.overrides == {"0000:41:00.0": "vfio-pci", "0000:41:00.1": "vfio-pci"}


def test_it_is_given_back_and_every_file_goes_with_the_last_card():
    bus = Bus(card() + card("0000:61:00", 2))
    run(bus, declared(("0000:41:00.0", "vfio"), ("0000:61:00.0", "vfio")))
    assert bus.files == shipped()
    assert "delete file" not in " ".join(said(run(bus, declared(("0000:41:00.0", "default")))))
    plan = run(bus, declared(("0000:61:00.0", "default")))
    assert said(plan)[:6] == [
        "set driver override 0000:61:00.0", "set driver override 0000:61:00.1",
        "unbind PCI function 0000:61:00.0", "unbind PCI function 0000:61:00.1",
        "load native driver 0000:61:00.0", "bind PCI function 0000:61:00.0"]
    assert plan[5].after == {"driver": "default"}
    assert (bus.overrides, bus.files, bus.releases) == ({}, {}, set())
    assert bus.functions["0000:61:00.1"].driver == "snd_hda_intel"


def test_a_function_that_its_native_driver_refuses_is_given_back_all_the_same():
    bus = Bus(card(stubborn=True, driver="vfio-pci", override="vfio-pci"))
    asked = declared(("0000:41:00.0", "default"))
    assert "create pending release 0000:41:00.0" in said(run(bus, asked))
    assert (bus.functions["0000:41:00.0"].driver, bus.releases) == (None, set())
    assert binding.decide(asked, bus.facts()) == []


def test_a_release_that_was_begun_is_noted_once():
    bus = Bus([Function("0000:41:00.0", driver="vfio-pci", override="vfio-pci")])
    asked = declared(("0000:41:00.0", "default"))
    for action in binding.decide(asked, bus.facts())[:3]:
        bus.do(action)
    assert said(run(bus, asked)) == ["load native driver 0000:41:00.0", "bind PCI function 0000:41:00.0",
                                     "delete pending release 0000:41:00.0"]


def test_without_persistence_a_release_is_for_now_only():
    bus = Bus(card())
    run(bus, declared(("0000:41:00.0", "vfio")))
    run(bus, declared(("0000:41:00.0", "default"), persistent=False))
    assert bus.overrides == {"0000:41:00.0": "vfio-pci", "0000:41:00.1": "vfio-pci"}
    bus.reboot()
    assert bus.functions["0000:41:00.0"].driver == "vfio-pci"


def test_without_persistence_the_file_of_an_earlier_run_goes():
    bus = Bus(card())
    run(bus, declared(("0000:41:00.0", "vfio")))
    assert said(run(bus, declared(("0000:41:00.0", "vfio"), persistent=False)))[:2] == [
        "delete driverctl file " + OVERRIDE_FILE, "delete driverctl file " + OVERRIDE_FILE[:-1] + "1"]
    assert (bus.overrides, bus.files) == ({}, {})


def test_a_named_native_driver_takes_the_card_and_its_audio_goes_home():
    bus = Bus(card(driver="vfio-pci", override="vfio-pci"), loaded=("vfio-pci", "nvidia", "nouveau", "snd_hda_intel"))
    bus.functions["0000:41:00.1"].driver = bus.functions["0000:41:00.1"].override = "vfio-pci"
    run(bus, declared(("0000:41:00.0", "nouveau")))
    assert [one.driver for one in bus.functions.values()] == ["nouveau", "snd_hda_intel"]
    assert bus.overrides == {"0000:41:00.0": "nouveau"}


def test_the_best_vfio_driver_of_the_facts_is_taken():
    grace = Function("0009:01:00.0", extra={"vfio_driver": "nvgrace_gpu_vfio_pci"})
    bus = Bus([grace], modules=("nvgrace_gpu_vfio_pci",))
    assert said(run(bus, declared(("0009:01:00.0", "vfio"))))[:2] == [
        "set driver override 0009:01:00.0", "load kernel module nvgrace_gpu_vfio_pci"]
    assert bus.functions["0009:01:00.0"].driver == "nvgrace_gpu_vfio_pci"


def test_an_unbound_function_interrupts_nothing():
    plan = binding.decide(declared(("0000:41:00.0", "vfio")), Bus([Function("0000:41:00.0")]).facts())
    assert not [one for one in plan if one.interrupts or one.verb == "unbind"]


def test_a_function_in_use_on_the_right_driver_is_only_persisted():
    bus = Bus(card(driver="vfio-pci", held=True), loaded=("vfio-pci",))
    bus.functions["0000:41:00.1"].driver = "vfio-pci"
    asked = declared(("0000:41:00.0", "vfio"))
    assert {one.kind for one in run(bus, asked)} == {"file", "driverctl file"}
    assert binding.decide(asked, bus.facts()) == []
    bus.functions["0000:41:00.0"].held = False
    assert said(run(bus, asked)) == ["set driver override 0000:41:00.0", "set driver override 0000:41:00.1"]


def test_a_sibling_of_which_the_facts_know_only_the_group_is_no_difference():
    bus = Bus(card())
    asked = declared(("0000:41:00.0", "vfio"))
    run(bus, asked)
    observed = dict(bus.facts(), others=[])
    assert binding.decide(asked, observed) == []
    assert [row["role"] for row in binding.describe(asked, observed)["devices"]] == ["gpu", "audio"]


def test_addresses_may_be_written_as_nvidia_smi_prints_them():
    bus = Bus(card("0000:c8:00"))
    assert run(bus, declared(("00000000:C8:00.0", "vfio")))
    assert bus.functions["0000:c8:00.0"].driver == "vfio-pci"


@st.composite
def hosts(draw):
    """A host in any state, even one that no run leaves, and a declaration for it."""
    functions, slot = [], 0
    for number in range(draw(st.integers(1, 3))):
        for _again in range(draw(st.sampled_from([1, 1, 1, 2]))):
            slot += 1
            classes = ["0302"] + draw(st.lists(st.sampled_from(["0403", "0c03"]), max_size=2, unique=True))
            functions += [(slot, index, name, number) for index, name in enumerate(classes)]
        for name in draw(st.lists(st.sampled_from(["0200", "0604"]), max_size=1)):
            slot += 1
            functions.append((slot, 0, name, number))
    rows, overrides = [], {}
    holding = draw(st.sampled_from([False, False, True]))
    for place, index, name, number in functions:
        address = "0000:{0:02x}:00.{1}".format(place, index)
        on = draw(st.sampled_from([NATIVE[name], NATIVE[name], "vfio-pci", None])) if name != "0604" else "pcieport"
        rows.append(Function(
            address, name, "10de", "2335", NATIVE[name], on, None, number, stubborn=draw(st.integers(0, 5)) == 0,
            held=holding and on is not None and draw(st.integers(0, 3)) == 0))
        if on == "vfio-pci" or name != "0604":
            rows[-1].override = draw(st.sampled_from([None, None, "vfio-pci"]))
        if draw(st.integers(0, 3)) == 0 and name != "0604":
            overrides[address] = "vfio-pci"
    loaded = {one.driver for one in rows if one.driver} | set(draw(st.lists(st.sampled_from(sorted(NATIVE.values())))))
    bus = Bus(rows, loaded, ("vfio-pci",) + tuple(NATIVE.values()), overrides, draw(st.booleans()))
    bus.files = shipped() if draw(st.booleans()) else {}
    choice = st.tuples(st.sampled_from(rows).map(lambda one: one.address),
                       st.sampled_from(["vfio", "vfio", "default", "vfio-pci", "native"]))
    pairs = [(address, NATIVE[bus.functions[address].pci_class] if driver == "native" else driver)
             for address, driver in draw(st.lists(choice, min_size=1, max_size=4, unique_by=lambda one: one[0]))]
    return bus, declared(*pairs, siblings=draw(st.integers(0, 4)) > 0, persistent=draw(st.integers(0, 3)) > 0)


def decided(bus, asked):
    try:
        return binding.decide(asked, bus.facts())
    except (errors.Refused, errors.DeclarationError):
        return None


def finish(bus, asked):
    """Carry out what is left; a stubborn native driver that was named stops it, and it says so."""
    for action in decided(bus, asked):
        bus.do(action)
    return bus


@settings(max_examples=300, deadline=None)
@given(hosts())
def test_what_is_planned_converges_and_touches_nothing_else(situation):
    bus, asked = situation
    plan = decided(bus, asked)
    if plan is None:
        return
    named = {item["address"] for item in asked["devices"]}
    cards = {address[:-1] for address in named}
    held = {one.group for one in bus.functions.values() if one.held}
    for action in plan:
        if action.kind in TOUCHING:
            assert action.name in named or asked["siblings"] and action.name[:-1] in cards
            moved = bus.functions[action.name]
            assert moved.group not in held or action.kind == "driver override" and not moved.held
    before = bus.copy()
    try:
        finish(bus, asked)
    except errors.HostError:
        assert any(one.stubborn for one in bus.functions.values())
        return
    assert decided(bus, asked) == [], "a second run changes nothing"
    for item in asked["devices"]:
        one, driver = bus.functions[item["address"]], item["driver"]
        if driver == "default":
            assert not groups.is_vfio(one.driver) and (one.override is None or one.held)
            assert one.driver or one.stubborn or before.functions[one.address].driver is None
            assert not asked["persistent"] or one.address not in bus.overrides
        else:
            wanted = "vfio-pci" if driver == "vfio" else driver
            assert one.driver == wanted and (one.override == wanted or one.group in held)
            assert bus.overrides.get(one.address) == (wanted if asked["persistent"] else None)
    for one in bus.functions.values():
        if one.address not in named and one.address[:-1] not in cards and before.functions[one.address].driver:
            assert one.driver == before.functions[one.address].driver


@settings(max_examples=200, deadline=None)
@given(hosts())
def test_the_controller_plans_the_same_without_looking_at_siblings(situation):
    bus, asked = situation
    plan = decided(bus, asked)
    if plan is None or any(one.held for one in bus.functions.values()):
        return
    observed = bus.facts()
    named = {item["address"] for item in asked["devices"]}
    observed["others"] = [row for row in observed["others"] if row["address"] in named]
    assert [one.as_dict() for one in binding.decide(asked, observed)] == [one.as_dict() for one in plan]


@settings(max_examples=200, deadline=None)
@given(hosts(), st.data())
def test_a_run_that_was_killed_is_continued(situation, data):
    bus, asked = situation
    plan = decided(bus, asked)
    if not plan:
        return
    killed = bus.copy()
    try:
        finish(bus, asked)
    except errors.HostError:
        return
    for action in plan[:data.draw(st.integers(0, len(plan)))]:
        killed.do(action)
    assert finish(killed, asked).state() == bus.state()


@settings(max_examples=200, deadline=None)
@given(hosts(), st.data())
def test_after_a_power_cut_the_next_run_converges(situation, data):
    bus, asked = situation
    plan = decided(bus, asked)
    if not plan or any(one.stubborn or one.held for one in bus.functions.values()):
        return
    for action in plan[:data.draw(st.integers(0, len(plan)))]:
        bus.do(action)
    bus.reboot()
    # A sibling that the boot brought to another driver than before may speak against it: then that is said.
    if decided(bus, asked) is not None:
        finish(bus, asked)
        assert decided(bus, asked) == []


@pytest.mark.parametrize("cut", range(14))
def test_a_power_cut_in_the_middle_of_handing_out_a_card(cut):
    bus, asked = Bus(card()), declared(("0000:41:00.0", "vfio"))
    for action in binding.decide(asked, bus.facts())[:cut]:
        bus.do(action)
    bus.reboot()
    finish(bus, asked)
    assert [one.driver for one in bus.functions.values()] == ["vfio-pci", "vfio-pci"]
    bus.reboot()
    assert binding.decide(asked, bus.facts()) == []
