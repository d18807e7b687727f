# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device's side of vfio-user: answers QEMU's questions about one PCI function over a UNIX socket.

Protocol: docs/interop/vfio-user.rst of QEMU. A message is a header of 16 bytes (id, command, size with the header,
flags, errno) and a body; flags hold the kind in the low bits (0 asks, 1 replies), 0x10 for no reply wanted and 0x20 for
an error. The numbers of regions and interrupts are those of <linux/vfio.h>.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from typing import Protocol

HEADER = struct.Struct("<HHIII")
REPLY, NO_REPLY, ERROR = 0x1, 0x10, 0x20
VERSION, MAP, UNMAP, DEVICE, REGION, REGION_FDS, INTERRUPT, SET_INTERRUPTS, READ, WRITE = range(1, 11)
RESET = 13
REGIONS, INTERRUPTS, CONFIGURATION = 9, 5, 7
FLAG_RESET, FLAG_PCI = 0x1, 0x2
READABLE, WRITABLE = 0x1, 0x2
# An interrupt that can be triggered through an eventfd, masked and unmasked by itself.
INTX_FLAGS, MSI_FLAGS = 0x7, 0x9
CAPABILITIES = {"capabilities": {"max_msg_fds": 8, "max_data_xfer_size": 1048576}}


class Function(Protocol):
    """What is behind a socket."""

    def size(self, region: int) -> int: ...

    def interrupts(self, index: int) -> int: ...

    def read(self, region: int, offset: int, count: int) -> bytes: ...

    def write(self, region: int, offset: int, data: bytes) -> None: ...

    def reset(self) -> None: ...


def serve(function: Function, listener: socket.socket) -> None:
    """Answers one QEMU after the other, for ever: a machine may be powered off and on."""
    while True:
        connection, _address = listener.accept()
        with connection:
            try:
                _converse(function, connection)
            except (ConnectionError, EOFError):
                continue  # QEMU has ended, as a power loss looks from here


def _converse(function: Function, connection: socket.socket) -> None:
    while True:
        number, command, size, flags, _errno = HEADER.unpack(_receive(connection, HEADER.size))
        body = _receive(connection, size - HEADER.size)
        try:
            answer, failed = _answer(function, command, body), 0
        except (ValueError, IndexError, struct.error):
            answer, failed = b"", errno.EINVAL
        except NotImplementedError:
            answer, failed = b"", errno.ENOTSUP
        if not flags & NO_REPLY:
            kind = REPLY | (ERROR if failed else 0)
            connection.sendall(HEADER.pack(number, command, HEADER.size + len(answer), kind, failed) + answer)


def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly that many bytes. Descriptors that come along (the guest's memory) are not used: nothing does DMA."""
    data = b""
    while len(data) < size:
        part, descriptors, _flags, _address = socket.recv_fds(connection, size - len(data), 8)
        for descriptor in descriptors:
            os.close(descriptor)
        if not part:
            raise EOFError
        data += part
    return data


def _answer(function: Function, command: int, body: bytes) -> bytes:
    """The body of the reply to one question."""
    if command == VERSION:
        major, minor = struct.unpack_from("<HH", body)
        return struct.pack("<HH", major, min(minor, 1)) + json.dumps(CAPABILITIES).encode() + b"\0"
    if command == DEVICE:
        return struct.pack("<IIII", 16, FLAG_PCI | FLAG_RESET, REGIONS, INTERRUPTS)
    if command == REGION:
        index = struct.unpack_from("<III", body)[2]
        size = function.size(index)
        return struct.pack("<IIIIQQ", 32, READABLE | WRITABLE if size else 0, index, 0, size, 0)
    if command == INTERRUPT:
        index = struct.unpack_from("<III", body)[2]
        return struct.pack("<IIII", 16, MSI_FLAGS if index else INTX_FLAGS, index, function.interrupts(index))
    if command == READ:
        offset, region, count = struct.unpack_from("<QII", body)
        return struct.pack("<QII", offset, region, count) + function.read(region, offset, count)
    if command == WRITE:
        offset, region, count = struct.unpack_from("<QII", body)
        function.write(region, offset, body[16:16 + count])
        return struct.pack("<QII", offset, region, count)
    if command == UNMAP:
        return body
    if command == RESET:
        function.reset()
        return b""
    if command in (MAP, SET_INTERRUPTS):
        return b""
    raise NotImplementedError
