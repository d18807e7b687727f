# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document as the checks see it: only items of sound shape, and every name that can be read.

An item that is broken in shape is not judged further, but its name still counts as declared, so that
one mistake is one problem and not one for everything that refers to it.
"""

from __future__ import annotations

from itertools import islice

from .._core.schema import Problem, child, close
from .names import qualified
from .schema import VALIDATOR

# The domain that every Keystone has.
DEFAULT_DOMAIN = "Default"

# About a second: a thousand wrong names in a document of a thousand projects are told without their nearest.
MOST_COMPARISONS = 100000

WORDS = {
    "sites": "site",
    "pools": "pool",
    "domains": "domain",
    "projects": "project",
    "flavors": "flavor",
    "groups": "group",
    "users": "user",
    "assignments": "assignment",
    "scopes": "scope",
    "mappings": "mapping",
    "identity_providers": "identity provider",
    "service_providers": "service provider",
}
# What lives in a domain, and is written ``name`` where one domain has it, else ``domain/name``.
IN_DOMAINS = ("projects", "groups", "users")


class View:
    """Items and names of a document, some of which may be broken.

    Args:
        document: plain data.
        broken: paths of the problems that are known already.
        root: the path of the document itself.

    Attributes:
        sites, pools, domains, projects, flavors, groups, users, assignments, scopes, mappings,
            identity_providers, service_providers: lists of (path, item with its defaults), sound items only.
        names: mapping of those words to the list of (path, name), of every item with a readable name.
        site_of, pool_of, project_of: mapping of name to sound item; projects by ``domain/name``.
        identity_path: the path of that section.
        keystone_release, absent: what stands there; judged by the schema.
    """

    def __init__(self, document, broken, root):
        self._broken = _with_parents(broken)
        self._missing = frozenset(broken)
        self._uncertain = set()
        self._unsound = set()
        self.names = {}
        self.sites = self._items(document, root, "sites")
        self.pools = self._items(document.get("accelerators", {}), child(root, "accelerators"), "pools")
        tenancy, identity = document.get("tenancy", {}), document.get("identity", {})
        where = child(root, "tenancy")
        self.domains = self._items(tenancy, where, "domains")
        self.projects = self._items(tenancy, where, "projects")
        self.flavors = self._items(tenancy, where, "flavors")
        self.identity_path = where = child(root, "identity")
        self.groups = self._items(identity, where, "groups")
        self.users = self._items(identity, where, "users")
        self.assignments = self._items(identity, where, "assignments")
        self.scopes = self._items(identity, where, "scopes")
        self.mappings = self._items(identity, where, "mappings")
        self.identity_providers = self._items(identity, where, "identity_providers")
        self.service_providers = self._items(identity, where, "service_providers")
        self.absent = identity.get("absent") if isinstance(identity, dict) else None
        self.keystone_release = identity.get("keystone_release") if isinstance(identity, dict) else None
        self.site_of = {site["name"]: site for path, site in reversed(self.sites)}
        self.pool_of = {pool["name"]: pool for path, pool in reversed(self.pools)}
        self.project_of = {
            qualified(project["domain"], project["name"]): project for path, project in reversed(self.projects)
        }
        self._comparisons = 0
        sections = {"projects": tenancy, "groups": identity, "users": identity}
        self._by_name = {kind: _full_names(sections[kind], kind) for kind in IN_DOMAINS}
        self._full_names = {
            kind: dict.fromkeys(sorted(name for names in found.values() for name in names))
            for kind, found in self._by_name.items()
        }

    def declared(self, kind):
        """Return the names of one kind, also those of broken items."""
        return [name for path, name in self.names[kind]]

    def meant(self, kind, reference):
        """Return the full names that a reference to a project, group or user may mean: one, none or several."""
        if "/" in reference:
            return [reference] if reference in self._full_names[kind] else []
        return self._by_name[kind].get(reference, [])

    def refer(self, path, kind, reference):
        """Return the problems of a reference to a project, group or user, and its full name where there is none."""
        meant = self.meant(kind, reference)
        if len(meant) > 1:
            expected = "the {0} with its domain: {1}".format(WORDS[kind], " or ".join(meant))
            return [Problem(path, reference, expected, kind="reference")], None
        if not meant:
            valid = dict(self._full_names[kind])
            if "/" not in reference:
                valid = dict.fromkeys(sorted(self._by_name[kind]) + list(valid))
            return self.unknown(path, reference, kind, valid), None
        return [], meant[0]

    def unknown(self, path, value, kind, valid):
        """Return the problem of a reference to what is not declared, as a list.

        It is empty where a name of that kind could not be read: it may be the one that is meant.
        """
        if kind in self._uncertain:
            return []
        shown = list(islice(valid, 8)) + (["…"] if len(valid) > 8 else [])
        expected = "a declared {0} ({1})".format(WORDS[kind], ", ".join(shown) or "there is none")
        self._comparisons += len(valid)
        nearest = close(value, valid) if self._comparisons <= MOST_COMPARISONS else None
        return [Problem(path, value, expected, nearest, kind="reference")]

    def all_sound(self, kind):
        """Say whether every item of one kind could be judged."""
        return kind not in self._uncertain and kind not in self._unsound

    def _items(self, section, path, kind):
        path = child(path, kind)
        items = section.get(kind, []) if isinstance(section, dict) else None
        if not isinstance(items, list) or path in self._missing:
            self._uncertain.add(kind)
        items = items if isinstance(items, list) else []
        sound, self.names[kind] = [], []
        for index, item in enumerate(items):
            where = child(path, index)
            name = item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str):
                self.names[kind].append((where, name))
            else:
                self._uncertain.add(kind)
            if where in self._broken:
                self._unsound.add(kind)
                continue
            item = VALIDATOR.complete_part(WORDS[kind].replace(" ", "_"), item)
            if kind == "pools":
                item["consumer"] = _consumer(items[index])
            sound.append((where, item))
        return sound


def _consumer(pool):
    """Return who consumes a pool: what is written, or who follows from the mode."""
    return pool.get("consumer") or (None if pool["mode"] == "host" else "nova")


def _with_parents(paths):
    """Return the paths and those of everything they stand in."""
    found = set(paths)
    for path in paths:
        found.update(path[:index] for index, sign in enumerate(path) if sign in ".[")
    return found


def _full_names(section, kind):
    """Return mapping of name to full names of what lives in domains, also of items that are broken elsewhere."""
    found = {}
    items = section.get(kind) if isinstance(section, dict) else None
    for item in items if isinstance(items, list) else []:
        item = item if isinstance(item, dict) else {}
        name, domain = item.get("name"), item.get("domain", DEFAULT_DOMAIN)
        if isinstance(name, str) and isinstance(domain, str):
            full = qualified(domain, name)
            if full not in found.setdefault(name, []):
                found[name].append(full)
    return found
