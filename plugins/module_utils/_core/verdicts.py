# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a verdict and of its evidence, as docs/outputs.md has them. Nothing that was not seen is a pass."""

from __future__ import annotations


def verdict(rule, subject, status, message, evidence):
    """Return one verdict.

    Args:
        rule: what was judged, such as ``capacity.inventory``.
        subject: what it was judged on, such as ``pool h200``.
        status: pass, fail, error, not_applicable or waived.
        message: one sentence.
        evidence: list of what ``seen`` returns.
    """
    return {"rule": rule, "subject": subject, "status": status, "message": message, "evidence": evidence}


def seen(source, time, value, status="ok"):
    """Return one piece of evidence: where it was asked, when, what was seen, and whether it could be asked at all."""
    return {"source": source, "time": time, "status": status, "value": value}
