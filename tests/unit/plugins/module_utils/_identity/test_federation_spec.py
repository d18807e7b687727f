# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declaration is told before any request; settings of [federation] likewise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.sovereign.region.plugins.module_utils._identity import federation_config as config
from ansible_collections.sovereign.region.plugins.module_utils._identity.federation_spec import problems, release
from hypothesis import given
from hypothesis import strategies as st

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "OIDC-sub"}]}]
ENTRA = "https://login.microsoftonline.com/6c6b1c5e-0000-4444-8888-0123456789ab/v2.0"


def provider(**fields):
    base = {"name": "p", "domain": "d", "description": None, "enabled": None, "remote_ids": ["x"],
            "authorization_ttl": None, "protocols": None, "purge": False, "state": "present"}
    return dict(base, **fields)


def mapping(**fields):
    return dict({"name": "m", "rules": RULES, "schema_version": "2.0", "state": "present"}, **fields)


def service(**fields):
    base = {"name": "s", "auth_url": "https://x/a", "sp_url": "https://x/s", "relay_state_prefix": None,
            "state": "present"}
    return dict(base, **fields)


def told(providers=(), mappings=(), services=(), said=None):
    return problems({"identity_providers": list(providers), "mappings": list(mappings),
                     "service_providers": list(services), "keystone_release": said})


CASES = {
    "nothing": ([], [mapping()], None, None),
    "remote id too long": ([provider(remote_ids=["y", ENTRA])], [], None, "remote_ids.1.: .* at most 64; let the"),
    "empty remote id": ([provider(remote_ids=[""])], [], None, "remote_ids.0.: a remote id is not empty"),
    "remote id twice": ([provider(), provider(name="q")], [], None, "'x' is declared for identity provider 'p' too"),
    "twice": ([provider(), provider(remote_ids=[])], [], None, "'p' is declared already at identity_providers.0."),
    "case": ([], [mapping(), mapping(name="M")], None, "'M' differs from 'm' only in upper and lower case"),
    "slash": ([provider(name="a/b")], [], None, "'a/b' is part of a URL"),
    "long": ([provider(name="a" * 65)], [], None, "65 characters; at most 64"),
    "space": ([provider(name="a ")], [], None, "neither begins nor ends with a space"),
    "ttl": ([provider(authorization_ttl=-2)], [], None, "authorization_ttl: -2; expected minutes"),
    "purge of what": ([provider(purge=True)], [], None, "nothing says which protocols stay"),
    "no rules": ([], [mapping(rules=None)], None, "rules: missing"),
    "structure": ([], [mapping(rules=[{"local": []}])], None, r"mappings\[0\]\.rules.*\(schema 2.0\)"),
    "3.0 and no release": ([], [mapping(schema_version="3.0")], None, "needs Keystone 2026.1 or later, and"),
    "3.0 too early": ([], [mapping(schema_version="3.0")], "2025.2", "keystone_release is '2025.2'"),
    "3.0": ([], [mapping(schema_version="3.0")], "2026.1", None),
    "3.0 that goes": ([], [mapping(schema_version="3.0", state="absent", rules=None)], None, None),
    "release": ([], [], "epoxy", "'epoxy'; expected a release of OpenStack"),
    "attribute": ([provider(protocols=[{"name": "o", "mapping": "m", "remote_id_attribute": "a" * 65}])], [], None,
                  "remote_id_attribute: .* at most 64"),
    "mapping that goes": ([provider(protocols=[{"name": "o", "mapping": "m", "remote_id_attribute": None}])],
                          [mapping(state="absent")], None, "'m' is declared absent"),
}


@pytest.mark.parametrize("case", CASES)
def test_problems(case):
    providers, mappings, said, message = CASES[case]
    found = told(providers, mappings, said=said)
    assert len(found) == (1 if message else 0), found
    if message:
        assert re.search(message, found[0])


@pytest.mark.parametrize("url", ["x", "ftp://x/y", "https://", "https://x/" + "a" * 225, "https:// /"])
def test_urls_of_service_providers(url):
    assert len(told(services=[service(auth_url=url)])) == 1
    assert told(services=[service()]) == []


def test_releases():
    assert release("2026.1") == (2026, 1) and release("2026.3") is None and release(None) is None


GOOD = {"trusted_dashboards": ["https://d.example/auth/websso/"], "assertion_prefix": "OIDC-",
        "remote_id_attribute": "OIDC-iss", "default_authorization_ttl": 60}
