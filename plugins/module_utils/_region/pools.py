# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a pool: how many devices it has, and what Nova and Placement call them. Pure."""

from __future__ import annotations

from .names import alias, resource_class, site_trait


def cards_per_host(pool):
    """Return how many cards of a pool each of its hosts holds."""
    devices = pool["devices"]
    return len(devices) if isinstance(devices, list) else devices


def per_host(pool):
    """Return how many devices of a pool one host hands out: cards, VFs, vGPUs or MIG instances."""
    return cards_per_host(pool) * pool["slices"]


def describe(document):
    """Return the pools of a normalised document with all that follows from them, in their order.

    Each is the declared pool, and beside it ``jurisdiction``, ``cards_per_host``, ``per_host`` and ``total``
    (devices that can be handed out), ``resource_class`` and ``alias`` (None where there is none) and ``trait``.
    """
    jurisdictions = {site["name"]: site["jurisdiction"] for site in document["sites"]}
    return [_described(pool, jurisdictions[pool["site"]]) for pool in document["accelerators"]["pools"]]


def _described(pool, jurisdiction):
    what = (pool["model"], pool["mode"], pool["profile"])
    each = per_host(pool)
    return dict(
        pool,
        jurisdiction=jurisdiction,
        cards_per_host=cards_per_host(pool),
        per_host=each,
        total=each * len(pool["hosts"]),
        resource_class=resource_class(*what),
        alias=alias(*what),
        trait=site_trait(pool["site"]),
    )


def of_host(document, host):
    """Return the described pools that a host belongs to."""
    return [pool for pool in describe(document) if host in pool["hosts"]]
