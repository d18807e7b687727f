# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Cloud does when the services fail: retries only where that is safe, and one clear message each."""

from __future__ import annotations

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors
from ansible_collections.sovereign.region.plugins.module_utils._core.api import WAITS

BODY = {"project": {"name": "p", "domain_id": "default"}}


def listed(cloud):
    return cloud.list("identity", "/projects", "projects")


def sent(fake, method="GET"):
    return len(fake.requests(method, "/projects"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, "cut"])
def test_a_get_is_tried_again_until_it_works(fake, open_cloud, waited, status):
    fake.fail(method="GET", path="/projects$", times=2, status=status)
    cloud = open_cloud()
    assert listed(cloud) == []
    assert sent(fake) == 3
    assert waited == list(WAITS[:2])
    assert cloud.calls == len(fake.seen) == 4


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_get_is_given_up_in_the_end(fake, open_cloud, waited, status):
    fake.fail(method="GET", path="/projects$", status=status)
    kind = errors.RateLimited if status == 429 else errors.ServiceFailed
    with pytest.raises(
        kind, match="GET identity /projects: {0} .*after 4 retries: planned fault".format(status)
    ) as caught:
        listed(open_cloud())
    assert caught.value.status == status
    assert sent(fake) == 5
    assert waited == list(WAITS)


def test_a_get_that_hangs_is_tried_again(fake, open_cloud, waited):
    fake.fail(method="GET", path="/projects$", times=1, status="hang")
    cloud = open_cloud(timeout=60)
    cloud._timeout = 0.2
    assert listed(cloud) == []
    assert sent(fake) == 2
    assert waited == [WAITS[0]]


@pytest.mark.parametrize("status", [500, 502, 504, "cut"])
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_post_that_may_have_worked_is_sent_once(fake, open_cloud, waited, status, carried_out):
    fake.fail(method="POST", path="/projects$", status=status, carried_out=carried_out)
    with pytest.raises((errors.ServiceFailed, errors.ServiceUnreachable)):
        open_cloud().post("identity", "/projects", BODY)
    assert sent(fake, "POST") == 1
    assert waited == []


def test_a_post_that_hangs_is_sent_once(fake, open_cloud, waited):
    cloud = open_cloud()
    listed(cloud)
    fake.fail(method="POST", path="/projects$", status="hang")
    cloud._timeout = 0.2
    with pytest.raises(
        errors.ServiceUnreachable, match="no reply from .* within 0.2 s; whether it took effect is not known"
    ):
        cloud.post("identity", "/projects", BODY)
    assert sent(fake, "POST") == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_what_was_not_carried_out_is_sent_again(fake, open_cloud, waited, status, method):
    project = fake.identity.add_project("p")
    path = "/projects" if method == "POST" else "/projects/" + project["id"]
    fake.fail(method=method, path="/projects", times=3, status=status)
    cloud = open_cloud()
    if method == "PUT":
        with pytest.raises(errors.NotFound):
            cloud.request(method, "identity", path, BODY)
    elif method == "POST":
        cloud.post("identity", path, {"project": {"name": "other", "domain_id": "default"}})
    else:
        cloud.request(method, "identity", path, BODY)
    assert waited == list(WAITS[:3])
    assert len(fake.mutations()) == 4


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_other_changes_are_not_repeated_on_500(fake, open_cloud, method):
    fake.fail(status=500)
    with pytest.raises(errors.ServiceFailed):
        open_cloud().request(method, "identity", "/projects/x", BODY)
    assert len(fake.mutations()) == 1


@pytest.mark.parametrize(
    "value, expected",
    [
        ("3", 3.0),
        ("0", 0.0),
        ("86400", 60.0),
        ("inf", 60.0),
        ("-5", WAITS[0]),
        ("nan", WAITS[0]),
        ("soon", WAITS[0]),
        ("", WAITS[0]),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 60.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", WAITS[0]),
    ],
)
def test_retry_after_is_honoured_within_reason(fake, open_cloud, waited, value, expected):
    fake.fail(method="GET", path="/projects$", times=1, status=429, headers={"Retry-After": value})
    listed(open_cloud())
    assert waited == [expected]


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, errors.CloudError),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.CloudError),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_is_final_and_in_the_services_own_words(fake, open_cloud, status, kind, method):
    fake.fail(method=method, path="/projects$", status=status)
    with pytest.raises(kind) as caught:
        open_cloud().request(method, "identity", "/projects", BODY if method == "POST" else None)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("{0} identity /projects: {1} (".format(method, status))
    assert str(caught.value).endswith("planned fault")
    assert sent(fake, method) == 1


def test_deleting_what_is_gone_is_no_error(fake, open_cloud):
    assert open_cloud().delete("identity", "/projects/gone") is None


@pytest.mark.parametrize(
    "body", ["<html>hello</html>", "[]", "null", '"text"', '{"ok": true}', '{"projects": null}', ""]
)
def test_a_reply_that_is_no_list_is_never_taken_for_an_empty_one(fake, open_cloud, body):
    fake.fail(method="GET", path="/projects$", status=200, body=body)
    with pytest.raises(errors.ServiceFailed, match="GET identity /projects: the reply"):
        listed(open_cloud())


@pytest.mark.parametrize("body", ["{}", '{"project": {}}', '{"project": []}', ""])
def test_a_creation_that_says_nothing_is_an_error(fake, open_cloud, body):
    fake.fail(method="POST", path="/projects$", status=200, body=body)
    with pytest.raises(errors.ServiceFailed, match="does not say what was created"):
        open_cloud().created("identity", "/projects", BODY, "project")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_loop_ends(fake, open_cloud, status):
    here = fake.auth_url + "/projects"
    fake.fail(method="GET", path="/projects$", status=status, headers={"Location": here}, body="")
    with pytest.raises(
        errors.CloudError, match="redirects to .*/projects, after 3 redirects at most; correct the endpoint"
    ):
        listed(open_cloud())
    assert sent(fake) == 4


def test_an_html_page_of_a_gateway_is_shortened(fake, open_cloud):
    fake.fail(method="POST", path="/projects$", status=502, body="<html><b>Bad</b>\n gateway" + "x" * 5000)
    with pytest.raises(errors.ServiceFailed) as caught:
        open_cloud().post("identity", "/projects", BODY)
    assert "Bad gateway" in str(caught.value)
    assert len(str(caught.value)) < 600
    assert "<" not in str(caught.value)
