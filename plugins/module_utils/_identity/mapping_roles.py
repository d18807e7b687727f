# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which roles somebody has after a login: those of the groups, as assignments are declared, and those of the mapping.

Pure. What Keystone has besides what is declared is not known here, and neither are roles that other roles imply.
"""

from __future__ import annotations

_WHERE = ("project", "domain", "system")


def roles(evaluation, assignments):
    """Return the roles, each once.

    Args:
        evaluation: an Evaluation of mapping_engine.
        assignments: list of mappings with ``role`` or ``persona``, ``group`` or ``user``, one of ``project``,
            ``domain`` and ``system``, and ``inherited``, as the region document has them; None when nothing is known.

    Returns:
        list of mappings with ``role``, one of ``project``, ``domain`` and ``system``, ``inherited`` where it holds for
        the projects below instead, and ``group`` where a group has the role.
    """
    if not evaluation.accepted:
        return []
    groups = [name for name in map(qualified, evaluation.group_names) if name]
    user = qualified(evaluation.user) if evaluation.user.get("type") == "local" else None
    found = []
    for one in assignments or []:
        row = {"role": one.get("role") or one.get("persona")}
        row.update({key: one[key] for key in _WHERE if one.get(key)})
        if one.get("inherited"):
            row["inherited"] = True
        if _named(one.get("group")) in groups:
            found.append(dict(row, group=_named(one["group"])))
        elif user and _named(one.get("user")) == user:
            found.append(row)
    for project in evaluation.projects:
        name = qualified(project) or project.get("name")
        found += [{"role": one.get("name"), "project": name} for one in project.get("roles") or []]
    return [row for index, row in enumerate(found) if row not in found[:index]]


def _named(reference):
    """Return ``domain/name`` for a group or user written with or without its domain; None for none."""
    if not reference:
        return None
    return reference if "/" in reference else "Default/{0}".format(reference)


def qualified(thing):
    """Return ``domain/name`` for what a mapping made; None where it has no such name."""
    domain = thing.get("domain") if isinstance(thing, dict) else None
    if not isinstance(domain, dict) or not isinstance(thing.get("name"), str):
        return None
    place = domain.get("name") or ("Default" if domain.get("id") == "default" else domain.get("id"))
    return "{0}/{1}".format(place, thing["name"]) if place else None
