# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: region_page
short_description: A region as one HTML page
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - Returns one HTML document that needs no network, no script and no other file, with the sites, their pools and
    devices, the flavors and who may use them, the projects and what they hold, and, as they are declared, groups,
    users, what they may do, and identity providers.
positional: _input
options:
  _input:
    description: What M(sovereign.region.region) returned.
    type: dict
    required: true
  capacity:
    description: The pools that M(sovereign.region.capacity_info) returned.
    type: list
    elements: dict
    required: true
  projects:
    description: The projects that M(sovereign.region.identity_projects) returned.
    type: list
    elements: dict
    required: true
  flavors:
    description: The flavors that M(sovereign.region.compute_flavors) returned.
    type: list
    elements: dict
    required: true
  written:
    description: When it was asked, in UTC.
    type: str
    required: true
  note:
    description: What has to be said beside the name, such as that the hardware is simulated.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Write the page
  ansible.builtin.copy:
    content: >-
      {{ declared | sovereign.region.region_page(capacity=capacity.pools, projects=identity.projects,
                                                 flavors=compute.flavors, written='2026-11-21 08:00 UTC') }}
    dest: region.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The HTML document.
  type: str
"""

from ..module_utils._region.page import page
from ..module_utils._region.page_view import view


def region_page(declared, capacity, projects, flavors, written, note=""):
    """Return the page of a region."""
    return page(view(declared, capacity, projects, flavors, written, note))


class FilterModule:
    def filters(self):
        return {"region_page": region_page}
