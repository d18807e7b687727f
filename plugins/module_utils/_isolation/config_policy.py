# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration allows pods and people on the host to do: annotations, debugging, agent policy, initdata. Pure.

Judged is the whole configuration as the shim sees it, so that a debug drop-in of somebody else is found as well.
"""

from __future__ import annotations

import re

from . import config_kernel
from .config_merge import dotted, leaves

# Both shims look for the expression anywhere in the name of the annotation, without anchors (Go: regexp.MatchString in
# pkg/oci/utils.go; runtime-rs: RegexSet in is_annotation_enabled). Names that no shim has show what matches everything.
_PROBES = ("a_name_of_nothing", "zzz", "Q7")
# Annotations with which a pod chooses what runs on the host, as root and outside its machine.
_HOST = ("path", "jailer_path", "ctlpath", "virtio_fs_daemon", "entropy_source", "vhost_user_store_path",
         "guest_hook_path", "file_mem_backend")
# Keys that are for debugging, and the values with which they are off.
_OFF = {"enable_debug": (False,), "debug_console_enabled": (False,), "enable_pprof": (False,),
        "keep_abnormal": (False,), "extra_monitor_socket": ("",), "dbg_monitor_socket": ("",),
        "guest_memory_dump_path": ("",)}
_LEVELS = ("trace", "debug")
_WHY = {
    "debug_console_enabled": "it gives whoever is root on the host a shell in the guest",
    "extra_monitor_socket": "it opens the hypervisor's monitor",
    "dbg_monitor_socket": "it opens the hypervisor's monitor",
    "guest_memory_dump_path": "it writes the memory of guests, with all secrets in it, to the host's disk",
    "keep_abnormal": "machines of failed pods would stay",
}
# Requests that stay allowed in the policies that genpolicy writes (src/tools/genpolicy/rules.rego of 4.1.0).
_HARMLESS = frozenset((
    "DestroySandboxRequest", "GetOOMEventRequest", "GuestDetailsRequest", "OnlineCPUMemRequest",
    "RemoveContainerRequest", "RemoveStaleVirtiofsShareMountsRequest", "SignalProcessRequest", "StartContainerRequest",
    "StatsContainerRequest", "TtyWinResizeRequest", "WaitProcessRequest"))
_DEFAULT = re.compile(r"^\s*default\s+(\w+)\s*:?=\s*(\S+)", re.M)
# initdata.rs of kata-types.
_ALGORITHMS = ("sha256", "sha384", "sha512")
SECRETS = ("jaeger_password",)


def secret_problems(settings, option):
    """Return a sentence for each secret that would go through Ansible's log."""
    return ["{0}.{1}: a secret in a module's options ends up in logs; put it into a drop-in of your own beside ours, "
            "such as 55-tracing.toml, readable by root only".format(option, dotted(path))
            for path, value in leaves(settings) if path[-1] in SECRETS and value]


def masked(tree):
    """Return a copy of a configuration without secrets."""
    if isinstance(tree, dict):
        return {key: "********" if key in SECRETS and value else masked(value) for key, value in tree.items()}
    return [masked(one) for one in tree] if isinstance(tree, list) else tree


def annotation_problems(tree, allow_all):
    """Return what is wrong with the annotations that pods may use.

    Args:
        tree: the effective configuration.
        allow_all: whether expressions that match every name are wanted.
    """
    found = []
    for path, value in leaves(tree):
        if path[-1] != "enable_annotations":
            continue
        for one in value:
            try:
                pattern = re.compile(one)
            except re.error as error:
                found.append("{0}: {1!r} is no regular expression: {2}".format(dotted(path), one, error))
                continue
            if not allow_all and any(pattern.search(name) for name in _PROBES):
                found.append("{0}: {1!r} matches every annotation, so each pod chooses its hypervisor, kernel and "
                             "devices; name those that pods need, or set allow_all_annotations".format(
                                 dotted(path), one))
    return found


