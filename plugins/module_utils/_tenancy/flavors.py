# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nova flavors with their extra specs and access, a whole list at a time.

Nova stores extra specs in a second request, so the mark of the owner is the flavor's id: derived from owner and name,
it is there from the first moment. An adopted flavor keeps its id and gets the mark as an extra spec.
Source: Compute API 2.86, "Flavors", "Flavors extra-specs", "Flavors access".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import quote

from .._core import ownership
from .._core.change import Action
from .._core.errors import DeclarationError, Forbidden, Refused
from .._core.ownership import OWNERSHIP_SPEC, Existing
from .flavor_access import access_actions, observe_access, unknown_projects
from .names import LONGEST_FLAVOR_NAME, duplicates, name_problems, owner_problems, qualified

ARGUMENT_SPEC = dict(
    OWNERSHIP_SPEC,
    flavors={
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "vcpus": {"type": "int"},
            "ram_mib": {"type": "int"},
            "disk_gib": {"type": "int"},
            "description": {"type": "str"},
            "public": {"type": "bool", "default": True},
            "access": {"type": "list", "elements": "str"},
            "extra_specs": {"type": "dict"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
    },
    pending={"type": "list", "elements": "dict", "default": []},
)
MARK = "sovereign_region:owner"
# Source: Nova 34.0.0, nova/api/validation/parameter_types.py, extra_specs.
_SPEC_KEY = re.compile(r"[a-zA-Z0-9-_:. ]{1,255}\Z")
_LONGEST_SPEC = 255
SIZES = ("vcpus", "ram_mib", "disk_gib")
# What Nova fixes at creation. A flavor of another size is another flavor.
FIXED = SIZES + ("public",)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://sovereign.region/flavor")


@dataclass(frozen=True)
class Observed:
    """What Nova has.

    Attributes:
        flavors: mapping of name to Existing; ``fields`` has sizes, ``public``, ``description``, ``extra_specs``.
        access: mapping of flavor name to the set of ids of the projects that may use it, for flavors that need it.
        projects: mapping of ``domain/name`` to id; None when no declared flavor names a project.
    """

    flavors: dict
    access: dict
    projects: dict | None


def flavor_id(owner, name):
    """Return the id of a flavor that ``owner`` creates: it is the mark that it is ours."""
    return str(uuid.uuid5(_NAMESPACE, "{0}/{1}".format(owner, name)))


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    flavors = params["flavors"]
    found = owner_problems(params["owner"]) + duplicates("flavors", [flavor["name"] for flavor in flavors])
    for index, flavor in enumerate(flavors):
        path = "flavors[{0}]".format(index)
        found += name_problems(path + ".name", flavor["name"], LONGEST_FLAVOR_NAME)
        if flavor["state"] == "present":
            found += _size_problems(path, flavor)
        if flavor["public"] and flavor["access"]:
            found.append("{0}.access: a public flavor is for everyone; say public: false to name projects".format(path))
        found += duplicates(path + ".access", [qualified(name) for name in flavor["access"] or []])
        found += _spec_problems(path + ".extra_specs", flavor["extra_specs"] or {})
    return found


def _spec_problems(path, specs):
    found = []
    if MARK in specs:
        found.append("{0}: {1!r} is the mark of the owner; set it with the option owner".format(path, MARK))
    for key, value in specs.items():
        if not _SPEC_KEY.match(str(key)):
            found.append(
                "{0}: the key {1!r}; Nova takes 1 to 255 letters, digits, spaces and - _ . :".format(path, key)
            )
        if value is None or isinstance(value, (dict, list)):
            found.append("{0}.{1}: {2!r}; expected text, a number or a boolean; to remove a key, leave it out".format(
                path, key, value))
        elif len(str(value)) > _LONGEST_SPEC:
            found.append("{0}.{1}: {2} characters; at most {3}".format(path, key, len(str(value)), _LONGEST_SPEC))
    return found


def _size_problems(path, flavor):
    found = []
    for name, least in (("vcpus", 1), ("ram_mib", 1), ("disk_gib", 0)):
        if flavor[name] is None:
            found.append("{0}.{1}: missing; a flavor that is present needs {2}".format(path, name, ", ".join(SIZES)))
        elif flavor[name] < least:
            found.append("{0}.{1}: {2}; expected at least {3}".format(path, name, flavor[name], least))
    return found


def observe(cloud, params):
    """Return Observed: one list call for all flavors, and one for each private flavor whose access is declared."""
    rows = cloud.list("compute", "/flavors/detail", "flavors", {"is_public": "None"})
    flavors = {row["name"]: _existing(row, params["owner"]) for row in rows}
    access, projects = observe_access(cloud, params["flavors"], flavors)
    return Observed(flavors, access, projects)


def _existing(row, owner):
    if "extra_specs" not in row:
        # Taken for none, they would all be written again, and what is not declared would stay unseen.
        raise Forbidden("GET compute /flavors/detail: the policy of the service does not show extra specs to this user")
    specs = dict(row["extra_specs"])
    mark = specs.pop(MARK, None)
    fields = {
        "vcpus": row["vcpus"],
        "ram_mib": row["ram"],
        "disk_gib": row["disk"],
        "public": row["os-flavor-access:is_public"],
        "description": row.get("description") or "",
        "extra_specs": specs,
    }
    owned = row["id"] == flavor_id(owner, row["name"]) or mark == owner
    return Existing(row["id"], fields, owned, other=mark if mark and mark != owner else None)


def declared(params):
    """Return mapping of name to declared fields, extra specs as the strings that Nova keeps."""
    return {
        flavor["name"]: {
            "vcpus": flavor["vcpus"],
            "ram_mib": flavor["ram_mib"],
            "disk_gib": flavor["disk_gib"],
            "public": flavor["public"],
            "description": flavor["description"],
            "extra_specs": _strings(flavor["extra_specs"]),
            "state": flavor["state"],
        }
        for flavor in params["flavors"]
    }


def _strings(specs):
    if specs is None:
        return None
    return {str(key): str(value).lower() if isinstance(value, bool) else str(value) for key, value in specs.items()}


def decide(params, observed):
    """Return the plan: one action for each request. Pure.

    Raises:
        DeclarationError: access for a project that neither exists nor is pending.
        Refused: something is not ours, or of a size that Nova cannot change.
    """
    unknown = unknown_projects(params, observed.projects)
    if unknown:
        raise DeclarationError(unknown)
    wanted = declared(params)
    decision = ownership.decide("flavor", wanted, observed.flavors, params["adopt"], params["purge"])
    refusals = decision.refusals + _fixed_differences(decision.changes)
    if refusals:
        raise Refused("\n".join(refusals))
    changes = {action.name: action for action in decision.changes}
    plan = []
    for flavor in params["flavors"]:
        if flavor["state"] == "present":
            name = flavor["name"]
            if name in changes:
                plan += _flavor_actions(changes[name], wanted[name])
            plan += access_actions(flavor, observed, params)
    return plan + decision.removals


def _fixed_differences(changes):
    return [
        "flavor {0!r}: {1} is {2} and declared as {3}; Nova cannot change it: declare a flavor of another name, "
        "and this one absent".format(action.name, field, action.before[field], action.after[field])
        for action in changes
        if action.verb != "create"
        for field in FIXED
        if field in action.after
    ]


def _flavor_actions(action, wanted):
    """Split one decision into one action for each request."""
    specs_after = wanted["extra_specs"]
    fields = {key: value for key, value in action.after.items() if key != "extra_specs"}
    before = None if action.before is None else {key: action.before[key] for key in fields}
    plan = []
    if action.verb == "adopt":
        # The mark first: what follows is then a change of something that is ours.
        plan.append(Action("adopt", "flavor", action.name, {}, {}))
        if fields:
            plan.append(Action("update", "flavor", action.name, before, fields))
    elif action.verb == "create" or fields:
        plan.append(Action(action.verb, "flavor", action.name, before, fields))
    if "extra_specs" in action.after and specs_after is not None:
        specs_before = (action.before or {}).get("extra_specs") or {}
        plan += _spec_actions(action.name, specs_before, specs_after)
    return plan


def _spec_actions(name, before, after):
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    plan = []
    if changed:
        old = {key: before.get(key) for key in changed} if before else None
        plan.append(Action("update" if before else "create", "flavor extra specs", name, old, changed))
    for key in sorted(set(before) - set(after)):
        plan.append(Action("delete", "flavor extra spec", "{0} {1}".format(name, key), {key: before[key]}, None,
                           details={"flavor": name, "key": key}))
    return plan


def performer(cloud, params, observed):
    """Return a function that carries out one Action."""
    ids = {name: found.id for name, found in observed.flavors.items()}
    owner = params["owner"]

    def path(name):
        return "/flavors/{0}".format(ids[name])

    def perform(action):
        kind, verb, name = action.kind, action.verb, action.name
        if kind == "flavor" and verb == "create":
            body = {"flavor": _body(owner, name, action.after)}
            ids[name] = cloud.created("compute", "/flavors", body, "flavor")["id"]
        elif kind == "flavor" and verb == "adopt":
            cloud.post("compute", path(name) + "/os-extra_specs", {"extra_specs": {MARK: owner}})
        elif kind == "flavor" and verb == "update":
            cloud.put("compute", path(name), {"flavor": {"description": action.after["description"]}})
        elif kind == "flavor":
            cloud.delete("compute", path(name))
        elif kind == "flavor extra specs":
            cloud.post("compute", path(name) + "/os-extra_specs", {"extra_specs": action.after})
        elif kind == "flavor extra spec":
            # The name is for people: flavors and keys may both hold spaces.
            key = quote(action.details["key"], safe=":")
            cloud.delete("compute", "{0}/os-extra_specs/{1}".format(path(action.details["flavor"]), key))
        else:
            verb = "addTenantAccess" if verb == "grant" else "removeTenantAccess"
            project = action.details.get("id") or observed.projects[action.details["project"]]
            cloud.post("compute", path(action.details["flavor"]) + "/action", {verb: {"tenant": project}})

    return perform


def _body(owner, name, fields):
    body = {
        "id": flavor_id(owner, name),
        "name": name,
        "vcpus": fields["vcpus"],
        "ram": fields["ram_mib"],
        "disk": fields["disk_gib"],
        "os-flavor-access:is_public": fields["public"],
    }
    if fields.get("description"):
        body["description"] = fields["description"]
    return body


def describe(params, observed):
    """Return the declared flavors as they are now: name, id, sizes, public, extra specs, access."""
    names = {project: name for name, project in (observed.projects or {}).items()}
    rows = []
    for flavor in params["flavors"]:
        found = observed.flavors.get(flavor["name"])
        if found and flavor["state"] == "present":
            access = observed.access.get(flavor["name"])
            allowed = None if access is None else sorted(names.get(one, one) for one in access)
            rows.append(dict(found.fields, name=flavor["name"], id=found.id, owned=found.owned, access=allowed))
    return {"flavors": rows}
