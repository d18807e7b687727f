#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: region_lock
short_description: Let one run at a time work on a region
version_added: 0.1.0
description:
  - Takes, prolongs and releases the lock of a region. The lock is a disabled Keystone project in the domain Default,
    whose name Keystone lets exist only once, so two controllers exclude each other.
  - A lock whose run is known to be dead is taken over at once, any other only after its expiry. Processes that
    outlived a dead run are waited for.
  - Times are judged by Keystone's clock, never by the controller's.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  region:
    description: Name of the region.
    type: str
    required: true
  state:
    description:
      - V(held) takes the lock, or prolongs it when this run holds it.
      - V(released) releases it. A region that is not locked is no error, a lock of another run is.
    type: str
    choices: [held, released]
    default: held
  minutes:
    description: After how many minutes from now others may take the lock over, 1 to 10080.
    type: int
    default: 60
  owner_run:
    description:
      - Id of this run, the same in each of its tasks.
      - Without it, the environment variable E(SOVEREIGN_REGION_RUN) of the play names it, and without that
        the main process of Ansible, when it runs on the same host as this module.
    type: str
  renew:
    description: This run holds the lock already and only prolongs it. When it has lost it, the task fails.
    type: bool
    default: false
  force:
    description: With O(state=released), release the lock whoever holds it.
    type: bool
    default: false
  wait:
    description: How many seconds to wait for processes that outlived the run whose lock is taken over.
    type: int
    default: 120
extends_documentation_fragment:
  - sovereign.region.openstack
  - sovereign.region.attributes
  - sovereign.region.attributes.actiongroup_openstack
attributes:
  check_mode:
    support: full
    details:
      - Takes and releases nothing. It reports who holds the lock.
  diff_mode:
    support: none
    details:
      - A lock is nothing that is declared.
  idempotent:
    support: full
    details:
      - Reports a change only when it releases a lock by force. Taking and releasing its own lock leaves a region as
        it was declared.
"""

EXAMPLES = r"""
- name: Lock the region for an hour
  sovereign.region.region_lock:
    cloud: my-region-admin
    region: region-a

- name: Prolong the lock before a long step
  sovereign.region.region_lock:
    cloud: my-region-admin
    region: region-a
    minutes: 120
    renew: true

- name: Release the lock of a run that is gone
  sovereign.region.region_lock:
    cloud: my-region-admin
    region: region-a
    state: released
    force: true
"""

RETURN = r"""
lock:
  description: The lock as it is afterwards.
  returned: success
  type: dict
  contains:
    held:
      description: Whether the region is locked.
      type: bool
      returned: success
    mine:
      description: Whether this run holds the lock.
      type: bool
      returned: success
    region:
      description: Name of the region.
      type: str
      returned: success
    holder:
      description: The C(run), C(host), C(user) and C(pid) that hold it, or null.
      type: dict
      returned: success
    acquired:
      description: Since when, by Keystone's clock.
      type: str
      returned: success
    renewed:
      description: When it was prolonged last.
      type: str
      returned: success
    expires:
      description: Until when.
      type: str
      returned: success
  sample:
    held: true
    mine: true
    region: region-a
    holder: {run: 4f1c9a, host: controller-1, user: ops, pid: 4711}
    acquired: "2026-11-21T08:00:00Z"
    renewed: "2026-11-21T08:00:00Z"
    expires: "2026-11-21T09:00:00Z"
message:
  description: Who holds the region, or who held it, in one sentence.
  returned: success
  type: str
actions:
  description: Always empty. A lock is no action of a plan.
  returned: always
  type: list
  elements: dict
api_calls:
  description: HTTP requests sent, authentication and retries included.
  returned: always
  type: int
  sample: 4
error:
  description: Class of the error, such as V(Refused) when another run holds the lock.
  returned: failure
  type: str
problems:
  description: Everything that is wrong with the options, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._core import cloud_module
from ..module_utils._tenancy import lock


def main():
    cloud_module.run(lock)


if __name__ == "__main__":
    main()
