# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One server of the canary: boot, look, delete, look again."""

from __future__ import annotations

from .._core.errors import CloudError, NotFound
from .capacity_verdicts import seen
from .lock_record import stamp
from .providers import allocations_of

# Seconds between two looks at a server: quick at first, then polite.
_PAUSES = (0.5, 0.5, 1.0, 1.0, 2.0)
_LONGEST = 5.0


class Booth:
    """Boots servers in the canary's project.

    Args:
        cloud: Cloud of the calling user.
        scoped: the same in the canary's project; only creating a server needs it.
        machine: has ``clock()`` and ``sleep(seconds)``.
        timeout: seconds for a server to become active, and again to be gone.
    """

    def __init__(self, cloud, scoped, machine, timeout):
        self._cloud = cloud
        self._scoped = scoped
        self._machine = machine
        self._timeout = timeout

    def try_one(self, body, flavor):
        """Return (status, message, evidence) of one server; it is deleted whatever happens."""
        created = self._scoped.created("compute", "/servers", {"server": body}, "server")["id"]
        try:
            server = self._settled(created)
            status, message, evidence = self._look(server, flavor)
        finally:
            gone = self._delete(created)
        if gone:
            return "fail", "{0}; but {1}".format(message, gone), evidence
        evidence.append(seen("placement GET /allocations after deletion", self._time(), {}))
        return status, message, evidence

    def _settled(self, server_id):
        """Return the server when it is ACTIVE or in ERROR."""
        for _unused in self._looks():
            server = self._cloud.get("compute", "/servers/{0}".format(server_id))["server"]
            if server["status"] in ("ACTIVE", "ERROR"):
                return server
        raise CloudError("the server was not active within {0} s".format(self._timeout))

    def _look(self, server, flavor):
        where = server.get("OS-EXT-SRV-ATTR:hypervisor_hostname")
        evidence = [seen("nova GET /servers", self._time(), {"status": server["status"], "host": where})]
        if server["status"] == "ERROR":
            fault = (server.get("fault") or {}).get("message") or "Nova gives no reason"
            return "fail", "the server went to ERROR: {0}".format(fault), evidence
        held = allocations_of(self._cloud, server["id"])
        name, names, roots = flavor["resource_class"], {}, set()
        mine = {provider for provider, resources in held.items() if name in resources}
        while mine:
            # One call for the whole tree, and one only when all is well.
            tree = self._cloud.list("placement", "/resource_providers", "resource_providers", {"in_tree": min(mine)})
            for row in tree:
                if row["uuid"] in mine:
                    names[row["name"]] = held[row["uuid"]][name]
                    roots.add(row["root_provider_uuid"])
            mine -= {min(mine)} | {row["uuid"] for row in tree}
        evidence.append(seen("placement GET /allocations", self._time(), names))
        status, message = judge_allocation(flavor, names, roots, where)
        if status == "pass" and roots - set(held):
            # A server also has processors and memory, from the root: else its devices are on another host.
            status, message = "fail", "its devices are not on the host that gives it processors and memory"
        return status, message, evidence

    def _delete(self, server_id):
        """Delete the server and return why it is not gone, or None."""
        path = "/servers/{0}".format(server_id)
        self._cloud.delete("compute", path)
        for _unused in self._looks():
            try:
                self._cloud.get("compute", path)
            except NotFound:
                break
        else:
            return "it was not deleted within {0} s".format(self._timeout)
        for _unused in self._looks():
            if not allocations_of(self._cloud, server_id):
                return None
        return "its devices are still held {0} s after it was deleted".format(self._timeout)

    def _looks(self):
        """Yield once for each look, with pauses between them, until the time is over."""
        end, pauses = self._machine.clock() + self._timeout, list(_PAUSES)
        yield
        while self._machine.clock() < end:
            self._machine.sleep(pauses.pop(0) if pauses else _LONGEST)
            yield

    def _time(self):
        return None if self._cloud.server_time is None else stamp(self._cloud.server_time)


def judge_allocation(flavor, names, roots, where):
    """Return (status, message) of what a server got. Pure.

    Args:
        flavor: ``gpus`` and ``resource_class``.
        names: mapping of provider to the devices that it gave.
        roots: ids of the root providers.
        where: the host that Nova names.
    """
    got = sum(names.values())
    if got != flavor["gpus"]:
        return "fail", "Placement gave it {0} {1} instead of {2}".format(got, flavor["resource_class"], flavor["gpus"])
    if len(roots) != 1:
        return "fail", "its devices come from {0} hosts".format(len(roots))
    devices = ", ".join(sorted(names)) if len(names) < 3 else "{0} x {1}".format(got, flavor["resource_class"])
    return "pass", "active on {0} with {1}; deleted, and its devices are free again".format(
        where or "a host that Nova does not name", devices)
