# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Kata sandbox costs beside its containers: upstream's numbers by shim, and what was computed."""

from __future__ import annotations

import math

_SMALL = ("130Mi", "250m")
_QEMU = ("320Mi", "250m")
_TEE = ("2048Mi", "1.0")
_GPU = ("10240Mi", "1.0")

# Memory and CPU of each shim: kata-containers 4.1.0 (7c6ba40c),
# tools/packaging/kata-deploy/helm-chart/kata-deploy/templates/runtimeclasses.yaml.
UPSTREAM = {
    "clh": _SMALL,
    "clh-azure": _SMALL,
    "clh-azure-runtime-rs": _SMALL,
    "clh-runtime-rs": _SMALL,
    "dragonball": _SMALL,
    "fc": _SMALL,
    "openvmm-azure-runtime-rs": _SMALL,
    "qemu": _QEMU,
    "qemu-coco-dev": ("160Mi", "250m"),
    "qemu-coco-dev-runtime-rs": _QEMU,
    "qemu-nvidia-cpu": _QEMU,
    "qemu-nvidia-cpu-runtime-rs": _QEMU,
    "qemu-nvidia-gpu": _GPU,
    "qemu-nvidia-gpu-runtime-rs": _GPU,
    "qemu-nvidia-gpu-snp": _GPU,
    "qemu-nvidia-gpu-snp-runtime-rs": _GPU,
    "qemu-nvidia-gpu-tdx": _GPU,
    "qemu-nvidia-gpu-tdx-runtime-rs": _GPU,
    "qemu-runtime-rs": _QEMU,
    "qemu-se": ("1024Mi", "1.0"),
    "qemu-se-runtime-rs": ("1024Mi", "1.0"),
    "qemu-snp": _TEE,
    "qemu-snp-runtime-rs": _TEE,
    "qemu-tdx": _TEE,
    "qemu-tdx-runtime-rs": _TEE,
    "remote": ("120Mi", "250m"),
    "stratovirt": _SMALL,
}

_MEBIBYTES = {"Mi": 1, "Gi": 1024}


def mebibytes(quantity):
    """Return a memory quantity such as ``320Mi`` or ``10Gi`` in MiB."""
    return int(quantity[:-2]) * _MEBIBYTES[quantity[-2:]]


def millicores(quantity):
    """Return a CPU quantity such as ``250m`` or ``1.0`` in thousandths of a core."""
    return int(quantity[:-1]) if quantity.endswith("m") else round(float(quantity) * 1000)


def computed(shim, sizing):
    """Return the overhead that follows from a shim's effective configuration, as memory and CPU quantities.

    It is never below upstream's own: that has room for pods without limits, which get the configuration's defaults.

    Args:
        shim: a key of UPSTREAM, or None for a shim of the operator's own.
        sizing: ``memory_mib`` and ``cpus``, as the module ``kata_config`` returns them.
    """
    memory, cpu = UPSTREAM.get(shim, ("0Mi", "0m"))
    cores = math.ceil(round(sizing["cpus"] * 1000, 3))
    return ("{0}Mi".format(max(sizing["memory_mib"], mebibytes(memory))),
            "{0}m".format(max(cores, millicores(cpu))))
