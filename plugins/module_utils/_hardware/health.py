# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a device is fit to be handed out, judged from facts alone: no I/O, no clock.

The driver's own judgement (``gpu_recovery_action``) comes first: it knows which of the errors in the log a reset has
cured. Without it, an error that only a reset cures counts as not cured.
"""

from __future__ import annotations

import re

from . import xids as catalogue

OK, DEGRADED, FAILED, UNKNOWN = "ok", "degraded", "failed", "unknown"
_ORDER = (UNKNOWN, OK, DEGRADED, FAILED)

# 154 is the driver's recovery action, written into the log: "… changed from 0x0 (None) to 0x1 (GPU Reset Required)".
_ACTION_XID = 154
_ACTION = re.compile(r"to 0x[0-9a-fA-F]+ \(([^)]+)\)")
_DRAIN = re.compile(r"drain", re.IGNORECASE)


def judge(device):
    """Return the health of one device. Pure; raises nothing for a device of any tool.

    Args:
        device: dict; read are ``health`` with the raw values of the overlays (each may be missing) and ``xids``,
            ``link`` and ``driver``.

    Returns:
        dict: the raw values as they were; ``status`` ``ok``, ``degraded``, ``failed`` or ``unknown`` (nothing could be
        asked); ``reasons``, sentences, worst first, which also hold remarks that do not change the status (a link
        below its best, a row that was remapped); and always ``ecc_uncorrected``, ``remapped_rows``,
        ``recovery_action`` and ``xids``.
    """
    health = dict(device.get("health") or {})
    xids = health.get("xids") or []
    action = _action(health, xids)
    found = _of_card(health) + _of_action(action) + _of_xids(xids, action)
    if not found and _nothing_known(health):
        driver = device.get("driver")
        found = [(UNKNOWN, "Nothing here tells the health of this device, which is on {0}.".format(
            "driver {0}".format(driver) if driver else "no driver"))]
    elif not found:
        found = [(OK, None)]
    found.sort(key=lambda one: -_ORDER.index(one[0]))
    reasons = [sentence for _status, sentence in found if sentence] + _remarks(device, xids)
    result = {"ecc_uncorrected": None, "remapped_rows": None, "recovery_action": None}
    result.update(health, status=found[0][0], reasons=reasons, xids=xids)
    return result


def _of_card(health):
    """Return [(status, sentence)] from counters and states of the card itself."""
    found = []
    rows = health.get("remapped_rows") or {}
    pages = health.get("bad_pages") or {}
    for bad, sentence in (
        (health.get("lost"), "The driver has lost the GPU: {0}.".format(str(health.get("lost")).rstrip("."))),
        (rows.get("failure"), "A row could not be remapped: the GPU has to be replaced."),
        (health.get("sram_threshold_exceeded"),
         "More uncorrected SRAM errors than are allowed: the GPU has to be replaced."),
        (health.get("unrepairable_memory"), "The memory has errors that cannot be repaired."),
        (pages.get("failed"), "{0} bad memory pages could not be retired.".format(pages.get("failed"))),
    ):
        if bad:
            found.append((FAILED, sentence))
    for bad, sentence in (
        (health.get("ecc_uncorrected"), "{0} uncorrected memory errors since the driver was loaded.".format(
            health.get("ecc_uncorrected"))),
        (rows.get("pending"), "A memory row waits to be remapped: reset the GPU."),
        (health.get("retirement_pending"), "A memory page waits to be retired: reset the GPU."),
        (pages.get("pending"), "{0} bad memory pages wait to be retired.".format(pages.get("pending"))),
        (health.get("repair_pending"), "A repair waits for a reset of the GPU: {0}.".format(
            ", ".join(health.get("repair_pending") or ()))),
    ):
        if bad:
            found.append((DEGRADED, sentence))
    return found


def _action(health, xids):
    """Return the recovery action, or the last one that the log has, or None."""
    if health.get("recovery_action"):
        return health["recovery_action"]
    told = [_ACTION.search(one.get("message") or "") for one in xids if one.get("xid") == _ACTION_XID]
    return next((match.group(1) for match in reversed(told) if match), None)


def _of_action(action):
    if action is None or _cured(action):
        return []
    # Draining is asked for while the card still works.
    return [(DEGRADED if _DRAIN.search(action) else FAILED, "The driver asks for: {0}.".format(action))]


def _cured(action):
    return action is not None and action.strip().lower() == "none"


def _of_xids(xids, action):
    """Return [(status, sentence)]: one sentence for each number and class, however often it was logged."""
    counts = {}
    for one in xids:
        kind, what = catalogue.classify(one)
        if kind in ("FATAL", "WARNING"):
            key = (one["xid"], kind, what)
            counts[key] = counts.get(key, 0) + 1
    return [(FAILED if kind == "FATAL" and not _cured(action) else DEGRADED, _logged(number, what, count))
            for (number, kind, what), count in sorted(counts.items())]


def _logged(number, what, count):
    return "Xid {0} in the kernel log{1}: {2}.".format(
        number, "" if count == 1 else ", {0} times".format(count), what)


def _nothing_known(health):
    """Whether no source said anything on which ``ok`` could rest. An empty kernel log proves nothing."""
    return all(health.get(name) is None for name in (
        "ecc_uncorrected", "ecc_mode", "remapped_rows", "recovery_action", "bad_pages"))


def _remarks(device, xids):
    """Return sentences that do not change the status."""
    said = []
    for number, what in catalogue.REMARK.items():
        count = sum(1 for one in xids if one.get("xid") == number)
        if count:
            said.append("Remark: " + _logged(number, what, count))
    link = device.get("link") or {}
    if link.get("degraded"):
        said.append("Remark: the PCIe link runs at {0} GT/s x{1}, its best is {2} GT/s x{3}; idle GPUs lower it "
                    "themselves.".format(link.get("speed_gts"), link.get("width"), link.get("max_speed_gts"),
                                         link.get("max_width")))
    return said
