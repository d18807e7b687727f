# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we send and name is what Keystone, Nova and Placement accept: judged by their own packages, without a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core.ownership import OWNERSHIP_SPEC
from ansible_collections.sovereign.region.plugins.module_utils._region import document, names, pools, slices
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import flavors, projects

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = {
    inventory: yaml.safe_load((ROOT / "inventories" / inventory / "group_vars/all/region.yml").read_text())[
        "sovereign_region"]
    for inventory in ("embedded", "example")
}


def ask(questions):
    """The services' answers to a list of [kind, value]: None for what is accepted, else the reason."""
    done = subprocess.run(
        [os.environ["EMBEDDED_PYTHON"], "-W", "ignore", str(Path(__file__).parent / "oracle.py")],
        input=json.dumps(questions), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Recorder:
    """Takes the requests of a performer and answers as if they had succeeded."""

    def __init__(self):
        self.sent = []

    def post(self, service, path, body=None):
        self.sent.append(["POST " + re.sub(r"/flavors/[0-9a-f-]{36}", "/flavors/{id}", path), body])

    def created(self, service, path, body, key):
        self.post(service, ("/v3" if service == "identity" else "") + path, body)
        return {"id": body[key].get("id", "0" * 32)}


def whole(spec, given):
    """Parameters as Ansible hands them over: every option is there."""
    params = {name: option.get("default") for name, option in dict(spec, **OWNERSHIP_SPEC).items()}
    return dict(params, **given)


def requests_of(raw):
    """Every request that builds a declared region from nothing."""
    wanted = slices.tenancy(document.load(raw).data)
    recorder = Recorder()
    params = whole(projects.ARGUMENT_SPEC, {"domains": wanted["domains"], "projects": wanted["projects"]})
    default = projects.ownership.Existing("default", {"enabled": True, "tags": [], "description": ""}, False)
    observed = projects.Observed({"Default": default}, {})
    run(projects, recorder, params, observed)
    known = dict.fromkeys(projects.declared_projects(params), "1" * 32)
    params = whole(flavors.ARGUMENT_SPEC, {"flavors": wanted["flavors"]})
    run(flavors, recorder, params, flavors.Observed({}, {}, known))
    return recorder.sent


def run(domain, recorder, params, observed):
    assert domain.validate(params) == []
    perform = domain.performer(recorder, params, observed)
    for action in domain.decide(params, observed):
        perform(action)


@pytest.mark.parametrize("inventory", DOCUMENTS)
def test_every_request_is_accepted(inventory):
    sent = requests_of(DOCUMENTS[inventory])
    specs = [["extra spec", [key, value]] for kind, body in sent if kind.endswith("os-extra_specs")
             for key, value in body["extra_specs"].items()]
    refused = [(one, why) for one, why in zip(sent + specs, ask(sent + specs)) if why]
    assert refused == []
    assert {kind for kind, unused in sent} == {
        "POST /v3/domains", "POST /v3/projects", "POST /flavors", "POST /flavors/{id}/os-extra_specs",
        "POST /flavors/{id}/action"}


@pytest.mark.parametrize("inventory", DOCUMENTS)
def test_names_are_accepted_and_nova_counts_the_devices(inventory):
    loaded = document.load(DOCUMENTS[inventory]).data
    found = {pool["name"]: pool for pool in pools.describe(loaded)}
    questions = [["resource class", pool["resource_class"]] for pool in found.values()]
    questions += [["trait", names.site_trait(site["name"])] for site in loaded["sites"]]
    by_alias = [flavor for flavor in loaded["tenancy"]["flavors"] if found[flavor["pool"]]["alias"]]
    aliases = {pool["alias"]: json.dumps({"name": pool["alias"], "resource_class": pool["resource_class"],
                                          "device_type": "type-PCI"}) for pool in found.values() if pool["alias"]}
    asked = [[slices.derived_specs(found[flavor["pool"]], flavor["gpus"], True), flavor["gpus"]] for flavor in by_alias]
    questions.append(["aliases", {"aliases": list(aliases.values()), "flavors": asked}])
    assert [(one, why) for one, why in zip(questions, ask(questions)) if why] == []


def test_the_judges_do_refuse():
    questions = [
        ["POST /v3/projects", {"project": {"name": "x" * 65}}],
        ["POST /v3/projects", {"project": {"name": "x", "tags": ["a/b"]}}],
        ["POST /v3/domains", {"domain": {}}],
        ["POST /flavors", {"flavor": {"name": "x", "vcpus": 0, "ram": 1, "disk": 1}}],
        ["POST /flavors/{id}/os-extra_specs", {"extra_specs": {"a": {}}}],
        ["POST /flavors/{id}/action", {"addTenantAccess": {}}],
        ["extra spec", ["hw:cpu_policy", "sometimes"]],
        ["extra spec", ["trait:CUSTOM_X", "perhaps"]],
        ["aliases", {"aliases": [json.dumps({"name": "a", "device_typ": "type-PCI"})],
                     "flavors": [[{"pci_passthrough:alias": "a:1"}, 1]]}],
        ["resource class", "GPU_H200"],
        ["trait", "CUSTOM_site"],
    ]
    assert [one for one, why in zip(questions, ask(questions)) if not why] == []
