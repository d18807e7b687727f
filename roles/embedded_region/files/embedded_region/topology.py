# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which simulated hosts the region has, at which sites, with which GPUs."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded_region import EmbeddedRegionError

# So that a host keeps its identity over restarts, and in every region made from one seed.
NODE_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "embedded.sovereign.region")


@dataclass(frozen=True)
class Host:
    """One simulated compute host; all its GPUs are of one model, as in the machines it stands for."""

    name: str
    site: str
    model: str
    vendor_id: str
    product_id: str
    gpus: int

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(NODE_NAMESPACE, self.name))

    @property
    def alias(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.model.lower())

    @property
    def resource_class(self) -> str:
        return "CUSTOM_GPU_" + _upper(self.model)

    @property
    def site_trait(self) -> str:
        return "CUSTOM_SITE_" + _upper(self.site)

    def addresses(self) -> list[str]:
        """PCI addresses as in an eight-GPU machine: one bus each, 0x10, 0x20 … ; the sockets take half of them each."""
        return [f"0000:{0x10 * (index + 1):02x}:00.0" for index in range(self.gpus)]


DEFAULT = [
    Host("gpu-a1", "site-a", "H200", "10de", "2335", 8),
    Host("gpu-a2", "site-a", "H200", "10de", "2335", 8),
    Host("gpu-b1", "site-b", "L40S", "10de", "26b9", 4),
    Host("gpu-b2", "site-b", "L40S", "10de", "26b9", 4),
]


def parse(raw: object) -> list[Host]:
    """Hosts from what the user declared; says what is wrong with which of them."""
    if not isinstance(raw, list) or not raw:
        raise EmbeddedRegionError("hosts must be a list with at least one host")
    hosts = []
    for number, entry in enumerate(raw):
        where = f"hosts[{number}]"
        if not isinstance(entry, dict):
            raise EmbeddedRegionError(f"{where} must be a mapping, not {entry!r}")
        fields = {"name", "site", "model", "vendor_id", "product_id", "gpus"}
        if set(entry) != fields:
            raise EmbeddedRegionError(f"{where} must have exactly {', '.join(sorted(fields))}; it has {sorted(entry)}")
        host = Host(**{**{key: str(entry[key]) for key in fields - {"gpus"}}, "gpus": int(entry["gpus"])})
        for key, pattern in (("name", r"[a-z0-9][a-z0-9.-]{0,62}"), ("site", r"[a-z0-9][a-z0-9-]{0,62}"),
                             ("model", r"[A-Za-z0-9][A-Za-z0-9 _-]*"),
                             ("vendor_id", r"[0-9a-f]{4}"), ("product_id", r"[0-9a-f]{4}")):
            if not re.fullmatch(pattern, getattr(host, key)):
                raise EmbeddedRegionError(f"{where}.{key} is {getattr(host, key)!r}: expected {pattern}")
        if not 1 <= host.gpus <= 15:
            raise EmbeddedRegionError(f"{where}.gpus is {host.gpus}: expected 1 to 15")
        hosts.append(host)
    names = [host.name for host in hosts]
    for name in names:
        if names.count(name) > 1:
            raise EmbeddedRegionError(f"two hosts are named {name}")
    identities: dict[str, tuple[str, str]] = {}
    for host in hosts:
        known = identities.setdefault(host.alias, (host.vendor_id, host.product_id))
        if known != (host.vendor_id, host.product_id):
            raise EmbeddedRegionError(f"model {host.model} has two PCI identities: {':'.join(known)} and "
                                      f"{host.vendor_id}:{host.product_id}")
    return hosts


def load(path: Path) -> list[Host]:
    return parse(json.loads(path.read_text(encoding="utf-8")))


def dump(hosts: list[Host]) -> str:
    return json.dumps([asdict(host) for host in hosts], indent=1) + "\n"


def models(hosts: list[Host]) -> list[Host]:
    """One host for each model, in the order of their first appearance."""
    return list({host.alias: host for host in reversed(hosts)}.values())[::-1]


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper())
