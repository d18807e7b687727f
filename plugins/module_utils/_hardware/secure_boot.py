# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kernel takes Secure Boot as on, and how far it is locked down: what decides if a module may be loaded."""

from __future__ import annotations

import re

from .tool_output import OK

_EFI = "/sys/firmware/efi"
_VARIABLES = "/sys/firmware/efi/efivars"
_SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# What shim hands over: 1 when an operator switched its validation off, which the kernel takes as Secure Boot off.
_SHIM = "MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"
_LOCKDOWN = "/sys/kernel/security/lockdown"
_NON_VOLATILE = 1


def observe(host):
    """Read two EFI variables and the lockdown state.

    Args:
        host: Host.

    Returns:
        (secure_boot, lockdown, status): True, False, or None when it cannot be told; ``none``, ``integrity`` or
        ``confidentiality``, or None when the kernel has no lockdown or securityfs is not mounted; ``ok`` or
        ``partial: …``.

        Source: an efivarfs file is four bytes of attributes, then the value. The judgement is that of the kernel's
        EFI stub (``drivers/firmware/efi/libstub/secureboot.c``).
    """
    locked = lockdown(host.text(_LOCKDOWN))
    if not host.exists(_EFI):
        if not host.exists("/sys/firmware"):
            return None, locked, "partial: /sys/firmware is not there, so Secure Boot is unknown"
        # Started by a legacy BIOS: there is nothing that could be secure about it.
        return False, locked, OK
    folder = host.folder(_VARIABLES)
    state = enabled(folder.bytes(_SECURE_BOOT), folder.bytes(_SHIM))
    if state is None:
        return None, locked, "partial: {0}/{1} cannot be read; is efivarfs mounted?".format(_VARIABLES, _SECURE_BOOT)
    return state, locked, OK


def enabled(variable, shim):
    """Return True or False, or None when the variable has not the five bytes that it should have. Pure.

    Args:
        variable: content of ``SecureBoot-…``, or None.
        shim: content of ``MokSBStateRT-…``, or None, as it is on most hosts.
    """
    if variable is None or len(variable) != 5:
        return None
    if shim is not None and len(shim) == 5 and not shim[0] & _NON_VOLATILE and shim[4] == 1:
        return False
    return variable[4] == 1


def lockdown(text):
    """Return the name in brackets of ``none [integrity] confidentiality``, or None. Pure."""
    found = re.search(r"\[([a-z]+)\]", text or "")
    return found.group(1) if found else None
