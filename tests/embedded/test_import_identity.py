# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A federation that is declared, applied to the real Keystone and imported again is the same declaration."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._core import cloud_module
from ansible_collections.sovereign.region.plugins.module_utils._core.cloud import connect
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation, import_keystone
from ansible_collections.sovereign.region.plugins.module_utils._tenancy import projects, role_assignments, users
from embedded_helpers import STATS

NAME = "test-" + uuid.uuid4().hex[:8]


def identity(name):
    """The section of a region document, written as briefly as it can be."""
    crew = name + "/crew"
    return {
        "groups": [{"name": "crew", "domain": name, "description": "they run models"},
                   {"name": "watch", "domain": name}],
        "assignments": [
            {"persona": "member", "group": crew, "project": name + "/p"},
            {"persona": "manager", "group": crew, "domain": name},
            {"persona": "reader", "group": crew, "domain": name, "inherited": True},
            {"persona": "auditor", "group": name + "/watch", "system": True},
        ],
        "mappings": [
            {"name": name + "-1", "rules": [{
                "local": [{"user": {"name": "{0}"}}, {"group": {"name": "crew", "domain": {"name": name}}}],
                "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-iss", "any_one_of": ["https://a", "https://b"]}]}]},
            {"name": name + "-2", "schema_version": "2.0", "rules": [{
                "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": name}}],
                "remote": [{"type": "OIDC-sub"}, {"type": "OIDC-groups", "whitelist": ["crew", "watch"]}]}]},
        ],
        "identity_providers": [
            {"name": name + "-a", "domain": name, "description": "grüße", "enabled": False, "authorization_ttl": 60,
             "remote_ids": ["https://a/" + name, "https://b/" + name], "protocols": [
                 {"name": "mapped", "mapping": name + "-1"},
                 {"name": "openid", "mapping": name + "-2", "remote_id_attribute": "OIDC-iss"}]},
            {"name": name + "-b", "domain": name, "remote_ids": ["https://c/" + name]},
        ],
        "service_providers": [
            {"name": name + "-sp", "auth_url": "https://other.example.org/v3/auth", "sp_url": "https://other/sp",
             "relay_state_prefix": "https://other.example.org/v3/auth?rs="},
        ],
    }


@pytest.fixture(scope="module")
def clouds(region):
    return yaml.safe_load((Path(region.directory) / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]


@pytest.fixture(scope="module")
def admin(clouds):
    """A function that connects anew, as each module does."""
    return lambda: connect({"cloud": clouds["embedded-admin"]})


def whole(spec, given):
    """Options as Ansible hands them over: every one is there."""
    made = {}
    for name, option in spec.items():
        value = given.get(name, option.get("default"))
        if option.get("options") and value is not None:
            value = [whole(option["options"], row) for row in value]
        made[name] = value
    return made


def converge(module, cloud, **given):
    asked = whole(module.ARGUMENT_SPEC, copy.deepcopy(given))
    assert module.validate(asked) == []
    execute = getattr(module, "execute", None)
    return execute(cloud, asked, False) if execute else cloud_module.converge(module, cloud, asked, False)


def in_roles(rows):
    """Assignments as the module takes them."""
    roles = {"auditor": "reader"}
    return [dict({key: value for key, value in row.items() if key != "persona"},
                 role=roles.get(row["persona"], row["persona"])) for row in rows]


@pytest.fixture(scope="module")
def declared(admin):
    """What was declared and applied; removed afterwards."""
    wanted = identity(NAME)
    base = {"owner": NAME}
    converge(projects, admin(), domains=[{"name": NAME}], projects=[{"name": "p", "domain": NAME}], **base)
    converge(users, admin(), groups=wanted["groups"], **base)
    converge(role_assignments, admin(), assignments=in_roles(wanted["assignments"]))
    kinds = ("mappings", "identity_providers", "service_providers")
    converge(federation, admin(), **{kind: [
        dict({"schema_version": "1.0"}, **row) if kind == "mappings" else row for row in wanted[kind]]
        for kind in kinds})
    yield wanted
    converge(federation, admin(), **{kind: [{"name": row["name"], "state": "absent"} for row in wanted[kind]]
                                     for kind in kinds})
    converge(users, admin(), purge=True, **base)
    converge(projects, admin(), purge=True, **base)


def test_what_is_imported_is_what_was_declared(admin, declared):
    result = import_keystone.execute(admin(), {}, True)
    found = {key: [row for row in rows if NAME in json.dumps(row)] for key, rows in result["identity"].items()}

    def order(rows):
        return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))

    assert {key: order(rows) for key, rows in found.items()} == {key: order(rows) for key, rows in declared.items()}
    assert NAME in result["domains"] and result["changed"] is False
    assert any("conf" in note for note in result["notes"])
    assert [note for note in result["notes"] if "does not take" in note] == []


def test_the_playbook_writes_the_section(region, declared, tmp_path):
    target = tmp_path / "identity.yml"
    done = region.run("import_identity", region_import_file=str(target), region_cloud="embedded-admin").good()
    written = yaml.safe_load(target.read_text(encoding="utf-8"))["identity"]
    assert [row for row in written["service_providers"] if row["name"].startswith(NAME)] == (
        declared["service_providers"])
    assert json.loads(STATS.search(done.output)[1])["sovereign_region_import"]["identity"] == written
