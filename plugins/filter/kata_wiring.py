# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: kata_wiring
short_description: What declared handlers of Kata Containers mean for shims and for the container runtime
version_added: 0.1.0
author:
  - the sovereign.region authors (@sovereign-region)
description:
  - From handlers and releases, as the role C(kata) has them, makes the shims that
    M(sovereign.region.kata_config) configures and the handlers that M(sovereign.region.cri_runtime) adds, each with the
    paths in its release.
  - A handler or release that cannot be right is an error, with its place and the nearest name.
positional: _input, releases, directory
options:
  _input:
    description:
      - Handlers, each with C(name), C(shim), C(release) where several are declared, and options of both modules.
    type: list
    elements: dict
    required: true
  releases:
    description: Releases, as M(sovereign.region.kata_release) takes them.
    type: list
    elements: dict
    required: true
  directory:
    description: Where releases lie.
    type: str
    default: /opt/kata-releases
"""

EXAMPLES = r"""
- name: What a handler is made of
  ansible.builtin.debug:
    msg: "{{ [{'name': 'kata', 'shim': 'qemu-runtime-rs'}]
             | sovereign.region.kata_wiring([{'version': '4.1.0', 'flavour': 'static'}]) }}"
"""

RETURN = r"""
_value:
  description:
    - C(shims) and C(handlers), two lists of dictionaries. C(releases) are those that stay, C(removed) those that are
      declared absent, C(removed_names) the names of these.
  type: dict
"""

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import RegionError
from ..module_utils._isolation.wiring import wire


def kata_wiring(handlers, releases, directory="/opt/kata-releases"):
    """Return what the handlers mean for shims and for the container runtime."""
    try:
        return wire(handlers, releases, directory)
    except RegionError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self):
        return {"kata_wiring": kata_wiring}
