# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots one server for each GPU flavor, checks in Placement what it got, and deletes it. One at a time.

It works in a project of its own, which says who made it and until when, like a lock: what a killed run left is found
by that and removed first, and a run that is still at work is not disturbed.
"""

from __future__ import annotations

import uuid

from .._core.errors import CloudError, Refused, RegionError
from .._core.host import Host
from .._core.verdicts import seen, verdict
from .canary_boot import Booth
from .canary_project import TAG, CanaryProject
from .canary_stock import judge_room, room
from .lock_machine import Machine
from .lock_record import stamp
from .names import duplicates, name_problems

ARGUMENT_SPEC = {
    "flavors": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "pool": {"type": "str"},
            "gpus": {"type": "int", "required": True},
            "resource_class": {"type": "str", "required": True},
            "projects": {"type": "list", "elements": "str"},
        },
    },
    "image": {"type": "str", "required": True},
    "network": {"type": "str", "default": "none"},
    "project": {"type": "str", "default": TAG},
    "domain": {"type": "str", "default": "Default"},
    "keep_free": {"type": "int", "default": 1},
    "boot_timeout": {"type": "int", "default": 300},
}
RULE = "canary.boot"


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    found = duplicates("flavors", [flavor["name"] for flavor in params["flavors"]])
    for index, flavor in enumerate(params["flavors"]):
        if flavor["gpus"] < 1:
            found.append("flavors[{0}].gpus: {1}; expected at least 1".format(index, flavor["gpus"]))
    found += name_problems("project", params["project"])
    if params["keep_free"] < 0:
        found.append("keep_free: {0}; expected 0 or more".format(params["keep_free"]))
    if params["boot_timeout"] < 1:
        found.append("boot_timeout: {0}; expected at least 1 second".format(params["boot_timeout"]))
    return found


def execute(cloud, params, check_mode, machine=None):
    """Return the module's result. Everything is put back, so it is never a change."""
    machine = machine or Machine(Host(), None, required=False)
    verdicts = []
    if params["flavors"]:
        verdicts = _look(cloud, params) if check_mode else _work(cloud, params, machine)
    return {"canary": verdicts, "changed": False, "actions": [], "api_calls": cloud.calls}


def _look(cloud, params):
    """Return what a real run would do, as verdicts that judge nothing."""
    known, found = _flavors(cloud), []
    for flavor in params["flavors"]:
        problem, message, evidence = _preflight(cloud, params, flavor, known)
        message = message if problem else "would boot one server with {0} x {1} and delete it".format(
            flavor["gpus"], flavor["resource_class"])
        found.append(verdict(RULE, flavor["name"], problem or "not_applicable", message, evidence))
    return found


def _work(cloud, params, machine):
    known = _flavors(cloud)
    image = _image(cloud, params["image"])
    network = _network(cloud, params["network"])
    project = CanaryProject(cloud, params, machine)
    private = [known[one["name"]]["id"] for one in params["flavors"]
               if one["name"] in known and not known[one["name"]]["os-flavor-access:is_public"]]
    try:
        project.remove_leftovers(private)
    except Refused as error:
        return [verdict(RULE, one["name"], "error", str(error), _failed(cloud, error)) for one in params["flavors"]]
    found = []
    try:
        for flavor in params["flavors"]:
            found.append(_canary(cloud, params, flavor, known, project, (image, network, machine)))
    finally:
        left = project.remove(private)
    if left:
        found.append(verdict(RULE, "project {0}".format(params["project"]), "error",
                             "could not be removed: {0}; the next canary tries again".format(left),
                             [seen("keystone DELETE /projects", stamp(cloud.server_time or 0), None, "error")]))
    return found


def _canary(cloud, params, flavor, known, project, means):
    """Return the verdict on one flavor."""
    image, network, machine = means
    name = flavor["name"]
    try:
        problem, message, evidence = _preflight(cloud, params, flavor, known)
        if problem:
            return verdict(RULE, name, problem, message, evidence)
        row = known[name]
        project.open(row["id"], row["os-flavor-access:is_public"])
        booth = Booth(cloud, project.scoped, machine, params["boot_timeout"])
        body = {"name": "canary-{0}-{1}".format(name, uuid.uuid4().hex[:8]), "flavorRef": row["id"],
                "imageRef": image, "networks": network}
        status, message, more = booth.try_one(body, flavor)
        if status == "fail" and "No valid host" in message:
            again, why, proof = _preflight(cloud, params, flavor, known)
            if again == "not_applicable":
                return verdict(RULE, name, again, "others took the devices meanwhile: {0}".format(why), more + proof)
        return verdict(RULE, name, status, message, evidence + more)
    except RegionError as error:
        return verdict(RULE, name, "error", str(error), _failed(cloud, error))


def _preflight(cloud, params, flavor, known):
    """Return (status that ends it here or None, message, evidence)."""
    row = known.get(flavor["name"])
    if row is None:
        return "fail", "Nova has no flavor of that name; build the region first", [
            seen("nova GET /flavors/detail", _time(cloud), sorted(known))]
    hosts = room(cloud, flavor["resource_class"], row.get("extra_specs") or {})
    evidence = [seen("placement GET /allocation_candidates", _time(cloud), hosts)]
    reason = judge_room(flavor, hosts, params["keep_free"])
    return ("not_applicable", reason, evidence) if reason else (None, "", evidence)


def _flavors(cloud):
    rows = cloud.list("compute", "/flavors/detail", "flavors", {"is_public": "None"})
    return {row["name"]: row for row in rows}


def _image(cloud, name):
    # Only what the operators published: a tenant may call an image of theirs the same.
    rows = cloud.list("image", "/images", "images", {"name": name, "visibility": "public"})
    active = [row for row in rows if row.get("name") == name and row.get("status") == "active"]
    if not active:
        raise CloudError(
            "image: Glance shows no active public image {0!r}; any small one that boots will do".format(name)
        )
    return active[0]["id"]


def _network(cloud, name):
    if name == "none":
        return "none"
    rows = cloud.list("network", "/networks", "networks", {"name": name})
    if len(rows) != 1:
        raise CloudError("network: {0} networks are named {1!r}; expected one".format(len(rows), name))
    return [{"uuid": rows[0]["id"]}]


def _time(cloud):
    return None if cloud.server_time is None else stamp(cloud.server_time)


def _failed(cloud, error):
    return [seen("canary", _time(cloud), type(error).__name__, "error")]
