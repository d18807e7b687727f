# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared around a mapping, as far as the linter was told. Pure.

A part that was not given is None here, and then nothing is said about it.
"""

from __future__ import annotations

from .mapping_lint_model import domain_of

DEFAULT_DOMAIN = "Default"
# Accounts that deployments of OpenStack make for themselves.
PRIVILEGED_USERS = (
    "admin", "root", "aodh", "barbican", "blazar", "ceilometer", "cinder", "cloudkitty", "cyborg", "designate",
    "glance", "gnocchi", "heat", "heat_domain_admin", "ironic", "keystone", "magnum", "manila", "masakari", "mistral",
    "neutron", "nova", "octavia", "placement", "swift", "trove", "watcher", "zun",
)
PRIVILEGED_ROLES = ("admin", "cloud_admin", "service")


class Context:
    """What is declared around mappings.

    Args:
        given: mapping with any of ``identity_providers``, ``service_providers``, ``mappings``, ``groups``, ``roles``,
            ``projects``, ``domains`` (each a list of names or of mappings with ``name``, or a mapping by name),
            ``assignments``, ``privileged_users``, ``privileged_roles``, ``federation`` (the options of that section)
            and ``keystone_release``. Groups and projects are ``domain/name``, or ``name`` in the domain Default.
    """

    def __init__(self, given=None):
        given = given if isinstance(given, dict) else {}
        self.providers = _rows(given.get("identity_providers"))
        self.service_providers = _rows(given.get("service_providers")) or []
        self.mappings = _names(given.get("mappings"))
        self.roles = _names(given.get("roles"))
        domains = _names(given.get("domains"))
        self.domains = None if domains is None else domains | {DEFAULT_DOMAIN}
        self.groups = _places(given.get("groups"))
        self.projects = _places(given.get("projects"))
        self.privileged_users = {one.casefold() for one in PRIVILEGED_USERS} | {
            one.casefold() for one in _names(given.get("privileged_users")) or ()}
        self.privileged_roles = {one.casefold() for one in PRIVILEGED_ROLES} | {
            one.casefold() for one in _names(given.get("privileged_roles")) or ()}
        self.privileged_groups = self._privileged_groups(_rows(given.get("assignments")) or [])
        federation = given.get("federation")
        self.federation = federation if isinstance(federation, dict) else {}
        self.release = release_of(given.get("keystone_release"))

    def _privileged_groups(self, assignments):
        return {place_of(row["group"]) for row in assignments
                if isinstance(row.get("group"), str)
                and str(row.get("role") or row.get("persona") or "").casefold() in self.privileged_roles}


def release_of(value):
    """Return a release such as ``2026.1`` as two numbers, or None."""
    parts = str(value).split(".") if value is not None else []
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(
        part.isascii() and part.isdigit() and len(part) < 9 for part in parts) else None


def place_of(name):
    """Return (domain, name) of ``domain/name``, or of ``name`` in the domain Default."""
    domain, unused, short = name.rpartition("/")
    return (domain or DEFAULT_DOMAIN, short)


def domain_name(part):
    """Return the name of the domain that a part of a rule names, or None when it is not written there.

    An id is only known to be Default when it is ``default``; others are None.
    """
    domain = part.get("domain") if isinstance(part, dict) else None
    name = domain_of(part)
    if name is None or "{" in name:
        return None
    if domain.get("name"):
        return name
    return DEFAULT_DOMAIN if name == "default" else None


def _rows(given):
    if isinstance(given, dict):
        given = [dict(row, name=name) for name, row in given.items() if isinstance(row, dict)]
    if not isinstance(given, (list, tuple)):
        return None
    return [row for row in given if isinstance(row, dict) and row.get("state") != "absent"]


def _names(given):
    if given is None or isinstance(given, (str, bytes)):
        return None
    try:
        items = list(given)
    except TypeError:
        return None
    rows = [item for item in items if not (isinstance(item, dict) and item.get("state") == "absent")]
    names = [item.get("name") if isinstance(item, dict) else item for item in rows]
    return {name for name in names if isinstance(name, str)}


def _places(given):
    if given is None or isinstance(given, (str, bytes)):
        return None
    items = given if isinstance(given, (list, tuple)) else list(_names(given) or ())
    places = set()
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("name"), str) and item.get("state") != "absent":
            domain = item.get("domain")
            places.add((domain, item["name"]) if isinstance(domain, str) and domain else place_of(item["name"]))
        elif isinstance(item, str):
            places.add(place_of(item))
    return places


def shown(place):
    """Return a place as operators write it."""
    return "/".join(place)
