# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations for the tests of what is rendered for Kubernetes."""

from __future__ import annotations

import copy

SHA384 = "ab" * 48
SHA256 = "cd" * 32

PLAIN = {
    "kubernetes": "1.34",
    "namespaces": ["tenant-a", "tenant-b"],
    "handlers": [{"name": "kata-qemu-runtime-rs"}],
}

GPUS = {
    "kubernetes": "1.33",
    "namespaces": ["tenant-a"],
    "handlers": [{"name": "kata-qemu-runtime-rs"}, {"name": "kata-qemu-nvidia-gpu-runtime-rs", "pool": "h200"}],
    "pools": [{"name": "h200", "model": "H200", "count": 8, "nvswitches": 4}],
    "nodes": [{"name": "gpu-1", "pool": "h200"}, {"name": "cpu-1"}],
    "gpu_operator": {"version": "v26.3.0"},
}

CONFIDENTIAL = {
    "kubernetes": "v1.36.3",
    "namespaces": ["tenant-a"],
    "annotations": ["io.katacontainers.config.hypervisor.cc_init_data"],
    "node_features": True,
    "handlers": [{"name": "kata-qemu-nvidia-gpu-snp-runtime-rs", "pool": "h200"}],
    "pools": [{"name": "h200", "model": "H200", "count": 8, "nvswitches": 4, "tee": "snp"}],
    "nodes": [{"name": "gpu-1", "pool": "h200"}],
    "gpu_operator": {"version": "v26.3.0", "registry": "mirror.example.org/nvcr"},
    "attestation": {
        "jurisdictions": ["DE", "FR"],
        "kbs": {"url": "https://kbs.example.org:8443", "country": "DE-BE"},
        "snp": {"store": "/var/lib/kds-store", "node": "control-1"},
        "keys_secret": "trustee-keys",
        "tls_secret": "trustee-tls",
        "storage": {"kbs": "kbs-data", "as": "as-data", "rvps": "rvps-data"},
        "images": {part: {"repository": "mirror.example.org/coco/" + part, "tag": "v0.21.0"}
                   for part in ("kbs", "as", "rvps")},
        "measurements": {"snp_launch_measurement": [SHA384], "allowed_driver_versions": ["595.58.03"]},
        "artefacts": [{"path": "/opt/kata-releases/4.1.0-static/share/kata-containers/kata-containers.img",
                       "digest": "sha256:" + SHA256, "version": "4.1.0"}],
    },
}


def changed(declaration, *path, value):
    """Return a copy with one value changed; a path of keys and indexes, None as value takes the key away."""
    copied = copy.deepcopy(declaration)
    place = copied
    for key in path[:-1]:
        place = place[key]
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return copied