BAD = {
    "unknown": ({"trusted_dashboard": []}, "is no setting of .federation.; the nearest is 'trusted_dashboards'"),
    "no list": ({"trusted_dashboards": "https://d"}, "expected a list of URLs"),
    "no URL": ({"trusted_dashboards": ["d.example"]}, "0.: 'd.example'; expected an http or https URL"),
    "broken URL": ({"trusted_dashboards": ["https://[x"]}, "expected an http or https URL"),
    "two lines": ({"assertion_prefix": "a\nadmin_token = x"}, "expected one line of text"),
    "no number": ({"default_authorization_ttl": True}, "expected a number"),
    "negative": ({"default_authorization_ttl": -1}, "expected minutes"),
    "relative": ({"sso_callback_template": "x.html"}, "expected an absolute path"),
    "version": ({"attribute_mapping_default_schema_version": "4.0"}, "expected one of 1.0, 2.0, 3.0"),
    "3.0": ({"attribute_mapping_default_schema_version": "3.0"}, "needs Keystone 2026.1"),
    "prefix": ({"assertion_prefix": "MELLON_", "remote_id_attribute": "OIDC-iss"}, "does not begin with assert"),
}


@pytest.mark.parametrize("case", BAD)
def test_settings_that_keystone_would_not_read_as_meant(case):
    settings, message = BAD[case]
    (found,) = config.problems(settings)
    assert re.search(message, found)
    assert "s3cret" not in str(config.problems({"trusted_dashboards": ["https://u:s3cret@d.example/"]}))


def test_settings_that_are_right():
    assert config.problems(GOOD) == [] and config.findings(GOOD) == []
    assert config.render(GOOD) == (
        "[federation]\ntrusted_dashboard = https://d.example/auth/websso/\nassertion_prefix = OIDC-\n"
        "remote_id_attribute = OIDC-iss\ndefault_authorization_ttl = 60\n")
    assert config.render({"assertion_prefix": None}) == ""
    assert config.problems({"attribute_mapping_default_schema_version": "3.0"}, keystone_release="2026.1") == []


def test_doubtful_settings_are_found():
    found = config.findings({
        "trusted_dashboards": ["http://d.example", "https://d.example/horizon", "http://127.0.0.1:9999/auth/websso/"],
        "remote_id_attribute": "HTTP_OIDC_ISS", "assertion_prefix": "HTTP_", "default_authorization_ttl": 0})
    assert [(one["id"], one["path"].partition(".")[2]) for one in found] == [
        ("dashboard-without-tls", "trusted_dashboards[0]"), ("dashboard-without-path", "trusted_dashboards[0]"),
        ("dashboard-path", "trusted_dashboards[1]"), ("header-remote-id", "remote_id_attribute"),
        ("header-prefix", "assertion_prefix"), ("no-authorization-ttl", "default_authorization_ttl")]
    assert all(one["message"] and one["fix"] for one in found)


@given(st.dictionaries(st.sampled_from(config.SETTINGS), st.text() | st.integers() | st.lists(st.text()) | st.none()))
def test_what_has_no_problems_is_written_on_lines_of_its_own(settings):
    if config.problems(settings, keystone_release="2026.1"):
        return
    lines = sum(len(value) if isinstance(value, list) else 1 for value in settings.values() if value is not None)
    text = config.render(settings)
    assert len(text.splitlines()) == (lines + 1 if lines else 0)
    config.findings(settings)


def test_a_second_line_is_never_written():
    with pytest.raises(ValueError, match="no single line"):
        config.render({"assertion_prefix": "a\n[DEFAULT]"})


def test_the_examples_of_the_documentation_are_right():
    source = (Path(__file__).parents[5] / "plugins" / "modules" / "identity_federation.py").read_text(encoding="utf-8")
    for task in yaml.safe_load(source.split('EXAMPLES = r"""')[1].split('"""')[0]):
        asked = task["sovereign.region.identity_federation"]
        if isinstance(asked.get("mappings", []), list):
            providers = [
                provider(**dict(one, protocols=[dict({"remote_id_attribute": None}, **row)
                                                for row in one.get("protocols", [])]))
                for one in asked.get("identity_providers", [])]
            assert told(providers, [mapping(**one) for one in asked.get("mappings", [])]) == []