def annotation_advice(tree):
    """Return a sentence for each expression that lets pods choose what runs on the host."""
    found = []
    for path, value in leaves(tree):
        for one in value if path[-1] == "enable_annotations" else ():
            try:
                names = [name for name in _HOST if re.search(one, name)]
            except re.error:
                continue
            if names:
                found.append("{0}: {1!r} is looked for anywhere in a name, so it lets pods set {2}, and with that what "
                             "runs on the host; write '^{1}$' for the one name, and leave these out".format(
                                 dotted(path), one, ", ".join(names)))
    return found


def debug_problems(tree):
    """Return a sentence for each thing in a configuration that is for debugging and not for production."""
    found = []
    for path, value in leaves(tree):
        key, where = path[-1], dotted(path)
        if key in _OFF and value not in _OFF[key]:
            why = _WHY.get(key, "logs would have what is in the pods' requests")
            found.append("{0}: {1!r} is for debugging: {2}".format(where, value, why))
        elif key == "log_level" and value in _LEVELS:
            found.append("{0}: {1!r} is for debugging: logs would have what is in the pods' requests".format(
                where, value))
        elif key == "kernel_params":
            found += ["{0}: {1!r} is for debugging: it opens the guest to whoever is root on the host".format(
                where, one) for one in config_kernel.debugging(value)]
    return [one + "; take it out of where it is set, or set allow_debug" for one in found]


def policy_problems(where, text):
    """Return what is wrong with a policy for the agent: it denies all that it does not allow by a rule.

    Args:
        where: the dotted key, for the message.
        text: the policy, in Rego.
    """
    if not re.search(r"^\s*package\s+agent_policy\s*$", text, re.M):
        return ["{0}: no policy for the agent; expected Rego with 'package agent_policy' as text, not base64".format(
            where)]
    given = _DEFAULT.findall(text)
    allowed = sorted(name for name, value in given if value != "false" and name not in _HARMLESS)
    if allowed:
        return ["{0}: {1} allowed by default; a policy has to deny what no rule allows: write 'default {2} := "
                "false'".format(where, ", ".join(allowed[:5]) + (" and more are" if len(allowed) > 5 else
                                                                 " is" if len(allowed) == 1 else " are"), allowed[0])]
    if not given:
        return ["{0}: it has no 'default <request> := false', so it says nothing about what no rule allows".format(
            where)]
    return []


def initdata_problems(where, text, reader):
    """Return what is wrong with initdata.

    Args:
        where: the dotted key, for the message.
        text: the initdata as TOML.
        reader: the TOML library.
    """
    try:
        tree = reader.loads(text)
    except (reader.TOMLDecodeError, RecursionError) as error:
        return ["{0}: no TOML ({1}); expected initdata as text; only the pod annotation has it compressed and in "
                "base64".format(where, error)]
    found = []
    if tree.get("version") != "0.1.0":
        found.append("{0}: version {1!r}; expected '0.1.0'".format(where, tree.get("version")))
    if tree.get("algorithm") not in _ALGORITHMS:
        found.append("{0}: algorithm {1!r}; expected {2}".format(where, tree.get("algorithm"), ", ".join(_ALGORITHMS)))
    data = tree.get("data")
    if not isinstance(data, dict) or not all(isinstance(one, str) for one in data.values()):
        return found + ["{0}: no table [data] with texts, such as 'aa.toml' and 'policy.rego'".format(where)]
    if "policy.rego" in data:
        found += policy_problems(where + ' "policy.rego"', data["policy.rego"])
    return found


def guest_problems(tree, reader, allow_debug):
    """Return what is wrong with policies and initdata in a configuration; an open policy is for debugging only."""
    found = []
    for path, value in leaves(tree):
        if path[-1] == "initdata" and value:
            found += initdata_problems(dotted(path), value, reader)
        elif path[0] == "agent" and path[-1] == "policy" and value and not allow_debug:
            found += policy_problems(dotted(path), value)
    return found
