# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the error numbers of NVIDIA's driver say about a card. Pure.

Source: NVIDIA, "Analyzing Xid Errors with the Xid Catalog", sheet *Xids*, codes 1 to 172,
https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, compared row by row on 2026-11-21. It is about
Ampere and newer. The word behind each row is its *Resolution Bucket (Immediate Action)*; it decides the class:

- ``RESET_GPU``, ``RESTART_BM``, and the workflows of 48 and 74, both of which need a reset: the card does not work
  again without it.
- ``IGNORE`` with *Investigatory Action* ``IGNORE`` (63): a remark. Whether a row waits for a reset is asked elsewhere.
- What is about an application, a guest or another error (``RESTART_APP`` but for 94, ``RESTART_VM``, 45) says nothing
  about a card, and is not here; nor is what is unused since Ampere, such as 61 and 123.
- Every other row that is about hardware leaves the card working.
"""

from __future__ import annotations

import re

FATAL = {
    46: "the GPU stopped processing",                         # RESET_GPU
    48: "uncorrectable memory error",                         # WORKFLOW_XID_48: RESET_GPU; with 63 or 64 drain first
    62: "internal micro-controller halt",                     # RESET_GPU
    64: "a row could not be remapped, or a page not be retired",  # RESET_GPU
    74: "NVLink error",                                       # WORKFLOW_NVLINK_ERR: a reset or reboot is needed
    79: "the GPU has fallen off the bus",                     # RESTART_BM
    95: "uncontained memory error",                           # RESET_GPU
    109: "timeout while switching contexts",                  # RESET_GPU
    110: "security fault",                                    # RESET_GPU
    119: "the GSP does not answer",                           # RESET_GPU
    120: "error in the GSP",                                  # RESET_GPU
    136: "an NVLink could not be trained",                    # RESET_GPU
    140: "unrecovered ECC error",                             # RESET_GPU
    143: "the GPU did not start",                             # RESET_GPU
    155: "an NVLink was taken down on purpose",               # RESET_GPU
    156: "a faulty part is replaced by a spare one at the next reset",  # RESET_GPU
    158: "fatal timeout of the GPU",                          # RESET_GPU
}
WARNING = {
    54: "no auxiliary power",                                 # CHECK_MECHANICALS
    92: "many corrected memory errors",                       # IGNORE; contact support
    93: "the InfoROM is not written any more",                # IGNORE; contact support
    94: "contained memory error",                             # RESTART_APP; reset when convenient
    121: "corrected errors on the C2C link",                  # IGNORE; contact support
    157: "no spare part is left for a faulty one",            # IGNORE; contact support
    160: "a memory channel is retired",                       # IGNORE; investigate
    161: "a memory channel could not be retired",             # IGNORE; investigate
    164: "the circuitry for power smoothing is nearly worn out",  # no bucket
    165: "the circuitry for power smoothing is worn out",     # no bucket
    167: "fatal timeout on PCIe",                             # no bucket
    168: "errors in protected memory, which is smaller now",  # no bucket
    169: "internal micro-controller halt",                    # no bucket
    171: "uncorrectable error in DRAM",                       # no bucket; comes with 48
    172: "uncorrectable error in SRAM",                       # no bucket; comes with 48
}
REMARK = {
    63: "a row is remapped, or a page retired",               # IGNORE
}
# 144 to 150 are decoded by unit; the message says which way it goes: "149, NETIR_LINK_EVT Fatal XC0 i0 Link 08 (…)".
_NVLINK5 = range(144, 151)
_FATAL = re.compile(r"\bFatal\b")


def classify(xid):
    """Return (class, part of a sentence) of one XID: ``FATAL``, ``WARNING``, ``REMARK`` or None, and None.

    Args:
        xid: dict with ``xid`` and ``message``.
    """
    number = xid.get("xid")
    if number in _NVLINK5:
        return "FATAL" if _FATAL.search(xid.get("message") or "") else "WARNING", "NVLink error"
    for name, table in (("FATAL", FATAL), ("WARNING", WARNING), ("REMARK", REMARK)):
        if number in table:
            return name, table[number]
    return None, None
