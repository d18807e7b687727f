# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runtime handlers of a container runtime: the four steps. How each runtime is configured is in the files ``cri_*``.

The container runtime itself is asked, before anything is changed, what it makes of the files as they would be. What was
there before has to be there after, key by key; else nothing is changed.
"""

from __future__ import annotations

import posixpath

from ansible.module_utils.common import warnings

from .._core.change import Action
from .._core.errors import HostError, Refused, RegionError
from . import cri_containerd, cri_crio, cri_docker, cri_effective, cri_refusals, cri_service
from . import cri_declared as declared

_RUNTIMES = {"containerd": cri_containerd, "crio": cri_crio, "docker": cri_docker}


class Handlers:
    """What ``host_module`` asks for. One object for one run: it keeps the first look, for ``handlers_before``."""

    ARGUMENT_SPEC = declared.ARGUMENT_SPEC

    def __init__(self):
        self._first = None

    @staticmethod
    def validate(params):
        """Return one sentence for each thing that cannot be right. Pure."""
        return declared.problems(params)

    def observe(self, host, params):
        """Return what is there, and ``after``: what the container runtime makes of the files as they would be.

        Only copies below ``/run`` are written for that, and removed again. Raises Refused or HostError.
        """
        runtime = _RUNTIMES[params["runtime"]]
        seen = runtime.observe(host, params)
        changes = runtime.changes(params, seen)
        observed = {
            "seen": seen,
            "changes": changes,
            "after": _after(host, params, runtime, seen, changes),
            "preflight": cri_refusals.observe(host, params),
            "service": cri_service.observe(host, params, seen["before"]["address"]),
        }
        self._first = self._first or observed
        return observed

    @staticmethod
    def decide(params, observed):
        """Return the plan. Pure. Raises Refused with everything that speaks against it."""
        runtime, seen, service = _RUNTIMES[params["runtime"]], observed["seen"], observed["service"]
        wanted, asked = runtime.wanted(params, seen), runtime.asked(params, seen)
        said = cri_refusals.refusals(params, observed)
        if not said:
            said = cri_effective.differences(seen["before"], observed["after"], params, asked, runtime.spare(seen))
            said += cri_effective.unmet(observed["after"], params, wanted, asked)
            said = ["with the new files {0}".format(one) for one in said]
        if said:
            raise Refused("\n".join(said + ["Nothing was changed."]))
        return _actions(params, runtime, seen, observed["changes"], service)

    @staticmethod
    def performer(host, params, observed):
        """Return a function that carries out one Action."""
        runtime = _RUNTIMES[params["runtime"]]
        address = observed["seen"]["before"]["address"]

        def perform(action):
            if action.kind == cri_service.KIND_SERVICE:
                _restart(host, params, runtime, observed, address)
            elif action.kind == cri_service.KIND_NOTE:
                if action.after is None:
                    host.remove_file(action.name)
                else:
                    cri_service.write_note(host, params, action.details)
            elif action.after is None:
                host.remove_file(action.name)
            else:
                host.make_directory(posixpath.dirname(action.name))
                host.write_file(action.name, observed["changes"][action.name])

        return perform

    def describe(self, params, observed):
        """Return handlers_before, handlers_after, runtime, restart_pending, advice."""
        first, runtime = self._first, _RUNTIMES[params["runtime"]]
        mine = runtime.ours(observed["seen"])["handlers"]
        advice = cri_refusals.advice(params, first)
        for sentence in advice:
            warnings.warn(sentence)
        release = observed["seen"]["release"]
        return {
            "handlers_before": cri_effective.rows(first["seen"]["before"]),
            "handlers_after": cri_effective.rows(observed["after"]),
            "managed": sorted(mine) if observed is not first else sorted(runtime.wanted(params, observed["seen"])),
            "release": ".".join(str(part) for part in release) if release else None,
            "restart_pending": bool(observed["service"]["note"] is not None),
            "advice": advice,
        }


def _after(host, params, runtime, seen, changes):
    """Return the effective configuration with the changes; the copies that it takes are gone afterwards."""
    if not changes:
        return seen["before"]
    with cri_service.copies(host, params) as (folder, write):
        return runtime.would_be(host, params, seen, changes, folder, write)


def _actions(params, runtime, seen, changes, service):
    texts = {one["path"]: one["text"] for one in seen["files"]}
    wrong = cri_service.wrong(service["loaded"], params)
    pending = service["note"] is not None
    active = bool(service["active"])
    restart = active and bool(changes or pending or wrong)
    note, plan = cri_service.note_path(params), []
    old = cri_service.noted(service["note"], texts, changes)
    if active and changes and old != service["note"]:
        plan.append(Action("update" if pending else "create", cri_service.KIND_NOTE, note,
                           {"files": sorted(service["note"])} if pending else None, {"files": sorted(old)},
                           details=old))
    # What is new comes before what goes, and what is beside the main file before it, so that a kill between the two
    # leaves no handler away, and none without the record that it is ours.
    main = seen["files"][0]["path"]
    for path in sorted(changes, key=lambda one: (changes[one] is None, one == main, one)):
        plan.append(_file(runtime, path, texts.get(path), changes[path], None if active else (
            "takes effect when {0} starts".format(service["unit"] or params["runtime"]))))
    if restart:
        names = sorted(one["name"] for one in declared.present(params))
        before = {"loaded": service["loaded"]} if service["loaded"] is not None else None
        plan.append(Action("run", cri_service.KIND_SERVICE, service["unit"], before,
                           {"command": runtime.RESTART, "handlers": names, "without": declared.absent(params)},
                           interrupts=runtime.INTERRUPTS))
    if pending or (changes and active):
        plan.append(Action("delete", cri_service.KIND_NOTE, note, {"path": note}, None))
    return plan


def _file(runtime, path, old, new, deferred):
    verb = "delete" if new is None else "create" if old is None else "update"
    before, after = (None if one is None else dict(runtime.shown(path, one), sha256=cri_service.digest(one))
                     for one in (old, new))
    return Action(verb, runtime.WORDS, path, before, after, deferred=deferred)


def _restart(host, params, runtime, observed, address):
    """Look once more at what is on the disk, restart, and go back when the runtime does not come back."""
    kept = cri_service.note(host, params) or {}
    try:
        found = runtime.current(params, host)
        if not cri_service.same(found, observed["after"]):
            raise Refused("{0}".format(cri_service.lost(observed["after"], found)))
    except RegionError as error:
        how = cri_service.put_back(host, params, kept)
        raise HostError("it was not restarted, because its files are not what was planned: {0}. {1}".format(
            error, how)) from error
    try:
        cri_service.restart(host, params, runtime, address)
    except RegionError as error:
        raise HostError("{0}. {1}".format(error, _way_back(host, params, runtime, kept, address))) from error


def _way_back(host, params, runtime, kept, address):
    """Put the old files back and restart again; return in words how that went."""
    if not kept:
        return "No file was changed by this run, so there is nothing to put back; look into its journal"
    how, nobody = cri_service.put_back(host, params, kept), dict(params, handlers=[])
    try:
        cri_service.restart(host, nobody, runtime, address)
    except RegionError as error:
        return "{0}, and with them it does not come back either: {1}. Look into its journal".format(how, error)
    host.remove_file(cri_service.note_path(params))
    return "{0}, and it runs with them again".format(how)
