# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of what is declared about Kata in a Kubernetes cluster: the one source of validation and defaults."""

from __future__ import annotations

from .._core.schema import Schema

_END = r"$(?!\n)"
LABEL_NAME = {
    "type": "string",
    "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" + _END,
    "patternErrorMessage": "a name of a-z, 0-9 and -, at most 63 characters, a letter or digit first and last",
}
# The names that the region document allows, as far as the value of a label can have them.
POOL_NAME = {
    "type": "string",
    "pattern": r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?" + _END,
    "patternErrorMessage": "a name of a-z, 0-9, - and _, at most 63 characters, a letter first, a letter or digit last",
}
OBJECT_NAME = {
    "type": "string",
    "maxLength": 253,
    "pattern": r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*" + _END,
    "patternErrorMessage": "a name of a-z, 0-9, - and ., a letter or digit first and last of each part",
}
ANNOTATION = {
    "type": "string",
    "pattern": r"^io\.katacontainers\.[A-Za-z0-9]([A-Za-z0-9._-]{0,43}[A-Za-z0-9])?" + _END,
    "patternErrorMessage": "an annotation of Kata Containers such as io.katacontainers.config.hypervisor.cc_init_data",
}
RESOURCE = {
    "type": ["string", "null"],
    "pattern": r"^[a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+/"
               r"[A-Za-z]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?" + _END,
    "patternErrorMessage": "the name of an extended resource such as nvidia.com/pgpu",
    "default": None,
}
PATH = {
    "type": "string",
    "pattern": r"^/[^\x00-\x1f\x7f\"'\\]*" + _END,
    "patternErrorMessage": "an absolute path",
}
JURISDICTION = {
    "type": "string",
    "pattern": r"^[A-Z]{2}(-[A-Z0-9]{1,3})?" + _END,
    "patternErrorMessage":
        "a country of ISO 3166-1 such as DE, or a part of one such as DE-BE, in quotes if it is \"NO\"",
}
URL = {
    "type": ["string", "null"],
    "pattern": r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?|file:///[!-~]+)" + _END,
    "patternErrorMessage": "an address such as https://kbs.example.org:8080",
    "default": None,
}
MEMORY = {
    "type": "string",
    "pattern": r"^[1-9][0-9]{0,8}(Mi|Gi)" + _END,
    "patternErrorMessage": "an amount of memory such as 320Mi or 10Gi",
}
CPU = {
    "type": "string",
    "pattern": r"^([1-9][0-9]{0,6}m|[0-9]{1,4}(\.[0-9]{1,3})?)" + _END,
    "patternErrorMessage": "an amount of CPU such as 250m or \"1.0\", in quotes",
}


IMAGE = {
    "type": "string",
    "pattern": r"^[a-z0-9][a-z0-9._-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)*/?" + _END,
    "patternErrorMessage": "where images lie, such as mirror.example.org:5000/nvidia",
}
TAG = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?" + _END,
    "patternErrorMessage": "the tag of an image such as v0.21.0, with its digest behind @ if you like",
}


def _optional(schema):
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return dict(schema, type=[*types, "null"], default=None)


def _mapping(properties, required=(), optional=False):
    shape = {"type": ["object", "null"] if optional else "object", "additionalProperties": False,
             "required": list(required), "properties": properties}
    return dict(shape, default=None) if optional else shape


def _list(items, **more):
    return dict({"type": "array", "items": items, "default": []}, **more)


HANDLER = _mapping({
    "name": dict(LABEL_NAME, description="Name of the RuntimeClass."),
    "handler": dict(_optional(LABEL_NAME), description="Handler of the container runtime; the name if left out."),
    "shim": {"type": ["string", "null"], "default": None},
    "pool": {"type": ["string", "null"], "default": None},
    "overhead": _mapping({"memory": dict(MEMORY, description="Memory, such as 320Mi."),
                          "cpu": dict(CPU, description="CPU, such as 250m.")}, ("memory", "cpu"), optional=True),
    # As the module kata_config returns it.
    "sizing": _mapping({
        "memory_mib": {"description": "Memory that a sandbox costs, in MiB.", "type": "integer", "minimum": 1,
                       "maximum": 16777216},
        "cpus": {"description": "CPU that a sandbox costs.", "type": "number", "minimum": 0, "maximum": 1024},
        "timeout": {"type": "integer", "minimum": 0, "default": 0},
        "devices": {"type": ["integer", "null"], "minimum": 0, "default": None},
        "pcie_root_port": {"type": ["integer", "null"], "minimum": 0, "default": None},
    }, ("memory_mib", "cpus"), optional=True),
    "debug": {"type": "boolean", "default": False},
}, ("name",))

