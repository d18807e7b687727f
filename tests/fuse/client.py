# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converges a mounted simulated host for one pool, in a process that can be killed: ROOT, PART, POOL as JSON.

It does what the roles do: look, plan as the controller does, and call the modules that have something to do.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "playbooks" / "collections")]

from ansible_collections.sovereign.region.plugins.module_utils._accelerators import pool_plan
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._hardware import facts
from simulator import SimulatedHost


def main(root: str, part: str, pool: dict) -> list[dict]:
    """Returns the actions that were made. Raises RegionError, or AssertionError for a host that is not as declared."""
    simulated = SimulatedHost(None)
    simulated.root = root
    host = Host(root, simulated.runner)
    planned = pool_plan.plan(facts.collect(host), [pool], part)
    assert planned["problems"] == [], planned["problems"]
    done = []
    for name, actions in planned["actions"].items():
        params = dict(planned["modules"][name], allow_interruption=True, expected_actions=actions)
        done += host_module.converge(pool_plan.MODULES[name], host, dict(params, pending=[]), False)["actions"]
    return done


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))))
