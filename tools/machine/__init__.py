# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with a real kernel for tests: QEMU, Debian trixie, and GPUs' identities on a real PCI bus without a GPU.

Read in this order: devices (what can be on the bus), vfio_user (how an identity answers), qemu (the command line),
keeper (who keeps a machine alive, and not for too long), control (what tests call), image (what a machine boots).
"""

from __future__ import annotations
