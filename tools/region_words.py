# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short page that a terminal shows when the region is up: what exists, for whom, and what to try next."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
# The collection's own words and rules, imported as managed hosts have them: without installing anything.
sys.path.insert(0, str(CHECKOUT / "plugins"))

from module_utils._core.words import plan_lines, verdict_lines
from module_utils._region import document, pools

DOCUMENT = CHECKOUT / "inventories" / "embedded" / "group_vars" / "all" / "region.yml"


def plan(result: dict, warnings: tuple[str, ...] = ()) -> list[str]:
    """The sentences of a plan."""
    return plan_lines(result["actions"], result["region"], "plan", warnings)


def verdicts(result: dict) -> list[str]:
    """The lines of what verify found."""
    return verdict_lines(result["verdicts"] + result["canary"])


def closing(directory: Path, port: int) -> list[str]:
    """What exists, who may use which GPUs, which page to open, what to try next."""
    data = document.load(yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["sovereign_region"]).data
    described = pools.describe(data)
    return [
        "",
        f"Region {data['name']} is up on 127.0.0.1, ports {port} to {port + 4}. Real APIs, simulated hardware.",
        "",
        "  What exists",
        *(f"    {pool['site']} ({pool['jurisdiction']})  {pool['total']:>2} x {pool['model']}, "
          f"simulated, on {', '.join(pool['hosts'])}" for pool in described),
        "",
        "  Who may use which GPUs",
        *_flavors(data, {pool["name"]: pool for pool in described}),
        "",
        "  Open in a browser",
        f"    {directory / 'region.html'}",
        "",
        "  Try next",
        *_next(directory),
        "",
    ]


def _flavors(data: dict, known: dict) -> list[str]:
    flavors = data["tenancy"]["flavors"]
    width = max((len(flavor["name"]) for flavor in flavors), default=0)
    lines = []
    for flavor in flavors:
        access = flavor["access"]
        who = "every project" if access is None else ", ".join(access) or "nobody"
        lines.append(f"    {flavor['name']:<{width}}  {flavor['gpus']} x {known[flavor['pool']]['model']}  {who}")
    return lines


def _next(directory: Path) -> list[str]:
    programs = Path(sys.executable).parent
    drift = ('import openstack; c = openstack.connect(); '
             'c.identity.update_project(c.identity.find_project("weather"), description="changed by hand")')
    down = "make region-down" + ("" if directory == CHECKOUT / "build" / "embedded" else
                                 f" REGION_DIR={shlex.quote(str(directory))}")
    return [
        f"    cd {shlex.quote(str(CHECKOUT))}",
        f"    export PATH={shlex.quote(str(programs))}:\"$PATH\"",
        f"    export OS_CLIENT_CONFIG_FILE={shlex.quote(str(directory / 'clouds.yaml'))} OS_CLOUD=embedded-admin",
        f"    python -c {shlex.quote(drift)}",
        "    ansible-playbook playbooks/plan.yml      # finds what was changed behind its back",
        "    ansible-playbook playbooks/site.yml      # repairs it",
        f"    {down}",
    ]
