# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a region: a disabled Keystone project whose name Keystone lets exist only once.

It lies in the region, so that two controllers exclude each other. Taking over is deleting the project by the id that
was observed and creating it anew: of two contenders one gets a conflict. A lock is no action of a plan.
"""

from __future__ import annotations

import uuid

from .._core.errors import CloudError, Conflict, NotFound, Refused, ServiceFailed, ServiceMissing, ServiceUnreachable
from .._core.host import Host
from .lock_machine import Machine
from .lock_record import TAG, decode, describe, encode, fate, holder_words, is_mine, lock_name, release_words
from .names import DEFAULT_DOMAIN

ARGUMENT_SPEC = {
    "region": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "minutes": {"type": "int", "default": 60},
    "owner_run": {"type": "str"},
    "renew": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 120},
}
# A lock this close to its end is replaced instead of prolonged: somebody else may be about to take it over.
MARGIN = 60.0
_TRIES = 6


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    found = []
    if not params["region"].strip():
        found.append("region: the name is empty")
    if not 1 <= params["minutes"] <= 7 * 24 * 60:
        found.append("minutes: {0}; expected 1 to 10080, a week".format(params["minutes"]))
    if params["wait"] < 0:
        found.append("wait: {0}; expected 0 or more seconds".format(params["wait"]))
    if params["force"] and params["state"] == "held":
        found.append("force: only for state released; release the lock first, then take it")
    if params["renew"] and params["state"] == "released":
        found.append("renew: only for state held")
    return found


class Keeper:
    """Takes, prolongs and releases the lock of one region.

    Args:
        cloud: Cloud.
        params: options of the module.
        machine: this host: ``owner`` (Owner), ``uptime()``, ``process(pid)``, ``survivors(owner)``, ``clock()`` and
            ``sleep(seconds)``.
    """

    def __init__(self, cloud, params, machine):
        self._cloud = cloud
        self._region = params["region"]
        self._name = lock_name(params["region"])
        self._params = params
        self._machine = machine
        self._here = machine.owner
        self._domain = None

    # -- what is there ----------------------------------------------------------------------------------------------
    def observe(self):
        """Return the Lock, or None."""
        query = {"name": self._name, "domain_id": self._domain_id()}
        rows = self._cloud.list("identity", "/projects", "projects", query)
        # Some versions of Keystone ignore filters that they do not know; the name decides.
        rows = [row for row in rows if row.get("name") == self._name and row.get("domain_id") == self._domain_id()]
        return decode(rows[0]) if rows else None

    def _domain_id(self):
        if self._domain is None:
            rows = self._cloud.list("identity", "/domains", "domains", {"name": DEFAULT_DOMAIN})
            rows = [row for row in rows if row.get("name") == DEFAULT_DOMAIN]
            if not rows:
                raise ServiceMissing("Keystone shows no domain {0!r}; the lock of a region lies there".format(
                    DEFAULT_DOMAIN))
            self._domain = rows[0]["id"]
        return self._domain

    def _now(self):
        if self._cloud.server_time is None:
            raise CloudError("Keystone's replies bear no Date; the expiry of a lock cannot be judged without it")
        return self._cloud.server_time

    def _fate(self, lock):
        return fate(lock, self._here, self._machine.process(lock.owner.pid), self._now(), self._machine.uptime())

    # -- what is done -----------------------------------------------------------------------------------------------
    def hold(self):
        """Take or prolong the lock; return (lock, message). Raises Refused when another run holds it."""
        for _unused in range(_TRIES):
            lock = self.observe()
            if lock is None:
                if self._params["renew"]:
                    raise Refused("{0}: this run held the lock and has lost it: somebody released it, or another run "
                                  "took it over. Nothing more is done; look what they did, then run again".format(
                                      self._region))
                made = self._create()
            else:
                self._refuse_foreign(lock)
                mine = is_mine(lock, self._here) and (
                    lock.owner.same_process(self._here) or self._fate(lock) != "gone")
                if mine:
                    return self._prolong(lock)
                self._refuse_held(lock)
                if self._fate(lock) == "gone":
                    self._wait_for_survivors(lock)
                self._delete(lock)
                made = self._create()
            if made:
                taken = " (taken over: {0})".format(holder_words(self._region, lock)) if lock else ""
                return made, "{0}{1}".format(holder_words(self._region, made), taken)
        raise Refused("region {0}: other runs keep taking the lock; try again".format(self._region))

    def release(self):
        """Release the lock; return (the lock that was, message). Raises Refused when it is not ours."""
        lock = self.observe()
        if lock is None:
            return None, "region {0} is not locked".format(self._region)
        force = self._params["force"]
        if not lock.ours:
            self._refuse_foreign(lock)
        if not force and not is_mine(lock, self._here):
            raise Refused("this run does not hold the lock, it may have lost it: {0}. {1}".format(
                holder_words(self._region, lock), release_words(self._region)))
        self._delete(lock)
        return lock, "released: {0}".format(holder_words(self._region, lock))

    def look(self):
        """Return (lock, message) and change nothing."""
        lock = self.observe()
        return lock, holder_words(self._region, lock) if lock else "region {0} is not locked".format(self._region)

    def _refuse_foreign(self, lock):
        if not lock.ours:
            raise Refused("project {0}/{1} exists without the tag {2}: it is no lock of ours and is left alone; look "
                          "at it and rename or remove it by hand".format(DEFAULT_DOMAIN, self._name, TAG))

    def _refuse_held(self, lock):
        """Raise Refused unless the lock may be taken over: its run is gone, or it has expired."""
        if lock.owner is None:
            raise Refused("{0}. {1}".format(holder_words(self._region, lock), release_words(self._region)))
        if self._params["renew"]:
            raise Refused("this run has lost the lock: {0}. Nothing more is done; look what was done meanwhile, then "
                          "run again".format(holder_words(self._region, lock)))
        if self._now() < lock.expires and self._fate(lock) != "gone":
            raise Refused("{0}. Wait for it. {1}".format(
                holder_words(self._region, lock), release_words(self._region)))

    def _wait_for_survivors(self, lock):
        """Wait until no process works any more for a run whose main process has ended."""
        end = self._machine.clock() + self._params["wait"]
        while True:
            left = self._machine.survivors(lock.owner)
            if not left:
                return
            if self._machine.clock() >= end:
                raise Refused("{0}. That process has ended, but after {1} s others of its run still work: {2}. Wait "
                              "for them or end them, then run again".format(
                                  holder_words(self._region, lock), self._params["wait"],
                                  ", ".join("process {0}".format(one.pid) for one in left[:8])))
            self._machine.sleep(0.5)

    def _prolong(self, lock):
        if lock.expires - self._now() < MARGIN:
            self._delete(lock)
            made = self._create(acquired=lock.acquired)
            if made is None:
                raise Refused("this run has lost the lock: it had nearly expired, and another run was quicker. Nothing "
                              "more is done")
            return made, holder_words(self._region, made)
        fields = self._fields(lock.acquired, lock.token)
        try:
            reply = self._cloud.patch("identity", "/projects/{0}".format(lock.id), {"project": fields})
        except NotFound as error:
            raise Refused("this run has lost the lock of region {0}: somebody released it just now. Nothing more is "
                          "done".format(self._region)) from error
        kept = decode(reply["project"])
        return kept, holder_words(self._region, kept)

    def _delete(self, lock):
        self._cloud.delete("identity", "/projects/{0}".format(lock.id))

    def _create(self, acquired=None):
        """Return the new Lock, or None when another run was quicker."""
        token = uuid.uuid4().hex
        fields = self._fields(self._now() if acquired is None else acquired, token)
        body = {"project": dict(fields, name=self._name, domain_id=self._domain_id(), enabled=False, tags=[TAG])}
        try:
            return decode(self._cloud.created("identity", "/projects", body, "project"))
        except (Conflict, ServiceFailed, ServiceUnreachable) as error:
            # A reply that was lost, or a second try after it: the token says whether the first one took effect.
            found = self.observe()
            if found and found.token == token:
                return found
            if isinstance(error, Conflict):
                return None
            raise

    def _fields(self, acquired, token):
        now = self._now()
        record = encode(self._region, self._here, token, acquired, now, now + 60 * self._params["minutes"])
        return {"description": record}


def execute(cloud, params, check_mode, machine=None):
    """Return the module's result.

    Nothing that is declared changes when a run takes or releases its own lock: ``changed`` is true only when a lock is
    released by force, and ``actions`` is always empty.
    """
    machine = machine or Machine(Host(), params["owner_run"])
    keeper = Keeper(cloud, params, machine)
    if check_mode:
        lock, message = keeper.look()
        changed = params["force"] and lock is not None
    elif params["state"] == "held":
        lock, message = keeper.hold()
        changed = False
    else:
        was, message = keeper.release()
        lock, changed = None, params["force"] and was is not None
    return {
        "lock": describe(params["region"], lock, machine.owner),
        "message": message,
        "changed": changed,
        "actions": [],
        "diff": [],
        "api_calls": cloud.calls,
    }
