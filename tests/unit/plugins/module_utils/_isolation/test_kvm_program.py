# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the child: what it makes for the guest, and what it says of nodes that are no KVM."""

from __future__ import annotations

import ast
import inspect
import json
import os
import struct
import subprocess
import sys

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kvm_program
from hypothesis import given
from hypothesis import strategies as st

STEPS = ("popcnt", "bmi2", "avx2")
# All that is_offered looks at, of leaves 1, 7 and 0xd.
ALL = [(1, 0, 0, 0, 0, 1 << 23 | 1 << 26 | 1 << 28, 0), (7, 0, 1, 0, 1 << 8 | 1 << 5, 0, 0), (0xD, 0, 1, 7, 0, 0, 0)]


def physical(memory, address):
    """Walk the guest's page tables as a processor does."""
    table = kvm_program._PML4
    for shift in (39, 30, 21, 12):
        entry = struct.unpack_from("<Q", memory, table + 8 * (address >> shift & 511))[0]
        assert entry & 1, f"{address:#x} is not mapped"
        table = entry & ~0xFFF
    return table | address & 0xFFF


def child(path, depth="run"):
    """Run the program as kvm_probe does, and return its answers."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", inspect.getsource(kvm_program), str(path), depth, "30"],
                          capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@given(st.sets(st.sampled_from(STEPS)))
def test_each_step_has_a_bit_of_its_own(steps):
    memory, expected = kvm_program.image(steps)
    assert expected == 15 + sum({"popcnt": 16, "bmi2": 32, "avx2": 64}[name] for name in steps)
    # shlx eax, eax, ecx: what a kernel that unpacks itself trips over where KVM only emulates.
    assert (bytes.fromhex("c4e271f7c0") in memory) == ("bmi2" in steps)


def test_both_mappings_lead_to_one_page():
    memory, _expected = kvm_program.image(STEPS)
    for address in (0, 0x8000, 0x9000, 0x1FFFFF):
        assert physical(memory, address) == address
        assert physical(memory, 0x40000000 + address) == address


def test_the_exception_leads_to_its_handler():
    memory, _expected = kvm_program.image(STEPS)
    low, selector, _stack, kind, middle, high, _rest = struct.unpack_from("<HHBBHIL", memory, kvm_program._IDT + 96)
    handler = low | middle << 16 | high << 32
    assert (selector, kind) == (8, 0x8E)
    assert memory[handler:handler + 3] == bytes.fromhex("83c304")
    assert memory[handler - 1:handler] == b"\xf4"


def test_the_special_registers_are_those_of_64_bit_mode():
    given_by_kvm = bytearray(range(256)) + bytearray(56)
    made = kvm_program.special(given_by_kvm)
    assert len(made) == 312
    assert struct.unpack_from("<6Q", made, 224) == (0x80050033, 0, 0x1000, 0x620, 0, 0x500)
    # The interrupts and the base of the APIC stay as KVM gave them.
    assert made[272:] == given_by_kvm[272:]


@given(st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 7), max_size=8))
def test_any_table_of_cpuid_is_read(entries):
    assert set(kvm_program.offered(entries)) <= set(STEPS)


@pytest.mark.parametrize("entries, expected", [
    (ALL, ["popcnt", "bmi2", "avx2"]),
    ([], []),
    # Without the operating system's part of AVX in XCR0 its instructions are no use.
    (ALL[:2], ["popcnt", "bmi2"]),
    (ALL[:1] + ALL[2:], ["popcnt"]),
])
def test_the_guest_gets_what_its_processor_has(entries, expected):
    assert kvm_program.offered(entries) == expected


def exited(reason, content=b""):
    """struct kvm_run with what an exit leaves there."""
    shared = bytearray(4096)
    struct.pack_into("<I", shared, 8, reason)
    shared[32:32 + len(content)] = content
    return bytes(shared)


def port(value, number=0x5E, size=4, direction=1):
    """struct kvm_run of a write to a port."""
    shared = bytearray(exited(2, struct.pack("<BBHIQ", direction, size, number, 1, 2048)))
    struct.pack_into("<I", shared, 2048, value)
    return bytes(shared)


@pytest.mark.parametrize("shared, expected", [
    (port(127), {"exit": "io", "ok": True, "value": 127, "expected": 127}),
    (port(126), {"exit": "io", "ok": False, "value": 126, "expected": 127}),
    (port(127, number=0x80), {"exit": "io", "ok": False, "value": 127, "expected": 127}),
    (port(127, direction=0), {"exit": "io", "ok": False, "value": 127, "expected": 127}),
    (exited(5), {"exit": "hlt", "ok": False}),
    (exited(8), {"exit": "shutdown (triple fault)", "ok": False}),
    (exited(9, struct.pack("<Q", 0x80000021)), {"exit": "fail_entry", "ok": False,
                                                "detail": "hardware reason 0x80000021"}),
    (exited(17, struct.pack("<I", 1)), {"exit": "internal_error", "ok": False,
                                        "detail": "an instruction could not be emulated"}),
    (exited(17, struct.pack("<I", 77)), {"exit": "internal_error", "ok": False, "detail": "suberror 77"}),
    (exited(999), {"exit": "number 999", "ok": False}),
])
def test_an_exit_is_judged(shared, expected):
    assert kvm_program._judged(struct.unpack_from("<I", shared, 8)[0], shared, 127) == expected


def test_what_is_not_there_cannot_be_opened(tmp_path):
    assert child(tmp_path / "nothing") == [{"ok": False, "errno": "ENOENT", "words": "No such file or directory",
                                            "level": "openable", "step": "open"}]


def test_what_is_no_kvm_does_not_answer(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    answers = child(tmp_path / "file")
    assert [(one["level"], one["errno"], one["step"]) for one in answers] == [
        ("openable", "ENOTTY", "KVM_GET_API_VERSION")]


def test_a_fifo_does_not_hold_it_up(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert child(tmp_path / "fifo")[-1]["ok"] is False


def test_it_ends_itself_when_nobody_else_does():
    source = inspect.getsource(kvm_program).replace("    ask(arguments[0], arguments[1], say)",
                                                    "    import time\n    time.sleep(60)")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", source, "/nothing", "run", "0.2"], timeout=30, check=False)
    assert done.returncode == -14


def test_it_needs_nothing_of_this_collection():
    nodes = ast.walk(ast.parse(inspect.getsource(kvm_program)))
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
