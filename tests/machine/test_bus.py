# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine's bus is made of, without a machine: places, configuration spaces, and the protocol between."""

from __future__ import annotations

import json
import socket
import struct
import threading

import pytest
from machine import devices, identity, vfio_user


def test_places_follow_the_order_in_which_firmware_numbers_buses():
    slots = devices.place(devices.parse("h200,igb+nvme,mi300x"))
    assert [(slot.name, slot.address) for slot in slots] == [
        ("h200", "0000:01:00.0"), ("igb", "0000:04:00.0"), ("nvme", "0000:05:00.0"), ("mi300x", "0000:06:00.0")]


def test_an_unknown_device_is_named_with_those_that_there_are():
    with pytest.raises(devices.UnknownDevice, match="no device 'h300'; there are h200, mi300x"):
        devices.parse("h200,h300")


IDENTITIES = [one for card in devices.CARDS.values() for one in card]


@pytest.mark.parametrize("one", IDENTITIES, ids=lambda one: f"{one.vendor:04x}:{one.device:04x}")
def test_a_configuration_space_has_its_ids_and_a_chain_of_capabilities_that_ends(one):
    space = one.configuration()
    assert struct.unpack_from("<HH", space) == (one.vendor, one.device)
    assert struct.unpack_from("<I", space, 8)[0] == one.kind << 8 | one.revision
    found, at = [], space[0x34]
    while at:
        found.append(space[at])
        at = space[at + 1]
    assert found == [0x01, 0x05, 0x10]
    assert all(size & size - 1 == 0 for size, _large in one.bars.values())


def test_what_is_written_is_forgotten_by_a_reset_and_ids_cannot_be_written():
    device = identity.Device(devices.H200)
    device.write(7, 0, b"\xff\xff")
    device.write(7, 4, b"\x06\x00")
    device.write(0, 0x1000, b"\x01\x02\x03\x04")
    assert device.read(7, 0, 6)[:2] == b"\xde\x10" and device.read(7, 4, 2) == b"\x06\x00"
    assert device.read(0, 0x1000, 4) == b"\x01\x02\x03\x04"
    device.reset()
    assert device.read(7, 4, 2) == b"\x00\x00" and device.read(0, 0x1000, 4) == bytes(4)
    assert device.read(0, 0, 4) == struct.pack("<I", 0x180000A1)


def test_registers_of_other_functions_do_not_keep_what_is_written():
    device = identity.Device(devices.H200_AUDIO)
    device.write(0, 0x58, b"\x00\x80")
    assert device.read(0, 0x58, 2) == bytes(2)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Asks a served H200 as QEMU does; returns the errno and the body."""
    monkeypatch.chdir(tmp_path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("function")
    listener.listen()
    served = identity.Device(devices.H200)
    threading.Thread(target=vfio_user.serve, args=(served, listener), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect("function")

        def question(command, body=b""):
            client.sendall(vfio_user.HEADER.pack(7, command, 16 + len(body), 0, 0) + body)
            number, answered, size, flags, failed = vfio_user.HEADER.unpack(client.recv(16, socket.MSG_WAITALL))
            assert (number, answered, flags & 1) == (7, command, 1)
            return failed, client.recv(size - 16, socket.MSG_WAITALL) if size > 16 else b""

        yield question


def test_the_protocol_answers_what_qemu_asks(ask):
    failed, body = ask(vfio_user.VERSION, struct.pack("<HH", 0, 1) + b"{}\0")
    assert failed == 0 and json.loads(body[4:-1])["capabilities"]["max_msg_fds"] == 8
    assert struct.unpack("<IIII", ask(vfio_user.DEVICE, bytes(16))[1]) == (16, 3, 9, 5)
    region = struct.unpack("<IIIIQQ", ask(vfio_user.REGION, struct.pack("<IIIIQQ", 32, 0, 1, 0, 0, 0))[1])
    assert region == (32, 3, 1, 0, 256 << 20, 0)
    failed, body = ask(vfio_user.READ, struct.pack("<QII", 0, 7, 4))
    assert failed == 0 and body[16:] == b"\xde\x10\x35\x23"


def test_nonsense_is_answered_by_an_error_and_the_next_question_is_heard(ask):
    assert ask(vfio_user.READ, struct.pack("<QII", 1 << 40, 0, 4))[0] == 22
    assert ask(vfio_user.READ, b"short")[0] == 22
    assert ask(99)[0] == 95
    assert ask(vfio_user.RESET) == (0, b"")
