# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What replies mean: addresses, sentences, and statuses."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, replies


@pytest.mark.parametrize(
    "service, url, expected",
    [
        ("identity", "http://h/identity", "http://h/identity/v3"),
        ("identity", "http://h/identity/v3/", "http://h/identity/v3"),
        ("identity", "http://v3.example:5000", "http://v3.example:5000/v3"),
        ("compute", "https://h:8774/v2.1", "https://h:8774/v2.1"),
        ("compute", "https://h:8774/v2.1/0123abc", "https://h:8774/v2.1/0123abc"),
        ("network", "https://h:9696", "https://h:9696/v2.0"),
        ("placement", "https://h/placement", "https://h/placement"),
    ],
)
def test_the_version_is_added_where_it_is_missing(service, url, expected):
    assert replies.versioned(service, url) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"error": {"code": 409, "message": "taken"}}', "taken"),
        ('{"badRequest": {"code": 400, "message": "bad spec"}}', "bad spec"),
        ('{"NeutronError": {"type": "T", "message": "no net", "detail": ""}}', "no net"),
        ('{"errors": [{"status": 404, "title": "Not Found", "detail": "no provider"}]}', "no provider"),
        ("<html><h1>502</h1>\n<p>Bad  Gateway</p></html>", "502 Bad Gateway"),
        ("", "no explanation in the reply"),
        ("{}", "no explanation in the reply"),
        ("null", "no explanation in the reply"),
        ("x" * 1000, "x" * 400),
    ],
)
def test_the_services_own_sentence(text, expected):
    assert replies.message_of(text) == expected


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_class_and_one_sentence(status):
    error = replies.error_for("GET compute /x", status, json.dumps({"e": {"message": "m"}}), 0)
    assert isinstance(error, errors.CloudError)
    assert error.status == status
    assert str(error).startswith("GET compute /x: {0} (".format(status)) and str(error).endswith("): m")
    assert isinstance(error, errors.ServiceFailed) == (status >= 500)


def test_next_links():
    assert replies.following_query({"links": {"next": "http://h/p?a=1&b="}}, "p") == [("a", "1"), ("b", "")]
    assert replies.following_query({"links": {"next": None}}, "p") is None
    assert replies.following_query({"p_links": [{"rel": "previous", "href": "x?y=1"}]}, "p") is None
    assert replies.following_query({"p_links": [{"rel": "next", "href": "x?y=1"}]}, "p") == [("y", "1")]
    assert replies.following_query({"next": "/v2/p?m=%2F"}, "p") == [("m", "/")]
    assert replies.following_query({}, "p") is None
