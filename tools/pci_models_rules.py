# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``pci_models.py`` takes from a pci.ids, and what pci.ids does not have. Data only."""

from __future__ import annotations

import re

# Functions of a chip that compute nothing, chips without a product, and what is built into laptops and boards.
_NEVER = re.compile(
    r"audio|\busb|ucsi|type-c|bridge|\bpcie (host|x\d|endpoint)|root (port|complex)|smbus|laptop|mobile|embedded|"
    r"reserved dev|devid|int sku|engineering sample|-ES|jetson|drive |desktop device|generic|skinny|fake|steam|max-q /|"
    r"\[(geforce|quadro) [^]]*\d{3}(m|mx|a)\b|\[geforce (mx|gt )|\bGB20B|\[PG\d+\]|\[AC |"
    r"\[Radeon Pro/Radeon Instinct\]", re.I)
_NOTHING = re.compile(r"(?!)")

# Vendor id, kind, what a name has to have, what it must not have.
RULES = (
    # From Maxwell on: what NVIDIA's drivers of today, or those with vGPU, know. A name without brackets is a chip.
    ("10de", "gpu", re.compile(r"^(GM[12]|GP1|GV1|TU1|GA1|AD1|GH1|GB[12])\d*\w* .*\[.+\]"),
     re.compile(_NEVER.pattern + "|NVSwitch", re.I)),
    ("10de", "nvswitch", re.compile(r"\[.*NVSwitch\]"), _NOTHING),
    ("1002", "gpu", re.compile(r"^(Vega [12]|Navi|Arcturus|Aldebaran|Aqua Vanjaram|Tonga X).*\[.+\]"),
     re.compile(_NEVER.pattern + r"|\[Radeon Graphics\]", re.I)),
    ("8086", "gpu", re.compile(r"^(DG2|ATS-M|Ponte Vecchio|Battlemage).*\[(Arc|Data Center).+\]"),
     re.compile(r"\d{3}M\]|Xe Graphics")),
    ("1da3", "gpu", re.compile(r"."), _NOTHING),
    # Vendors of nothing but accelerators.
    ("1d95", "gpu", re.compile(r"."), _NOTHING),
    ("1e36", "gpu", re.compile(r"."), _NOTHING),
    ("1e52", "gpu", re.compile(r"."), _NOTHING),
    ("1ed2", "gpu", re.compile(r"."), _NOTHING),
    ("1ed5", "gpu", re.compile(r"."), re.compile("Audio|Engineering Sample")),
    ("1014", "gpu", re.compile("Spyre"), _NOTHING),
    ("1d0f", "gpu", re.compile("NeuronDevice"), _NOTHING),
    ("1d22", "gpu", re.compile("Kunlun"), _NOTHING),
    ("cabc", "gpu", re.compile("MLU"), _NOTHING),
)

# Where else rows are from, by the name that the table has for it.
SOURCES = {
    "OPEN_KERNEL_MODULES": "NVIDIA open-gpu-kernel-modules, README.md at 015742d3",
    "ROCM": "ROCm gpu-operator, gpu-nfd-default-rule.yaml at 6df13c17, 2026-08-06",
}

# Rows of pci.ids whose name misleads: the model, and who says so.
CORRECTED = {
    "10de2321": ("H100 NVL 94GB", "OPEN_KERNEL_MODULES"),
    "10de233a": ("H800 NVL 94GB", "OPEN_KERNEL_MODULES"),
    "100274bd": ("Instinct MI300X HF VF", "ROCM"),
    "101406a8": ("Spyre VF", "PCI_IDS"),
    "1d223685": ("Kunlun2 VF", "PCI_IDS"),
    # The name of its only subsystem.
    "1da31063": ("Gaudi3 HL-338", "PCI_IDS"),
    "1d0f7064": ("Inferentia", "PCI_IDS"),
    "1d0f7164": ("Trainium", "PCI_IDS"),
    "1d0f7264": ("Inferentia2", "PCI_IDS"),
    "1d0f7364": ("Trainium2", "PCI_IDS"),
    "1d0f7564": ("Trainium3", "PCI_IDS"),
    "1d0f7565": ("Trainium3", "PCI_IDS"),
}

# What pci.ids does not have: kind, model, source. With subsystem ids where one device id is two products.
SUPPLEMENT = {
    "10de25b610de14a9": ("gpu", "A16", "OPEN_KERNEL_MODULES"),
    "10de25b610de157e": ("gpu", "A2", "OPEN_KERNEL_MODULES"),
    "10027410": ("gpu", "Instinct MI210 VF", "ROCM"),
    "100274a8": ("gpu", "Instinct MI308X HF", "ROCM"),
    "100274b6": ("gpu", "Instinct MI308X VF", "ROCM"),
    "100274bc": ("gpu", "Instinct MI308X HF VF", "ROCM"),
    "100275b0": ("gpu", "Instinct MI350X VF", "ROCM"),
    "100275b3": ("gpu", "Instinct MI355X VF", "ROCM"),
    "100275b8": ("gpu", "Instinct MI350P VF", "ROCM"),
}

# The names that people use, of those who make accelerators and of those whose devices share a group with one.
VENDORS = {
    "1000": "Broadcom", "1002": "AMD", "1014": "IBM", "1022": "AMD", "102b": "Matrox", "10b5": "PLX", "10de": "NVIDIA",
    "10ee": "Xilinx", "11f8": "Microchip", "1234": "QEMU", "144d": "Samsung", "14e4": "Broadcom", "15ad": "VMware",
    "15b3": "Mellanox", "1a03": "ASPEED", "1af4": "Red Hat", "1b36": "Red Hat", "1b4b": "Marvell", "1d0f": "Amazon",
    "1d22": "Baidu", "1d95": "Graphcore", "1da3": "Habana", "1dd8": "AMD Pensando", "1e0f": "KIOXIA",
    "1e36": "Enflame", "1e52": "Tenstorrent", "1ed2": "FuriosaAI", "1ed5": "Moore Threads", "8086": "Intel",
    "cabc": "Cambricon",
}
