# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a region: complete, self-contained, and safe against the names that tenants choose."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from ansible_collections.sovereign.region.plugins.action.region import described
from ansible_collections.sovereign.region.plugins.filter.region_page import region_page
from ansible_collections.sovereign.region.plugins.module_utils._region.document import load

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def declared(**pool):
    return described(load({
        "version": 1,
        "name": "r",
        "sites": [{"name": "site-a", "jurisdiction": "DE"}, {"name": "site-b", "jurisdiction": "FR"}],
        "accelerators": {"pools": [dict({"name": "h200", "site": "site-a", "hosts": ["gpu-a1"], "model": "H200",
                                         "mode": "passthrough", "devices": 4}, **pool)]},
        "tenancy": {
            "projects": [{"name": "clinic", "residency": "DE"}, {"name": "weather"}],
            "flavors": [{"name": "h200.1", "pool": "h200", "gpus": 1, "vcpus": 4, "ram_mib": 8192, "disk_gib": 10,
                         "access": ["clinic"]}],
        },
    }))


def device(name, *holders, total=1, reserved=0):
    return {"name": name, "total": total, "reserved": reserved,
            "holders": [{"domain": one.partition("/")[0], "project": one.partition("/")[2], "server_id": "s",
                         "amount": 1}
                        for one in holders]}


CAPACITY = [{"name": "h200", "hosts": [{"name": "gpu-a1", "devices": [
    device("0000:10:00.0", "Default/clinic"), device("0000:11:00.0", "Default/clinic"),
    device("0000:12:00.0", reserved=1), device("0000:13:00.0")]}]}]
PROJECTS = [{"name": "clinic", "domain": "Default", "description": "Patients", "enabled": True, "tags": []},
            {"name": "weather", "domain": "Default", "description": "", "enabled": False, "tags": []}]
FLAVORS = [{"name": "h200.1", "vcpus": 4, "ram_mib": 8192, "disk_gib": 10, "public": False,
            "access": ["Default/clinic"]}]


def page(capacity=CAPACITY, projects=PROJECTS, flavors=FLAVORS, note="simulated hardware"):
    return region_page(declared(), capacity, projects, flavors, "2026-11-21 08:00 UTC", note)


def test_it_says_what_is_there_and_who_holds_it():
    text = Reader(page()).text
    for words in ("simulated hardware", "site-a jurisdiction DE", "site-b jurisdiction FR No pool.", "1 of 4 free",
                  "0000:10:00.0 used by Default/clinic", "0000:12:00.0 reserved", "0000:13:00.0 free",
                  "h200.1 1 × H200 4 8 GiB 10 GiB Default/clinic", "Default/clinic Patients DE h200.1 2 × H200",
                  "Default/weather disabled anywhere nothing", "2026-11-21 08:00 UTC"):
        assert words in text, words


def test_every_square_is_named_for_those_who_do_not_see_it():
    page_of = Reader(page())
    squares = [value for key, value in page_of.attributes if key == "class" and value.startswith("d ")]
    assert squares == ["d free", "d used", "d reserved"] + ["d used", "d used", "d reserved", "d free"]
    assert ("aria-label", "gpu-a1: 1 free, 2 used, 1 reserved") in page_of.attributes


def test_it_fetches_nothing_and_runs_nothing():
    read = Reader(page())
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert not [key for key, value in read.attributes if key in ("src", "href") or key.startswith("on")]
    assert "url(" not in page() and "@import" not in page() and "http://" not in page() and "https://" not in page()


def test_every_tag_is_closed():
    assert Reader(page()).open == []


def test_a_device_that_is_cut_has_a_square_for_each_part():
    cut = [{"name": "h200", "hosts": [{"name": "gpu-a1", "devices": [device("gpu0", "Default/clinic", total=7)]}]}]
    assert "6 of 7 free" in Reader(page(capacity=cut)).text


def test_what_no_server_holds_is_said_to_be_so():
    leaked = dict(device("gpu0"), holders=[{"domain": None, "project": None, "server_id": "c0ffee", "amount": 1}])
    text = Reader(page(capacity=[{"name": "h200", "hosts": [{"name": "gpu-a1", "devices": [leaked]}]}])).text
    assert "gpu0 used by c0ffee, which is no server" in text


def test_a_pool_that_was_not_measured_is_not_called_free():
    text = Reader(page(capacity=[])).text
    assert "not known" in text and "of 4 free" not in text


@pytest.mark.parametrize("where", ["capacity", "projects", "flavors", "note"])
def test_hostile_names_stay_text(where):
    given = {
        "capacity": [{"name": "h200", "hosts": [{"name": "gpu-a1", "devices": [device(HOSTILE, HOSTILE)]}]}],
        "projects": [dict(PROJECTS[0], name=HOSTILE, description=HOSTILE)],
        "flavors": [dict(FLAVORS[0], name=HOSTILE, access=[HOSTILE])],
        "note": HOSTILE,
    }
    text = page(**{where: given[where]})
    read = Reader(text)
    assert "<script" not in text and "<img" not in text
    assert not {"script", "img"} & set(read.tags)
    assert not [key for key, value in read.attributes if key.startswith("on")]
    assert "alert(1)" in read.text


def with_identity(name="g", description="Who reads images"):
    """A document with people, of whom a group and a provider bear a name and a description."""
    return described(load({
        "version": 1,
        "name": "r",
        "sites": [{"name": "site-a", "jurisdiction": "DE"}],
        "tenancy": {"projects": [{"name": "clinic"}], "domains": [{"name": "d"}]},
        "identity": {
            "groups": [{"name": name, "description": description}, {"name": "auditors", "members": ["otto"]}],
            "users": [{"name": "otto"}],
            "assignments": [
                {"persona": "member", "group": name, "project": "clinic"},
                {"persona": "reader", "group": name, "domain": "d", "inherited": True},
                {"persona": "auditor", "group": "auditors", "system": True},
                {"role": "creator", "user": "otto", "domain": "d"},
            ],
            "mappings": [{"name": "m", "rules": [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "sub"}]}]}],
            "identity_providers": [{"name": "campus", "domain": "d", "description": description, "enabled": False,
                                    "protocols": [{"name": "openid", "mapping": "m"}]}],
        },
    }))


def test_who_may_do_what_and_who_vouches_for_them():
    text = Reader(region_page(with_identity(), [], [], [], "now")).text
    assert ("Default/g Who reads images member in Default/clinic reader in all projects below domain d "
            "whom identity providers name") in text
    assert "Default/auditors auditor of the region Default/otto" in text
    assert "Default/otto role creator in domain d a local user" in text
    assert "campus disabled Who reads images d openid, mapping m" in text


def test_without_identity_the_page_says_nothing_about_it():
    text = Reader(page()).text
    assert "Who may do what" not in text and "Who vouches" not in text


def test_hostile_names_of_people_stay_text():
    # A slash separates domain and name, so a group cannot have one; a description can.
    html = region_page(with_identity(HOSTILE.replace("/", ""), HOSTILE), [], [], [], "now")
    reader = Reader(html)
    assert "script" not in reader.tags and "img" not in reader.tags
    assert HOSTILE in " ".join(reader.words)
