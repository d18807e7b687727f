# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far KVM of a host really goes: present, openable, creates a VM, runs a guest.

The levels build on one another. A child with a time limit asks (``kvm_program.py``); what it says is judged here. On
some hosts /dev/kvm opens, creates VMs and runs a trivial 16-bit program, and yet no kernel boots: KVM there is software
that emulates what it knows. So ``usable`` takes a guest in 64-bit mode with the instructions of today, and the
virtualization flag of the processor.
"""

from __future__ import annotations

import inspect
import json
import signal
import sys

from .._core.errors import Refused, RegionError
from . import kvm_program

LEVELS = ("present", "openable", "create_vm", "run")
# Architectures with KVM where the guest program exists, and where it is not needed: on arm64 KVM registers /dev/kvm
# only where the kernel was started in EL2, that is, with the hardware for it (arch/arm64/kvm/arm.c, kvm_arm_init()).
GUEST_ARCHITECTURES = ("x86_64",)
HARDWARE_ONLY = ("aarch64",)


def observe(host, node, cpu, arch, depth, timeout):
    """Return the facts of KVM, and the status of the probe.

    Args:
        host: Host.
        node: what ``host_nodes.judge`` returned for /dev/kvm.
        cpu: what ``host_cpu.observe`` returned.
        arch: of the kernel, such as ``x86_64``, or None.
        depth: how far to go, one of LEVELS.
        timeout: for the child, in seconds.

    Returns:
        (facts, status). Facts have ``level`` (the highest that was reached, or None), ``present``, ``openable``,
        ``create_vm``, ``run`` (each None when it was not asked), ``usable`` (None when it cannot be told), ``asked``,
        ``api_version``, ``instructions``, ``reasons`` (why it is not usable, each with what to do) and ``detail``.
    """
    asked = _reachable(depth, arch)
    answers, status = [], "absent"
    if node["node"] and node["driver"]:
        answers, status = ([], "ok") if asked == "present" else _ask(host, node["path"], asked, timeout)
    elif node["status"] != "absent":
        status = node["status"]
    facts = judge(node, answers, status, cpu, arch, depth)
    if depth == "run" and asked != "run" and status == "ok":
        status = "ok: the guest program is for {0}; on {1} it goes as far as create_vm".format(
            ", ".join(GUEST_ARCHITECTURES), arch or "an unknown architecture")
    return facts, status


def parse(text):
    """Return the answers in what a child printed; what is none is left out. Pure.

    Args:
        text: one JSON object a line, the last of which may be cut off.
    """
    found = []
    for line in (text or "").splitlines():
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(answer, dict) and answer.get("level") in LEVELS and answer.get("ok") in (True, False, None):
            found.append(answer)
    return found


def judge(node, answers, status, cpu, arch, depth):
    """Return the facts of KVM. Pure. Arguments as for ``observe``; ``answers`` is what ``parse`` returned."""
    told = {answer["level"]: answer for answer in answers}
    facts = {"asked": depth, "present": node["node"]}
    below = node["node"]
    for level in LEVELS[1:]:
        # What was not asked is unknown, but for one case: a level above one that failed fails as well.
        facts[level] = told[level]["ok"] if level in told else (False if below is False else None)
        below = facts[level]
    reached = [level for level in LEVELS if facts[level]]
    last = answers[-1] if answers else {}
    facts.update(
        level=reached[-1] if reached else None, api_version=told.get("openable", {}).get("api_version"),
        instructions=told.get("run", {}).get("instructions", []),
        detail=_detail(last) if last and not last["ok"] else None)
    facts["reasons"] = _reasons(facts, node, status, cpu, arch, depth)
    facts["usable"] = _usable(facts, cpu, arch)
    if not facts["usable"] and not facts["reasons"]:
        unknown = next((level for level in LEVELS if not facts[level]), LEVELS[-1])
        facts["reasons"].append("the child that asks /dev/kvm ended without a word about the level {0}; ask again, and "
                                "look at the kernel log (journalctl -k)".format(unknown))
    return facts


def _usable(facts, cpu, arch):
    if arch in HARDWARE_ONLY:
        return facts["create_vm"]
    if cpu["virtualization"] is None and cpu["flags"] is not None:
        return False
    if arch in GUEST_ARCHITECTURES and cpu["flags"] is not None:
        return facts["run"]
    return False if facts["create_vm"] is False else None


def _reasons(facts, node, status, cpu, arch, depth):
    """Return every reason against KVM of this host, each with what to do."""
    reasons = []
    if arch not in HARDWARE_ONLY:
        if cpu["flags"] is None:
            reasons.append("the flags of the processor are unknown: /proc/cpuinfo shows none")
        elif cpu["virtualization"] is None:
            reasons.append(
                "the processor shows neither svm nor vmx; {0}".format(
                    "this host is a virtual machine itself: enable nested virtualization for it at its hypervisor"
                    if cpu["hypervisor"] else "enable AMD-V or VT-x in the firmware"))
    if not facts["present"]:
        reasons.append("there is no /dev/kvm ({0}){1}".format(node["status"], _load(cpu, arch)))
    elif not node["driver"]:
        reasons.append(node["status"] + _load(cpu, arch))
    elif facts["detail"]:
        reasons.append(facts["detail"])
    elif status.startswith(("error", "not asked")):
        reasons.append("/dev/kvm could not be asked: {0}".format(status))
    elif depth != "run":
        reasons.append("nothing was asked beyond the level {0}; whether a guest runs is known with probe: run".format(
            depth))
    elif arch not in GUEST_ARCHITECTURES + HARDWARE_ONLY:
        reasons.append("whether a guest runs cannot be told on the architecture {0}".format(arch or "that is unknown"))
    return reasons


def _detail(answer):
    """Return what stood against a level, in words with what to do. Pure."""
    level = answer["level"]
    if answer.get("errno"):
        said = "{0} of /dev/kvm failed with {1} ({2})".format(
            answer.get("step") or level, answer["errno"], answer.get("words"))
        return said + _ADVICE.get((level, answer["errno"]), "")
    if level == "openable":
        return "KVM has the interface version {0}, not {1}: this kernel is no use for today's hypervisors".format(
            answer.get("api_version"), kvm_program.API_VERSION)
    if answer.get("words"):
        return "the guest program could not be tried: {0}; install the whole standard library of Python".format(
            answer["words"])
    said = "; ".join(str(answer[key]) for key in ("exit", "detail") if answer.get(key))
    if answer.get("value") is not None:
        said += "; it answered {0}, not {1}".format(answer["value"], answer.get("expected"))
    return ("a VM can be created, but a guest in 64-bit mode with paging does not run in it ({0}): this KVM boots no "
            "unmodified kernel; use a host with hardware virtualization".format(said or "no reason given"))


_ADVICE = {
    ("openable", "EACCES"): "; run the module as root, and see the node's permissions",
    ("openable", "EPERM"): "; the device cgroup of this container does not allow it",
    ("openable", "ENODEV"): "; its driver found no hardware virtualization",
    ("create_vm", "EBUSY"): "; another hypervisor on this host has taken hardware virtualization, such as VirtualBox",
    ("create_vm", "EIO"): "; the firmware has locked hardware virtualization, or another hypervisor has taken it",
    ("create_vm", "ENOMEM"): "; the host has no memory left for a VM",
}


def _reachable(depth, arch):
    return "create_vm" if depth == "run" and arch not in GUEST_ARCHITECTURES else depth


def _load(cpu, arch):
    """Return which module to load; nothing where none could help before the processor shows its flag."""
    known = {"svm": "; load the module kvm_amd", "vmx": "; load the module kvm_intel"}.get(cpu["virtualization"])
    return known or ("" if arch in GUEST_ARCHITECTURES else "; see that this kernel has KVM and has started it")


def _ask(host, path, depth, timeout):
    """Return what a child says, and a status."""
    if not sys.executable:
        return [], "error: the interpreter that runs this module is unknown"
    argv = [sys.executable, "-I", "-S", "-c", inspect.getsource(kvm_program), path, depth, str(float(timeout))]
    try:
        # Not that it changed the host; but below a root it would be this machine's KVM that answers.
        finished = host.run(argv, timeout, changes=True)
    except Refused:
        return [], "not asked: below a root only files are read, and {0} is of this machine".format(path)
    except RegionError as error:
        return [], "error: {0}".format(error)
    answers = parse(finished.stdout)
    if finished.status is None or finished.status == -signal.SIGALRM:
        return answers, "error: no answer within {0:g} s{1}".format(timeout, _far(answers, depth))
    if finished.status < 0:
        return answers, "error: the child was ended by signal {0}{1}".format(-finished.status, _far(answers, depth))
    if finished.status:
        lines = finished.stderr.strip().splitlines()
        return answers, "error: the child ended with status {0}{1}".format(
            finished.status, ": " + lines[-1][:200] if lines else "")
    if not answers:
        return [], "error: the child said nothing that can be read"
    return answers, "ok"


def _far(answers, depth):
    done = [answer["level"] for answer in answers if answer["ok"]]
    return "; it got as far as {0}".format(done[-1]) if done and done[-1] != depth else ""
