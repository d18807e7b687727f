# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of labels, taints and objects that are ours or that others rely on, and versions of Kubernetes."""

from __future__ import annotations

import re

# Ours: on objects, nodes and in RuntimeClasses.
MANAGED_BY = {"app.kubernetes.io/managed-by": "sovereign.region"}
POOL_LABEL = "sovereign.region/pool"
TAINT = "sovereign.region/kata"
# kata-deploy 4.1.0 sets it on nodes when all files of Kata are in place, and its RuntimeClasses ask for it
# (tools/packaging/kata-deploy/helm-chart/kata-deploy/templates/runtimeclasses.yaml). So do ours.
KATA_LABEL = "katacontainers.io/kata-runtime"
# Set by the rules of Node Feature Discovery that kata-deploy brings (node-feature-rules.yaml, 4.1.0): label and
# extended resource of a node that can run confidential guests, by the kind of guest.
TEE_LABELS = {"snp": "amd.feature.node.kubernetes.io/snp", "tdx": "intel.feature.node.kubernetes.io/tdx"}
TEE_KEYS = {"snp": "sev-snp.amd.com/esids", "tdx": "tdx.intel.com/keys"}
# NVIDIA's: the GPU Operator sets the state, the wish is ours (docs/use-cases/NVIDIA-GPU-passthrough-and-Kata-QEMU.md).
NVIDIA_WORKLOAD_LABEL = "nvidia.com/gpu.workload.config"
NVIDIA_CC_MODE_LABEL = "nvidia.com/cc.mode"
NVIDIA_CC_READY_LABEL = "nvidia.com/cc.ready.state"
# Kata's debugging variants of a handler: a console in the guest, and a guest whose measurements are others.
DEBUG_SUFFIXES = ("-debug", "-devkit")

_VERSION = re.compile(r"v?([0-9]+)\.([0-9]+)")


def version(text):
    """Return ``v1.34.2``, ``1.34`` and the like as a pair of numbers: ``(1, 34)``."""
    return tuple(int(part) for part in _VERSION.match(text).groups())


def metadata(name):
    """Return the metadata of an object of ours that lies in no namespace."""
    return {"name": name, "labels": dict(MANAGED_BY)}


def is_debug(name):
    """Say whether a handler or RuntimeClass is one of Kata's debugging variants, by its name."""
    return name.endswith(DEBUG_SUFFIXES)
