# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of [federation] is what Keystone reads as declared: its own options, parsed by the real oslo.config."""

from __future__ import annotations

import json
import os
import subprocess

from ansible_collections.sovereign.region.plugins.module_utils._identity import federation_config as config

# Reads one text for each line, as Keystone does, and prints the values of [federation].
READER = r"""
import json, sys, tempfile
import keystone.conf
keystone.conf.configure()
answers = []
for text in json.load(sys.stdin):
    with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as place:
        place.write(text)
        place.flush()
        keystone.conf.CONF.reset()
        keystone.conf.CONF([], project="keystone", default_config_files=[place.name], default_config_dirs=[])
        found = keystone.conf.CONF.federation
        answers.append({name: getattr(found, name) for name in found})
json.dump(answers, sys.stdout)
"""
HARD = ["OIDC-", "$HOME", "a$b", "${x}", '"quoted"', "'x'", "\"", "a#b", "#a", "; b", " spaces ", "a = b", "ü", "%(x)s",
        "", "\\n", "$$"]
WHOLE = {
    "trusted_dashboards": ["https://a.example/auth/websso/", "https://b.example:8443/horizon/auth/websso/?a=$b,c"],
    "assertion_prefix": "OIDC-",
    "remote_id_attribute": "OIDC-iss",
    "default_authorization_ttl": 60,
    "sso_callback_template": "/etc/keystone/own $ template.html",
    "attribute_mapping_default_schema_version": "2.0",
}


def read(texts):
    """What Keystone reads from each text."""
    done = subprocess.run([os.environ["EMBEDDED_PYTHON"], "-W", "ignore", "-c", READER], input=json.dumps(texts),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_keystone_reads_what_was_declared():
    asked = [{}, WHOLE, {"trusted_dashboards": ["https://x/" + one for one in HARD]}]
    asked += [{"assertion_prefix": one} for one in HARD]
    nothing, whole, several, *hard = read([config.render(one) for one in asked])
    assert {name: whole[name] for name in whole if name in WHOLE} == {
        name: value for name, value in WHOLE.items() if name != "trusted_dashboards"}
    assert whole["trusted_dashboard"] == WHOLE["trusted_dashboards"] and nothing["trusted_dashboard"] == []
    assert several["trusted_dashboard"] == ["https://x/" + one for one in HARD]
    assert [one["assertion_prefix"] for one in hard] == HARD
    # What is not declared is left to Keystone.
    assert nothing["default_authorization_ttl"] == 0 and nothing["attribute_mapping_default_schema_version"] == "1.0"
    assert {option for unused, option, unused_too in config._OPTIONS} <= set(nothing)
