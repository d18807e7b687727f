# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the kernel about an IOMMU group through VFIO's own interface. Runs in the guest, with nothing but Python.

    vfio_group.py status GROUP…          prints {group: viable}: whether the kernel would hand it to a user
    vfio_group.py hold GROUP ADDRESS     opens the device as a hypervisor does and holds it until standard input ends

Numbers are those of <linux/vfio.h>: requests are _IO(';', 100 + n).
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import struct
import sys

SET_IOMMU, GROUP_STATUS, GROUP_SET_CONTAINER, GROUP_DEVICE = (ord(";") << 8 | 100 + n for n in (2, 3, 4, 6))
VIABLE, TYPE1 = 0x1, 1


def status(number: str) -> bool:
    """Whether the group is viable: every device of it is on a VFIO driver, on none, or a bridge that does no DMA."""
    group = os.open("/dev/vfio/" + number, os.O_RDWR)
    answer = array.array("I", (8, 0))
    fcntl.ioctl(group, GROUP_STATUS, answer)
    os.close(group)
    return bool(answer[1] & VIABLE)


def hold(number: str, address: str) -> int:
    """Opens the device; returns its descriptor, which keeps it in use."""
    group = os.open("/dev/vfio/" + number, os.O_RDWR)
    container = os.open("/dev/vfio/vfio", os.O_RDWR)
    fcntl.ioctl(group, GROUP_SET_CONTAINER, struct.pack("i", container))
    fcntl.ioctl(container, SET_IOMMU, TYPE1)
    return fcntl.ioctl(group, GROUP_DEVICE, array.array("b", address.encode() + b"\0"))


def main() -> None:
    """The command line described above."""
    if sys.argv[1] == "status":
        print(json.dumps({number: status(number) for number in sys.argv[2:]}))
    else:
        hold(sys.argv[2], sys.argv[3])
        print("held", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
