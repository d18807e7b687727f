# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request about federation is one that Keystone accepts, judged by its own schemas and its own check of rules."""

from __future__ import annotations

import json
import os
import re
import subprocess

from ansible_collections.sovereign.region.plugins.module_utils._identity import federation
from ansible_collections.sovereign.region.plugins.module_utils._identity.federation_facts import Observed

JUDGE = r"""
import json, sys
import jsonschema
import keystone.conf
from keystone.federation import schema, utils
keystone.conf.configure()
names = {"PUT": "create", "PATCH": "update"}
answers = []
for method, kind, body in json.load(sys.stdin):
    try:
        if kind == "mapping":
            utils.validate_mapping_structure(body["mapping"])
        else:
            jsonschema.Draft202012Validator(getattr(schema, f"{kind}_{names[method]}_request_body")).validate(body)
        answers.append(None)
    except Exception as error:  # Keystone's exceptions and those of the schema alike are a refusal
        answers.append(f"{type(error).__name__}: {error}"[:300])
json.dump(answers, sys.stdout)
"""
RULES = [{"local": [{"user": {"name": "{0}"}, "domain": {"name": "d"}}], "remote": [{"type": "OIDC-sub"}]}]
EVERYTHING = {
    "description": "ü", "enabled": False, "remote_ids": ["https://a", "https://b"], "authorization_ttl": 60,
    "purge": True,
    "protocols": [{"name": "openid", "mapping": "m", "remote_id_attribute": "OIDC-iss"}],
}
LITTLE = {
    "description": None, "enabled": None, "remote_ids": ["https://c"], "authorization_ttl": -1, "purge": False,
    "protocols": [{"name": "saml2", "mapping": "n", "remote_id_attribute": None}],
}
SERVICE = {"name": "s", "state": "present", "auth_url": "https://x/a", "sp_url": "https://x/s", "description": "",
           "enabled": None, "relay_state_prefix": "https://x/a?rs="}


class Recorder:
    """Takes the requests of a performer."""

    def __init__(self):
        self.sent = []

    def put(self, service, path, body):
        self._note("PUT", path, body)

    def patch(self, service, path, body):
        self._note("PATCH", path, body)

    def _note(self, method, path, body):
        assert re.fullmatch(r"/OS-FEDERATION/[a-z_]+/[^/?#]+(/protocols/[^/?#]+)?", path)
        self.sent.append([method, *body, body])


def judged(requests):
    done = subprocess.run([os.environ["EMBEDDED_PYTHON"], "-W", "ignore", "-c", JUDGE], input=json.dumps(requests),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def declared(one, other):
    return {
        "identity_providers": [dict(one, name="p ü", domain="d", state="present"),
                               dict(other, name="q", domain="d", state="present")],
        "mappings": [{"name": name, "state": "present", "rules": RULES, "schema_version": version}
                     for name, version in (("m", "2.0"), ("n", "3.0"))],
        "service_providers": [SERVICE], "keystone_release": "2026.1", "adopt": False, "pending": [],
    }


def sent(params, observed):
    assert federation.validate(params) == []
    recorder = Recorder()
    perform = federation.performer(recorder, params, observed)
    for action in federation.decide(params, observed):
        perform(action)
    return recorder.sent


def test_every_request_is_accepted():
    domains = {"d" * 32: {"id": "d" * 32, "name": "d"}}
    created = sent(declared(EVERYTHING, LITTLE), Observed(domains, {}, {}, {}))
    other = {"description": "", "enabled": True, "remote_ids": ["https://z"], "authorization_ttl": 5,
             "domain_id": "d" * 32}
    protocol = {"mapping": "m", "remote_id_attribute": ""}
    there = Observed(
        domains, {"p ü": dict(other), "q": dict(other, remote_ids=["https://y"])},
        {"p ü": {"openid": dict(protocol, mapping="n")}, "q": {"saml2": protocol}},
        {"m": {"rules": [], "schema_version": "1.0"}, "n": {"rules": RULES, "schema_version": "1.0"}},
        {"s": dict({name: SERVICE[name] for name in ("auth_url", "sp_url")}, description="old", enabled=True,
                   relay_state_prefix="ss:mem:")})
    changed = sent(declared(EVERYTHING, LITTLE), there)
    kinds = {"identity_provider", "mapping", "protocol", "service_provider"}
    assert {(method, kind) for method, kind, body in created} == {("PUT", kind) for kind in kinds}
    assert {(method, kind) for method, kind, body in changed} == {("PATCH", kind) for kind in kinds}
    asked = created + changed
    assert [(one, why) for one, why in zip(asked, judged(asked)) if why] == []


def test_the_judge_does_refuse():
    wrong = [
        ["PATCH", "protocol", {"protocol": {"remote_id_attribute": "x"}}],
        ["PATCH", "protocol", {"protocol": {"mapping_id": "m", "remote_id_attribute": None}}],
        ["PATCH", "identity_provider", {"identity_provider": {"domain_id": "d" * 32}}],
        ["PUT", "identity_provider", {"identity_provider": {"remote_ids": ["x" * 65]}}],
        ["PUT", "service_provider", {"service_provider": {"auth_url": "https://x"}}],
        ["PUT", "mapping", {"mapping": {"rules": [{"remote": []}], "schema_version": "2.0"}}],
    ]
    assert [one for one, why in zip(wrong, judged(wrong)) if not why] == []
