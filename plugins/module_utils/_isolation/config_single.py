# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of one shim of Kata Containers: what is declared, what the shim will see, and whether it takes that.

A declaration is judged twice: what it says by itself, and the whole configuration that comes out of it, with the
packaged file and what others put into ``config.d``. Both before anything is written.
"""

from __future__ import annotations

from ansible.module_utils.common import warnings

from .._core.errors import DeclarationError, Refused
from .._vendor import tomli
from . import (
    config_files,
    config_kernel,
    config_merge,
    config_policy,
    config_shims,
    config_sizing,
    config_values,
)
from .config_schema import Schema

ARGUMENT_SPEC = {
    "shim": {"type": "str", "required": True},
    "release": {"type": "path", "required": True},
    "settings": {"type": "dict", "default": {}},
    "append": {"type": "dict", "default": {}},
    "sizing": {"type": "dict", "options": config_sizing.SPEC},
    "allow_debug": {"type": "bool", "default": False},
    "allow_all_annotations": {"type": "bool", "default": False},
    "kata_version": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def validate(params):
    """Return one sentence for each thing that cannot be right, whatever the release is. Pure."""
    found = config_shims.problems(params["shim"])
    if not params["release"].startswith("/"):
        found.append("release: {0!r} is no absolute path".format(params["release"]))
    if params["kata_version"] and len(config_shims.number(params["kata_version"])) < 2:
        found.append("kata_version: {0!r} is no version; expected one such as '{1}'".format(
            params["kata_version"], config_shims.known_versions()[0]))
    if params["sizing"]:
        found += config_sizing.problems(params["sizing"])
    for option in ("settings", "append"):
        found += config_policy.secret_problems(params[option], option)
    return found + config_merge.append_problems(params["append"], params["settings"])


def observe(host, params):
    """Return what ``config_files.observe`` does. Raises Refused."""
    return config_files.observe(host, params["shim"], params["release"], params["settings"])


def _schema(params, observed, base):
    return Schema(observed["kind"], params["kata_version"] or observed["version"], base)


def _numbers(schema):
    return config_shims.number(schema.version or schema.table.VERSION)


def wanted(params, observed):
    """Return (settings of our drop-in, the whole configuration with it). Pure.

    Raises:
        DeclarationError: the shim does not read it so.
        Refused: with a file of others the shim does not start, or one of them takes back what is declared.
    """
    if observed["base"] is None:
        raise Refused("{0}: cannot be read; where it is a link, what it leads to is gone".format(
            observed["paths"]["packaged"]))
    packaged = config_merge.parsed(tomli, observed["paths"]["packaged"], observed["base"])
    schema, theirs = _schema(params, observed, packaged), config_files.others(observed)
    kind, numbers = observed["kind"], _numbers(schema)
    problems = []
    for option in ("settings", "append"):
        wrong = schema.problems(params[option], option)
        # What has the wrong type cannot be asked about its value.
        problems += wrong or config_values.value_problems(kind, numbers, params[option], option)
    if problems:
        raise DeclarationError(problems)
    before = config_merge.together(packaged, [one for one in theirs if one[0] < config_shims.DROP_IN])
    _refuse(schema.mistyped(before), "the configuration without what is declared")
    sized = {}
    if params["sizing"]:
        sized, problems = config_sizing.settings(params["sizing"], kind, numbers, before)
    if not problems:
        problems = ["append.{0}".format(one[len("settings."):]) for one in config_values.value_problems(
            kind, numbers, config_merge.appended(before, params["append"]), "settings")]
    if problems:
        raise DeclarationError(problems)
    ours = config_merge.merge(config_merge.merge(sized, params["settings"]),
                              config_merge.appended(before, params["append"]))
    whole = config_merge.together(packaged, theirs + [(config_shims.DROP_IN, ours)])
    _judge(params, observed, schema, theirs, ours, whole)
    return ours, whole


def _judge(params, observed, schema, theirs, ours, whole):
    """Raise Refused, or DeclarationError, unless the shim starts with the whole configuration and keeps the policy."""
    for name, tree in theirs:
        unknown = schema.fatal(tree) + schema.strangers(tree)
        if unknown:
            raise Refused("{0}/{1}: {2} does not know {3} and does not start with it in a drop-in; take it out "
                          "there".format(observed["paths"]["config_d"], name, schema, ", ".join(unknown)))
    _refuse(config_merge.overridden(ours, theirs, config_shims.DROP_IN))
    _refuse(schema.mistyped(whole), "the whole configuration")
    # What the shim does not read is no matter of policy.
    whole = schema.known(whole)
    problems = config_values.whole_problems(observed["kind"], schema, whole)
    problems += config_sizing.short_problems(params["sizing"], observed["kind"], whole)
    for path, value in config_merge.leaves(whole):
        if path[-1] == "kernel_params":
            problems += config_kernel.problems(config_merge.dotted(path), value)
    problems += config_policy.annotation_problems(whole, params["allow_all_annotations"])
    problems += config_policy.guest_problems(whole, tomli, params["allow_debug"])
    problems += [] if params["allow_debug"] else config_policy.debug_problems(whole)
    if problems:
        raise DeclarationError(problems)
    _refuse(["{0}: there is no {1} on this host; the shim does not start without it".format(key, path)
             for key, path in config_values.named_files(whole) if not observed["files"].get(path)])


def _refuse(problems, where=None):
    if problems:
        raise Refused("\n".join(("{0}: {1}".format(where, one) if where else one) for one in problems))


def decide(params, observed):
    """Return the plan. Pure. Raises DeclarationError, Refused."""
    if params["state"] == "absent":
        return config_files.removals(observed)
    ours, unused = wanted(params, observed)
    return config_files.drop_in_actions(observed, ours) + config_files.file_actions(observed)


def performer(host, params, observed):
    """Return a function that carries out one Action."""

    def perform(action):
        config_files.perform(host, action)

    return perform


def describe(params, observed):
    """Return shim, runtime, kata_version, known_keys, config_path, drop_in, effective, overhead, advice."""
    schema = _schema(params, observed, {})
    present = params["state"] == "present"
    whole = wanted(params, observed)[1] if present else {}
    advice = _advice(params, observed, schema, whole) if present else []
    for sentence in advice:
        warnings.warn("{0}: {1}".format(params["shim"], sentence))
    return {
        "shim": params["shim"],
        "runtime": "runtime-rs" if observed["kind"] == config_shims.RUST else "go",
        "kata_version": schema.version,
        "known_keys": schema.table.VERSION,
        "config_path": observed["paths"]["config"],
        "drop_in": observed["paths"]["drop_in"],
        "effective": config_policy.masked(whole),
        "sizing": config_sizing.result(params["sizing"], observed["kind"], whole) if present else None,
        "advice": advice,
    }


def _advice(params, observed, schema, whole):
    found = []
    if schema.version and config_shims.number(schema.version) != config_shims.number(schema.table.VERSION):
        found.append("the keys of Kata {0} are not known here; those of {1} were used".format(
            schema.version, schema.table.VERSION))
    ignored = schema.ignored(whole)
    if ignored:
        found.append("{0} does not read {1}; they come from the packaged file or from another drop-in, and have no "
                     "effect".format(schema, ", ".join(ignored)))
    odd = [row[0] for row in observed["drop_ins"] if not row[0].endswith(".toml")]
    found += ["{0}/{1}: the shim reads this file too, whatever its name is".format(observed["paths"]["config_d"], name)
              for name in odd if not config_files.left_over(name)]
    if params["sizing"] and config_sizing.devices(params["sizing"]) and not config_merge.at(
            whole, ("runtime", "pod_resource_api_sock")):
        found.append("runtime.pod_resource_api_sock is empty, so only devices that a CDI annotation of the pod names "
                     "reach its machine; on a node of Kubernetes set it to "
                     "'/var/lib/kubelet/pod-resources/kubelet.sock'")
    return found + config_policy.annotation_advice(schema.known(whole))
