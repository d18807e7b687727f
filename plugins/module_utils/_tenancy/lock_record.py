# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lock says, who wrote it, and whether it still counts. Pure.

Times are those of the server's clock, as seconds since the epoch; in the record they are ISO 8601.
"""

from __future__ import annotations

import hashlib
import json
import time
from calendar import timegm
from dataclasses import asdict, dataclass, field

from .names import LONGEST_NAME

VERSION = 1
TAG = "sovereign-region-lock"
PREFIX = TAG + "-"
# Of the first pid namespace on every Linux: include/linux/proc_ns.h, PROC_PID_INIT_INO.
FIRST_NAMESPACE = "pid:[4026531836]"
# A lock that was written less than this after the host's start is not held to be older: the clocks may differ a little.
_CLOCK_LEEWAY = 30.0
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def lock_name(region):
    """Return the name of the project that is the lock of a region: always the same, at most 64 characters."""
    name = PREFIX + region
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(region.encode()).hexdigest()[:10]
    return "{0}-{1}".format(name[: LONGEST_NAME - 11], digest)


@dataclass(frozen=True)
class Owner:
    """A run that takes a lock.

    Attributes:
        run: id of the run.
        host: name of its host.
        user: name of its user there.
        uid: number of that user.
        machine: hash of the host's machine id; empty when it has none.
        boot_id: the host's start.
        pid_namespace: where the pid means something.
        pid: the main process of Ansible, or None when it runs elsewhere.
        start: when that process began, in ticks since the host's start.
        pipes: pipes that its workers inherit.
    """

    run: str
    host: str = ""
    user: str = ""
    uid: int = -1
    machine: str = ""
    boot_id: str = ""
    pid_namespace: str = ""
    pid: int | None = None
    start: int | None = None
    pipes: tuple = field(default_factory=tuple)

    def same_world(self, other):
        """Whether a pid means the same for both: one start of one kernel, one pid namespace."""
        return bool(self.boot_id) and (self.boot_id, self.pid_namespace) == (other.boot_id, other.pid_namespace)

    def same_process(self, other):
        """Whether both are the same main process."""
        return self.same_world(other) and self.pid is not None and (self.pid, self.start) == (other.pid, other.start)


@dataclass(frozen=True)
class Lock:
    """A lock as Keystone has it.

    Attributes:
        id: Keystone's id of the project.
        ours: whether the project bears the tag of a lock.
        owner: Owner, or None when the record cannot be read.
        token: random text of one acquisition.
        acquired, renewed, expires: seconds since the epoch; None when the record cannot be read.
    """

    id: str
    ours: bool
    owner: Owner | None = None
    token: str = ""
    acquired: float | None = None
    renewed: float | None = None
    expires: float | None = None


def encode(region, owner, token, acquired, renewed, expires):
    """Return the description of the project."""
    times = {"acquired": stamp(acquired), "renewed": stamp(renewed), "expires": stamp(expires)}
    return json.dumps(dict({"version": VERSION, "region": region, "token": token, "owner": asdict(owner)}, **times))


def decode(project):
    """Return the Lock of a project. What cannot be read is kept as a lock that nobody can be said to hold."""
    ours = TAG in (project.get("tags") or [])
    try:
        record = json.loads(project.get("description") or "")
        if record["version"] != VERSION:
            raise ValueError("another version")
        times = [moment(record[key]) for key in ("acquired", "renewed", "expires")]
        return Lock(project["id"], ours, _owner(record["owner"]), str(record["token"]), *times)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return Lock(project["id"], ours)


def _owner(given):
    numbers = {key: _number(given.get(key)) for key in ("pid", "start")}
    texts = {key: str(given.get(key) or "") for key in ("run", "host", "user", "machine", "boot_id", "pid_namespace")}
    pipes = tuple(int(one) for one in given.get("pipes") or ())
    return Owner(uid=int(given.get("uid", -1)), pipes=pipes, **numbers, **texts)


def _number(value):
    return None if value is None else int(value)


def stamp(seconds):
    """Return seconds since the epoch as ISO 8601."""
    return time.strftime(_FORM, time.gmtime(seconds))


def moment(text):
    """Return ISO 8601 as seconds since the epoch. Raises ValueError."""
    return float(timegm(time.strptime(text, _FORM)))


def fate(lock, here, found, now, uptime):
    """Return what is known of the main process of a lock: ``alive``, ``gone`` or ``unknown``.

    Args:
        lock: Lock with an owner.
        here: Owner, ourselves.
        found: the Process with the owner's pid on this host, or None.
        now: the server's time.
        uptime: seconds since the start of this host, or None.
    """
    owner = lock.owner
    if owner.pid is None:
        return "unknown"
    if owner.same_world(here):
        if here.uid not in (0, owner.uid):
            # /proc may hide the processes of others (hidepid): not to be seen is not to be gone.
            return "unknown" if found is None else "alive" if _is(found, owner) else "unknown"
        return "alive" if _is(found, owner) else "gone"
    return "gone" if _before_our_start(lock, here, now, uptime) else "unknown"


def _is(found, owner):
    return found is not None and not found.ended and found.start == owner.start


def _before_our_start(lock, here, now, uptime):
    """Whether the lock is of an earlier start of this very machine.

    Copies of a virtual machine often share the machine id: so the name has to be the same too, neither may be a
    container, and the lock must have been written before this machine started.
    """
    owner = lock.owner
    same = bool(owner.machine) and (owner.machine, owner.host) == (here.machine, here.host)
    first = owner.pid_namespace == here.pid_namespace == FIRST_NAMESPACE
    other_start = bool(owner.boot_id and here.boot_id) and owner.boot_id != here.boot_id
    return same and first and other_start and uptime is not None and lock.renewed < now - uptime - _CLOCK_LEEWAY


def is_mine(lock, here):
    """Whether the lock is of our run."""
    return lock.owner is not None and (lock.owner.run == here.run or lock.owner.same_process(here))


def holder_words(region, lock):
    """Return who holds the region, since when and until when."""
    if lock.owner is None:
        return "region {0} is locked by a record that cannot be read".format(region)
    owner = lock.owner
    process = "" if owner.pid is None else ", process {0}".format(owner.pid)
    return "region {0} is locked by {1}@{2}{3} (run {4}) since {5}, until {6}".format(
        region, owner.user or "unknown", owner.host or "unknown", process, owner.run, stamp(lock.acquired),
        stamp(lock.expires)
    )


def release_words(region):
    """Return how to release a lock by hand."""
    return (
        "If that run is really gone: ansible-playbook sovereign.region.unlock with the document of region {0}".format(
            region)
    )


def describe(region, lock, here):
    """Return the lock for later tasks: no token, no pipes, nothing that only the next run needs."""
    if lock is None:
        return {"held": False, "region": region, "mine": False, "holder": None, "acquired": None, "renewed": None,
                "expires": None}
    owner = lock.owner
    holder = None if owner is None else {key: getattr(owner, key) for key in ("run", "host", "user", "pid")}
    times = {key: None if getattr(lock, key) is None else stamp(getattr(lock, key))
             for key in ("acquired", "renewed", "expires")}
    return dict({"held": True, "region": region, "mine": is_mine(lock, here), "holder": holder}, **times)
