# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one simulated host: what is volatile, what outlives a reboot, and the errors of its kernel."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from .catalogue import GPUS
from .files import Files


class Blocked(Exception):
    """A system call that waits in the kernel until ``waits_for`` (words) is over: the caller is in state D."""

    def __init__(self, waits_for):
        super().__init__(waits_for)
        self.waits_for = waits_for


def refuse(number, words=""):
    """The OSError of a refusal, as the kernel answers it."""
    return OSError(number, words or os.strerror(number))


INVALID, MISSING, BUSY = errno.EINVAL, errno.ENODEV, errno.EBUSY


@dataclass
class Device:
    """A PCI function that is on the bus now."""

    about: object
    driver: str | None = None
    override: str | None = None
    num_vfs: int = 0
    autoprobe: bool = True
    vfs: list = field(default_factory=list)
    pf: str | None = None
    index: int | None = None
    reset_methods: list = field(default_factory=list)
    # An operation that waits in the kernel with the device's lock held, in words.
    pending: str | None = None
    # Answers nothing but 0xff until the host's next reboot.
    dead: bool = False
    vgpu_type: int = 0

    @property
    def address(self):
        """Of the function."""
        return self.about.address

    @property
    def is_vf(self):
        """Whether it is a virtual function."""
        return self.pf is not None


@dataclass
class Instance:
    """A GPU instance of MIG: its id, profile, start on the memory axis, its compute instances (ids)."""

    number: int
    profile: object
    start: int
    compute: list = field(default_factory=list)
    # VFs that have a vGPU on it.
    used: list = field(default_factory=list)


@dataclass
class Gpu:
    """What belongs to a card and not to the bus. ``kept`` says which of it outlives a reboot."""

    model: str
    index: int
    mig: bool = False
    mig_pending: bool = False
    instances: list = field(default_factory=list)
    heterogeneous: bool = False
    persistence: bool = False
    unbind_lock: bool = False
    cc: str = "off"
    ppcie: str = "off"
    cc_pending: str | None = None
    ppcie_pending: str | None = None
    compute: str = "SPX"
    memory: str = "NPS1"
    memory_pending: str | None = None
    ecc_uncorrected: int = 0
    remapped: dict = field(default_factory=lambda: {"corr": 0, "unc": 0, "pending": "No", "failure": "No"})
    recovery: str = "None"
    kept = ("mig_pending", "cc", "ppcie", "cc_pending", "ppcie_pending", "memory_pending", "memory",
            "ecc_uncorrected", "remapped")

    @property
    def about(self):
        """Its row in the catalogue."""
        return GPUS[self.model]

    @property
    def uuid(self):
        """Made up from its index, as the captures mask theirs."""
        return f"GPU-{self.index:08x}-0000-0000-0000-{self.index:012x}"


@dataclass
class Mdev:
    """A mediated device."""

    uuid: str
    parent: str
    kind: str
    group: int


@dataclass
class Process:
    """A simulated process: what it has open, by file descriptor."""

    pid: int
    command: str
    arguments: list
    files: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One line of the log of changes.

    Attributes:
        number: counted from 1; every change of the host counts, also one that was refused.
        what: ``write``, ``run``, ``create``, ``rename``, ``unlink``, ``mkdir``, ``rmdir``, ``symlink``, ``truncate``,
            ``chmod``, ``reboot``.
        path: of the file, or the command line.
        data: text that was written; for a rename where to.
        error: errno, 0 when it was taken, None while it waits in the kernel.
        pid: who did it, 0 inside the simulator.
    """

    number: int
    what: str
    path: str
    data: str = ""
    error: int | None = 0
    pid: int = 0


@dataclass
class State:
    """Everything about a host."""

    description: object
    files: Files
    devices: dict = field(default_factory=dict)
    removed: dict = field(default_factory=dict)
    gpus: dict = field(default_factory=dict)
    mdevs: dict = field(default_factory=dict)
    modules: dict = field(default_factory=dict)
    drivers: list = field(default_factory=list)
    new_ids: dict = field(default_factory=dict)
    drivers_autoprobe: bool = True
    processes: dict = field(default_factory=dict)
    nodes: dict = field(default_factory=dict)
    kmsg: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    boots: int = 0
    booted: bool = False
    # Reads of driver_override and sriov_numvfs take the device's lock, as they do in kernels before 6.19.
    locked_reads: bool = False
    next_pid: int = 4000
    next_group: int = 200
    # Command lines that udev's rules want run, by whoever drives the host.
    events: list = field(default_factory=list)
    # What udev does when a function appears: function of (state, address).
    on_add: object = lambda state, address: None

    def say(self, text, level=4):
        """Add a line to the kernel's log."""
        self.kmsg.append((level, text))

    @property
    def iommu(self):
        """Whether the IOMMU is on: by default of the firmware and kernel, or by the command line."""
        about, words = self.description, self.arguments
        if about.iommu == "none" or "iommu=off" in words or f"{about.iommu}_iommu=off" in words:
            return False
        return about.iommu_default or f"{about.iommu}_iommu=on" in words

    def device(self, text):
        """The device of an address as it is written to a file, one trailing newline allowed. Refuses with ENODEV."""
        found = self.devices.get(text[:-1] if text.endswith("\n") else text)
        if found is None:
            raise refuse(MISSING)
        return found

    def gpu(self, address):
        """The card of a PF or of one of its VFs, or None."""
        device = self.devices.get(address)
        return self.gpus.get((device.pf or address) if device else address)

    def group(self, device):
        """The number of its IOMMU group, or None when there are none."""
        return device.about.group if self.iommu else None

    def members(self, group):
        """The devices of an IOMMU group, in order of address."""
        return [one for _, one in sorted(self.devices.items()) if group is not None and self.group(one) == group]
