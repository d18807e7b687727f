# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole OpenStack control plane of one user, on loopback: real APIs over SIMULATED computes and GPUs.

    python -m embedded_region up --dir DIR --port BASE

It is a place to try and to test in; it is no part of the plugins, and none of them imports it.
"""

from __future__ import annotations

SERVICES = ("keystone", "placement", "nova", "glance", "neutron")
REGION = "embedded"


class EmbeddedRegionError(Exception):
    """Something the user can act on; its text is all that is shown."""