POOL = _mapping({
    "name": dict(POOL_NAME, description="Name of the pool."),
    "model": {"description": "Model of the GPU, such as H200.", "type": "string",
              "pattern": r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,62}" + _END,
              "patternErrorMessage": "the model of a GPU, such as H200"},
    "vendor": {"enum": ["nvidia", "amd", "intel"], "default": "nvidia"},
    "count": {"description": "GPUs in each node.", "type": "integer", "minimum": 1, "maximum": 256},
    "nvswitches": {"type": "integer", "minimum": 0, "maximum": 64, "default": 0},
    "tee": {"enum": ["snp", "tdx", None], "default": None},
    "resource": RESOURCE,
    "taint": {"type": "boolean", "default": True},
}, ("name", "model", "count"))

# What a host found: an IOMMU group is a number there, and text in sysfs.
DEVICE = _mapping({
    "address": {"type": "string", "pattern": r"^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]" + _END,
                "patternErrorMessage": "a PCI address such as \"0000:10:00.0\", in quotes",
                "description": "PCI address of the device."},
    "group": {"type": ["integer", "string", "null"], "default": None},
    "cdev": {"type": ["string", "null"], "default": None},
    "name": {"type": ["string", "null"], "default": None},
}, ("address",))

NODE = _mapping({
    "name": dict(OBJECT_NAME, description="Name of the node."),
    "pool": {"type": ["string", "null"], "default": None},
    "devices": _list(DEVICE),
}, ("name",))

OPERATOR = _mapping({
    "version": {"description": "Version of the chart, such as v26.3.0.", "type": "string",
                "pattern": r"^v?[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}([-+][A-Za-z0-9.-]+)?" + _END,
                "patternErrorMessage": "a version such as v26.3.0"},
    "registry": _optional(IMAGE),
    "bind": {"type": "boolean", "default": False},
    "containers": {"type": "boolean", "default": False},
}, ("version",), optional=True)

_IMAGE = dict(_mapping({"repository": _optional(IMAGE), "tag": _optional(TAG)}), default={})
_CLAIM = _optional(OBJECT_NAME)
_PARTS = ("kbs", "as", "rvps")

ATTESTATION = _mapping({
    "jurisdictions": dict(_list(JURISDICTION, minItems=1), description="Under whose law evidence may be judged."),
    "kbs": dict(_mapping({"url": {key: value for key, value in dict(
        URL, type="string", description="Address of the key broker, as guests reach it.").items() if key != "default"},
        "country": _optional(JURISDICTION)}, ("url",)), description="The key broker."),
    "nvidia": dict(_mapping({"type": {"enum": ["local", "remote"], "default": "local"}, "url": URL,
                             "country": _optional(JURISDICTION)}), default={}),
    "snp": dict(_mapping({"store": _optional(PATH), "node": _optional(OBJECT_NAME), "url": URL,
                          "country": _optional(JURISDICTION)}), default={}),
    "tdx": dict(_mapping({"url": URL, "country": _optional(JURISDICTION)}), default={}),
    "keys_secret": _optional(OBJECT_NAME),
    "tls_secret": _optional(OBJECT_NAME),
    "storage": dict(_mapping(dict.fromkeys(_PARTS, _CLAIM)), default={}),
    "images": dict(_mapping(dict.fromkeys(_PARTS, _IMAGE)), default={}),
    "measurements": {"type": "object", "default": {}},
    "artefacts": _list(_mapping({
        "path": dict(PATH, description="Path of the installed file."),
        "digest": {"description": "Its digest, such as sha256:….", "type": "string"},
        "version": {"description": "Version of Kata that it came with.", "type": "string",
                    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}" + _END,
                    "patternErrorMessage": "a version such as 4.1.0"},
        "reference": {"type": ["string", "null"], "default": None},
    }, ("path", "digest", "version"))),
}, ("jurisdictions", "kbs"), optional=True)

SCHEMA = _mapping({
    "kubernetes": {"description": "Version of the cluster, such as 1.34.", "type": "string",
                   "pattern": r"^v?1\.[0-9]{1,3}(\.[0-9]{1,3})?([-+][A-Za-z0-9.+-]+)?" + _END,
                   "patternErrorMessage": "a version of Kubernetes such as \"1.34\", in quotes"},
    "production": {"type": "boolean", "default": True},
    "node_features": {"type": "boolean", "default": False},
    "namespaces": _list(LABEL_NAME, uniqueItems=True),
    "annotations": _list(ANNOTATION, uniqueItems=True),
    "handlers": dict(_list(HANDLER, minItems=1), description="The handlers that get a RuntimeClass."),
    "pools": _list(POOL),
    "nodes": _list(NODE),
    "kubelet": dict(_mapping({
        "root": dict(PATH, default="/var/lib/kubelet"),
        "container_timeout": {"type": "integer", "minimum": 120, "maximum": 86400, "default": 1200},
    }), default={}),
    "gpu_operator": OPERATOR,
    "attestation": ATTESTATION,
}, ("kubernetes", "handlers"))

VALIDATOR = Schema(SCHEMA)
