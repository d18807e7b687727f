# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services whose policies are known here, each with its generated table."""

from __future__ import annotations

from . import (
    policy_defaults_glance,
    policy_defaults_keystone,
    policy_defaults_neutron,
    policy_defaults_nova,
    policy_defaults_placement,
)

# In the order in which people think of them.
TABLES = {
    "keystone": policy_defaults_keystone,
    "nova": policy_defaults_nova,
    "placement": policy_defaults_placement,
    "glance": policy_defaults_glance,
    "neutron": policy_defaults_neutron,
}
