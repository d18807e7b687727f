# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages: Keystone's, Nova's and Glance's links, and links that lead nowhere good."""

from __future__ import annotations

import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_keystones_pages(fake, open_cloud, size):
    made = [fake.identity.add_project("p{0}".format(index))["id"] for index in range(7)]
    fake.page_size = size
    cloud = open_cloud()
    assert [row["id"] for row in cloud.list("identity", "/projects", "projects")] == made
    assert cloud.calls == 1 + -(-7 // size)


def test_novas_pages_keep_the_query(fake, open_cloud):
    made = [fake.compute.add("f{0}".format(index))["id"] for index in range(5)]
    fake.page_size = 2
    rows = open_cloud().list("compute", "/flavors/detail", "flavors", {"is_public": "None"})
    assert [row["id"] for row in rows] == made
    assert [one.query.get("is_public") for one in fake.seen[1:]] == ["None"] * 3


def serve_images(fake, links):
    """Serve an image list whose pages bear ``links``."""
    fake.paths["image"] = "/image/v2"
    for index, link in enumerate(links):
        reply = {"images": [{"id": str(index)}], "next": link} if link else {"images": [{"id": str(index)}]}
        fake.fail(method="GET", path="/image/v2/images$", times=1, status=200, body=json.dumps(reply))


@pytest.mark.parametrize(
    "link",
    [
        "/v2/images?marker=0",
        "/image/v2/images?marker=0",
        "http://internal.example:9292/v2/images?marker=0",
        "?marker=0",
    ],
)
def test_glances_links_behind_a_proxy(fake, open_cloud, link):
    serve_images(fake, [link, None])
    assert [row["id"] for row in open_cloud().list("image", "/images", "images")] == ["0", "1"]
    assert fake.seen[-1].path == "/image/v2/images"
    assert fake.seen[-1].query == {"marker": "0"}


def test_pages_in_a_circle_are_an_error(fake, open_cloud):
    serve_images(fake, ["/v2/images?marker=a", "/v2/images?marker=b", "/v2/images?marker=a"])
    with pytest.raises(errors.ServiceFailed, match="GET image /images: the pages of the list lead in a circle"):
        open_cloud().list("image", "/images", "images")
    assert len(fake.seen) == 4


def test_a_list_that_was_cut_is_an_error(fake, open_cloud):
    fake.fail(method="GET", path="/projects$", status=200, body='{"projects": [], "truncated": true}')
    with pytest.raises(errors.CloudError, match="cut the list /projects at its list_limit"):
        open_cloud().list("identity", "/projects", "projects")


def test_a_fault_on_a_later_page_is_retried_there(fake, open_cloud, waited):
    for index in range(4):
        fake.identity.add_project("p{0}".format(index))
    fake.page_size = 2
    fake.fail(method="GET", path="/projects$", skip=1, times=1, status="cut")
    assert len(open_cloud().list("identity", "/projects", "projects")) == 4
    assert len(waited) == 1
