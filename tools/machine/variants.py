# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of machines: what one has that another need not pay for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """packages: of Debian, beside those that every guest has. processor: QEMU's name of it under TCG.

    memory_mib: of the machine. nested: whether its guest runs virtual machines of its own. It is then run by TCG
    everywhere, which emulates AMD's SVM on every host: KVM hands virtualization on only where its owner allowed that.
    """

    name: str
    packages: tuple[str, ...] = ()
    memory_mib: int = 1024
    processor: str = "Haswell-noTSX"
    nested: bool = False


STANDARD = "standard"
KATA = "kata"
VARIANTS = {one.name: one for one in (
    Variant(STANDARD),
    Variant(KATA, ("containerd", "runc", "qemu-system-x86", "virtiofsd", "containernetworking-plugins",
                   "busybox-static"), 2048, "EPYC,+svm,+npt", True),
)}
