# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new region has from its first minute, set through its own APIs: traits of the sites, a canary image."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import yaml

from embedded_region import EmbeddedRegionError
from embedded_region.layout import Layout
from embedded_region.topology import Host

IMAGE = "gpu-canary"


class Api:
    """A few calls with one token; the SDK would take longer to import than these take."""

    def __init__(self, layout: Layout) -> None:
        cloud = yaml.safe_load(layout.clouds.read_text(encoding="utf-8"))["clouds"]["embedded-admin"]
        auth = cloud["auth"]
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.token = ""
        body, headers = self.call("POST", auth["auth_url"] + "/auth/tokens", {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": auth["username"], "domain": {"id": "default"}, "password": auth["password"]}}},
            "scope": {"project": {"name": auth["project_name"], "domain": {"id": "default"}}}}})
        self.token = headers["X-Subject-Token"]
        self.endpoints = {service["type"]: next(each["url"] for each in service["endpoints"]
                                                if each["interface"] == "public")
                          for service in body["token"]["catalog"]}

    def call(self, method: str, url: str, body: Any = None, content: str = "application/json",
             accept: tuple[int, ...] = (200, 201, 202, 204)) -> tuple[Any, Any]:
        """(answer, headers) of one request; anything unexpected ends the command."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers={
            "Content-Type": content, "X-Auth-Token": self.token, "User-Agent": "embedded-region",
            "OpenStack-API-Version": "placement 1.39"})
        try:
            with self.opener.open(request, timeout=60) as answer:
                text = answer.read()
                if answer.status not in accept:
                    raise EmbeddedRegionError(f"{method} {url}: {answer.status}")
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            raise EmbeddedRegionError(f"{method} {url}: {error.code} {error.read()[:500].decode(errors='replace')}") \
                from None


def fill(layout: Layout, hosts: list[Host], say: Callable[[str], None]) -> None:
    """Brings traits and image about; changes nothing where they are there."""
    api = Api(layout)
    if traits(api, hosts):
        say("set the sites' traits on the hosts in Placement")
    if image(api):
        say(f"uploaded image {IMAGE}")


def traits(api: Api, hosts: list[Host]) -> bool:
    """CUSTOM_SITE_… on the root provider of each host: Nova rewrites those of its PCI children, not these."""
    placement = api.endpoints["placement"]
    roots = {each["name"]: each["uuid"] for each in api.call("GET", placement + "/resource_providers")[0]
             ["resource_providers"] if each["parent_provider_uuid"] is None}
    if missing := [host.name for host in hosts if host.name not in roots]:
        raise EmbeddedRegionError(f"Placement does not know the hosts {', '.join(missing)}; see log/nova.log")
    known = set(api.call("GET", placement + "/traits?name=startswith:CUSTOM_SITE_")[0]["traits"])
    changed = False
    for trait in sorted({host.site_trait for host in hosts} - known):
        api.call("PUT", f"{placement}/traits/{trait}")
    for host in hosts:
        address = f"{placement}/resource_providers/{host.uuid}/traits"
        found = api.call("GET", address)[0]
        sites = {trait for trait in found["traits"] if trait.startswith("CUSTOM_SITE_")}
        if sites != {host.site_trait}:
            found["traits"] = sorted(set(found["traits"]) - sites | {host.site_trait})
            api.call("PUT", address, found)
            changed = True
    return changed


def image(api: Api) -> bool:
    """A public image of one KiB: what the simulated hypervisor boots does not matter to it."""
    glance = api.endpoints["image"] + "/v2/images"
    found = api.call("GET", f"{glance}?name={IMAGE}")[0]["images"]
    if any(each["status"] == "active" for each in found):
        return False
    for each in found:
        api.call("DELETE", f"{glance}/{each['id']}")
    made = api.call("POST", glance, {"name": IMAGE, "visibility": "public", "disk_format": "raw",
                                     "container_format": "bare", "min_disk": 0, "min_ram": 0})[0]
    api.call("PUT", f"{glance}/{made['id']}/file", bytes(1024), "application/octet-stream")
    return True
