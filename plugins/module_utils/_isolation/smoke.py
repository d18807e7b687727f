# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one pod with a runtime handler, looks at it from inside and outside, and takes it away again.

It is taken away also after a failure, when the time is over, and on SIGTERM, SIGINT and SIGHUP. After SIGKILL nobody
is there to do it: then the next run does, by the pod's labels, before it starts its own.
"""

from __future__ import annotations

import os
import re
import signal
import uuid

from .._core import processes
from .._core.errors import DeclarationError, HostError, Refused, RegionError, unknown_name
from . import smoke_cri, smoke_guest, smoke_host, smoke_judge

ARGUMENT_SPEC = {
    "handler": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "runtime_endpoint": {"type": "str", "default": "unix:///run/containerd/containerd.sock"},
    "crictl": {"type": "str", "default": "crictl"},
    "devices": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"address": {"type": "str", "required": True}, "cdi": {"type": "str"}},
    },
    "annotations": {"type": "dict", "default": {}},
    "privileged": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 120},
}
_HANDLER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
_ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")
# How often it is looked whether all of a removed pod is gone, with a pause of a second between.
LOOKS = 60
# How many seconds taking a pod away has in all after a signal; whoever sent it often kills after 90.
HURRY = 60


class Signals:
    """Signals that end a run in good order: noted when they come, and obeyed between two commands.

    A command that is under way is waited for. It runs in a session of its own and would go on without us, and what it
    had started then could be removed by nobody.
    """

    def __init__(self):
        self.name = None

    def listen(self):
        """Note the signals from now on."""
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            signal.signal(getattr(signal, name), self._note)

    def obey(self):
        """Raise HostError when one has come."""
        if self.name:
            raise HostError("stopped by {0}".format(self.name))

    def _note(self, number, _frame):
        self.name = signal.Signals(number).name


def validate(params):
    """Return one sentence for each thing that cannot be right. Pure."""
    found = []
    if not _HANDLER.match(params["handler"]):
        found.append("handler: {0!r}; expected the name of a runtime handler, such as kata".format(params["handler"]))
    if not params["image"].strip():
        found.append("image: it is empty; expected the name of an image with a shell that is on the host")
    if not re.match(r"unix:///\S+$", params["runtime_endpoint"]):
        found.append("runtime_endpoint: {0!r}; expected a socket such as unix:///run/containerd/containerd.sock".format(
            params["runtime_endpoint"]))
    if params["timeout"] < 5:
        found.append("timeout: {0}; expected at least 5 seconds".format(params["timeout"]))
    seen = set()
    for index, one in enumerate(params["devices"]):
        path = "devices[{0}].address".format(index)
        if not _ADDRESS.match(one["address"]):
            found.append("{0}: {1!r}; expected a PCI address such as 0000:41:00.0".format(path, one["address"]))
        if one["address"] in seen:
            found.append("{0}: {1} is there twice".format(path, one["address"]))
        seen.add(one["address"])
    for key, value in params["annotations"].items():
        if not isinstance(value, str):
            found.append("annotations.{0}: {1!r}; expected a text".format(key, value))
    return found


def execute(host, params, check_mode, directory, signals=None):
    """Return the module's result. Nothing is left of the pod, so it is never a change.

    Args:
        host: Host.
        params: options of the module.
        check_mode: whether nothing may be started; it is then said what would be.
        directory: a private directory for files.
        signals: Signals, or None when none are listened to.

    Raises:
        DeclarationError, Refused: before anything is started.
    """
    problems = validate(params)
    if problems:
        raise DeclarationError(problems)
    cri = smoke_cri.Cri(host, params, directory)
    devices = [dict(smoke_host.device(host, one["address"]), cdi=one["cdi"]) for one in params["devices"]]
    missing = obstacles(host, params, cri, devices)
    if check_mode:
        return {"passed": None, "assertions": [], "would": would(params), "obstacles": missing, "changed": False}
    if missing:
        raise Refused("; ".join(missing))
    removed = remove_abandoned(host, cri)
    observed = prove(host, params, cri, devices, signals or Signals())
    assertions = smoke_judge.judge(observed)
    return {
        "passed": smoke_judge.passed(assertions), "msg": smoke_judge.summary(params["handler"], assertions),
        "assertions": assertions, "guest": observed["guest"],
        "host": {key: observed["host"][key] for key in ("release", "boot_id")},
        "hypervisors": observed["hypervisors"], "sandbox": observed["sandbox"], "removed": removed, "changed": False,
    }


def would(params):
    """Return in sentences what a run would do. Pure."""
    found = ["start a sandbox with the runtime handler {0} through {1}".format(
        params["handler"], params["runtime_endpoint"])]
    found.append("start a {0}container of {1} in it{2}".format(
        "privileged " if params["privileged"] else "", params["image"],
        "".join(" with {0}".format(one["address"]) for one in params["devices"])))
    found.append("ask the container which kernel, boot id, PCI functions and device nodes it sees")
    found.append("remove both, and look whether anything of them is left")
    return found


def obstacles(host, params, cri, devices):
    """Return in sentences why no pod can be started; reads only."""
    found = ["devices: {0}".format(words) for one in devices for words in _unfit(host, one)]
    try:
        handlers = cri.handlers()
        if handlers is not None and params["handler"] not in handlers:
            found.append(unknown_name("handler", params["handler"], "runtime handler that the runtime has loaded",
                                      handlers))
        if not cri.has_image(params["image"]):
            found.append("image: {0} is not on this host, and it is not pulled; import it, for containerd with "
                         "ctr --namespace k8s.io images import FILE".format(params["image"]))
    except HostError as error:
        found.append("the runtime cannot be asked: {0}; set crictl to the path of the client and runtime_endpoint to "
                     "the socket of the runtime".format(error))
    return found


def _unfit(host, one):
    """Return in sentences why a device cannot be given to a pod."""
    if one["id"] is None:
        return ["{0} is no PCI function of this host".format(one["address"])]
    if one["group"] is None:
        return ["{0} has no IOMMU group: the IOMMU is off".format(one["address"])]
    if "vfio" not in (one["driver"] or ""):
        return ["{0} has the driver {1}; hand it to VFIO first, with the module pci_driver".format(
            one["address"], one["driver"] or "none")]
    pids = smoke_host.holders(host, [one["node"]] + one["cdev"])
    return ["{0} is in use by process {1}".format(one["address"], ", ".join(map(str, pids)))] if pids else []


def remove_abandoned(host, cri):
    """Remove pods of runs that are there no more; return their ids. Those of a run at work are left."""
    found = []
    for one in cri.sandboxes():
        labels = one.get("labels") or {}
        if smoke_cri.LABEL in labels and not _lives(host, labels.get(smoke_cri.OWNER, "")):
            cri.remove(one["id"])
            found.append(one["id"])
    return found


def owner(host):
    """Return who we are, so that another run can see whether we still are: boot, pid and when it began."""
    mine = processes.process(host, os.getpid())
    return "{0}.{1}.{2}".format(host.text("/proc/sys/kernel/random/boot_id"), os.getpid(), mine.start if mine else 0)


def _lives(host, text):
    boot, _dot, rest = text.partition(".")
    pid, _dot, start = rest.partition(".")
    if boot != host.text("/proc/sys/kernel/random/boot_id") or not pid.isdigit():
        return False
    there = processes.process(host, int(pid))
    return there is not None and not there.ended and str(there.start) == start


def prove(host, params, cri, devices, signals):
    """Start the pod, look at it and take it away; return what was observed, as ``smoke_judge.judge`` takes it."""
    identifier = uuid.uuid4().hex
    observed = {"problem": None, "host": smoke_host.facts(host), "guest": None, "hypervisors": [], "sandbox": None,
                "devices": [dict(one, holders=[]) for one in devices], "left": {}, "namespaces": [], "containers": []}
    try:
        _look(host, params, cri, observed, (identifier, signals))
    except RegionError as error:
        observed["problem"] = str(error)
    finally:
        observed["left"] = tear_down(host, cri, identifier, observed, signals)
    return observed


def _look(host, params, cri, observed, means):
    """Fill in what is observed, as far as one gets. Raises HostError."""
    identifier, signals = means
    pod = smoke_cri.pod_config(identifier, owner(host), params["annotations"], params["privileged"])
    once = {one["cdi"] or one["node"]: one for one in observed["devices"]}
    container = smoke_cri.container_config(params["image"], list(once.values()), params["privileged"])
    signals.obey()
    observed["sandbox"] = cri.start_sandbox(params["handler"], pod)
    observed["namespaces"] = cri.namespaces(observed["sandbox"])
    signals.obey()
    observed["containers"].append(cri.start_container(observed["sandbox"], pod, container))
    signals.obey()
    printed = cri.execute(observed["containers"][0], ["/bin/sh", "-c", smoke_guest.SCRIPT])
    observed["guest"] = smoke_guest.parse(printed)
    if observed["guest"] is None:
        raise HostError("the command in the pod printed {0!r} and not what it should".format(printed.strip()[-200:]))
    observed["hypervisors"] = [{"pid": one["pid"], "name": one["name"], "kvm": smoke_host.KVM_MACHINE in one["files"]}
                               for one in smoke_host.running(host, [observed["sandbox"]]) if one["hypervisor"]]
    for one in observed["devices"]:
        one["holders"] = smoke_host.holders(host, [one["node"]] + one["cdev"])
    signals.obey()


def tear_down(host, cri, identifier, observed, signals):
    """Remove every sandbox of this run and wait until all of it is gone; return what is left. Never raises.

    All of it has the time that one request has, HURRY seconds at least, and RESERVE; after a signal it has HURRY. A
    command that is under way is waited for.

    Args:
        host: Host.
        cri: Cri.
        identifier: the name of the run, which its sandboxes have as a label.
        observed: mapping with what is known: ``sandbox``, ``containers`` and ``namespaces``.
        signals: Signals.
    """
    # Somebody who gives a start five seconds does not mean that a virtual machine has to be gone in five.
    cri.end_within(max(cri.timeout, HURRY) + smoke_cri.RESERVE)
    known = [one for one in [observed["sandbox"]] + observed["containers"] if one]
    left = {}
    # What was cancelled in the middle of its start may only show a moment later, so there are two looks then.
    for look in range(LOOKS):
        try:
            _hurry(cri, signals)
            listed = [one["id"] for one in cri.sandboxes("{0}={1}".format(smoke_cri.LABEL, identifier))]
            known += [one for one in listed + smoke_host.bundles(host, identifier) if one not in known]
            for one in listed:
                _hurry(cri, signals)
                cri.remove(one)
            asked = {"sandboxes": [one["id"] for one in cri.sandboxes("{0}={1}".format(smoke_cri.LABEL, identifier))]}
        except HostError as error:
            asked = {"sandboxes": ["that could not be removed: {0}".format(error)]}
        left = dict(smoke_host.left(host, known, observed["namespaces"]), **asked)
        if not any(left.values()) and (observed["sandbox"] or look):
            return {}
        if cri.is_over():
            break
        cri.pause()
    return {kind: names for kind, names in left.items() if names}


def _hurry(cri, signals):
    """Shorten what is left of the time when a signal has come."""
    if signals.name:
        cri.end_within(HURRY)
