# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission policies: what makes isolation a rule of the cluster and not a habit of those who write pods.

Fields as in admissionregistration.k8s.io/v1 (Kubernetes 1.30 and later); the API server itself judges, nothing runs
beside it and nothing has to be reachable.
"""

from __future__ import annotations

import json

from .kubernetes_names import DEBUG_SUFFIXES, metadata

ISOLATED = "sovereign-region-kata-isolated"
NO_DEBUG_PODS = "sovereign-region-kata-no-debug-pods"
NO_DEBUG_CLASSES = "sovereign-region-kata-no-debug-classes"
ANNOTATION_PREFIX = "io.katacontainers."


def render(declared):
    """Return policies and their bindings.

    Args:
        declared: the declaration with every key. Without namespaces that must be isolated there is no policy for
            them; outside production debugging is allowed.
    """
    objects = []
    if declared["namespaces"]:
        objects += _isolated(declared)
    if declared["production"]:
        objects += _no_debug()
    return objects


def _isolated(declared):
    classes = [one["name"] for one in declared["handlers"]]
    validations = [{
        # Only when a pod is made: its class is set then once and for all, and a pod from before must be able to go.
        "expression":
            'request.operation != "CREATE" || '
            "(has(object.spec.runtimeClassName) && object.spec.runtimeClassName in {0})".format(_cel(classes)),
        "message": "pods in this namespace run in virtual machines of their own: set spec.runtimeClassName to one of "
                   + ", ".join(classes),
        "reason": "Forbidden",
    }, {
        # Annotations change how the hypervisor is started; what a node lets through is a second lock, not the first.
        # Those that were there before are left alone.
        "expression":
            "!has(object.metadata.annotations) || object.metadata.annotations.all(name, "
            "!name.startsWith({0}) || name in {1} || (oldObject != null && has(oldObject.metadata.annotations) && "
            "name in oldObject.metadata.annotations && "
            "oldObject.metadata.annotations[name] == object.metadata.annotations[name]))".format(
                _cel(ANNOTATION_PREFIX), _cel(declared["annotations"])),
        "message": "annotations of Kata Containers ({0}*) are not allowed in this namespace{1}".format(
            ANNOTATION_PREFIX, ", except " + ", ".join(declared["annotations"]) if declared["annotations"] else ""),
        "reason": "Forbidden",
    }]
    # By the label that the API server itself sets: nobody can take it off a namespace.
    selector = {"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(declared["namespaces"])}]}
    rule = _rule("", "pods", ["CREATE", "UPDATE"])
    return [_policy(ISOLATED, rule, validations), _binding(ISOLATED, {"namespaceSelector": selector})]


def _no_debug():
    text = "this cluster is in production: debugging variants of Kata ({0}) open the guest to the host".format(
        ", ".join("*" + suffix for suffix in DEBUG_SUFFIXES))
    pods = "!has(object.spec.runtimeClassName) || !({0})".format(_debug("object.spec.runtimeClassName"))
    # A class of another name could lead to the same handler.
    classes = "!({0}) && !({1})".format(_debug("object.handler"), _debug("object.metadata.name"))
    objects = []
    for name, group, resource, expression in (
            (NO_DEBUG_PODS, "", "pods", pods), (NO_DEBUG_CLASSES, "node.k8s.io", "runtimeclasses", classes)):
        validations = [{"expression": expression, "message": text, "reason": "Forbidden"}]
        objects.append(_policy(name, _rule(group, resource, ["CREATE"]), validations))
        objects.append(_binding(name, None))
    return objects


def _debug(field):
    return " || ".join("{0}.endsWith({1})".format(field, _cel(suffix)) for suffix in DEBUG_SUFFIXES)


def _rule(group, resource, operations):
    return {"apiGroups": [group], "apiVersions": ["v1"], "operations": operations, "resources": [resource]}


def _policy(name, rule, validations):
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(name),
        "spec": {
            # What cannot be judged is not let in.
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": validations,
        },
    }


def _binding(policy, match):
    spec = {"policyName": policy, "validationActions": ["Deny"]}
    if match:
        spec["matchResources"] = match
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata(policy),
        "spec": spec,
    }


def _cel(value):
    """Return a text or a list of texts as CEL writes it, which for these is as JSON does."""
    return json.dumps(value)
