# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small helpers for tests that use a Model."""

from __future__ import annotations

BUS = "/sys/bus/pci"


def device(address):
    """The directory of a function."""
    return f"{BUS}/devices/{address}"


def driver(model, address):
    """The name of a function's driver, from its link, or None."""
    try:
        return model.readlink(model.resolve(f"{device(address)}/driver", last=False)).rsplit("/", 1)[1]
    except OSError:
        return None


def refused(number, call, *arguments):
    """Hold that a call is refused with that errno."""
    try:
        call(*arguments)
    except OSError as error:
        assert error.errno == number, f"errno {error.errno}, expected {number}"
    else:
        raise AssertionError("it was not refused")


def move(model, address, name):
    """Move a function to a driver as an operator would: override, unbind, probe."""
    model.put(f"{device(address)}/driver_override", name)
    if driver(model, address):
        model.put(f"{device(address)}/driver/unbind", address)
    model.put(f"{BUS}/drivers_probe", address)
    return driver(model, address)
