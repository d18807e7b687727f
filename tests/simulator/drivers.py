# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel drivers and modules that the simulator knows: what they match, what probing answers, what they need.

Matching follows the drivers' own id tables in spirit: by vendor and class, or by device. Sources of the answers: the
kernel's ``drivers/vfio/pci``, ``drivers/pci/iov.c``, NVIDIA's open kernel modules (``nv-pci.c`` has no
``sriov_configure``), and for the rest the project's notes on its own machines.
"""

from __future__ import annotations

import errno
import fnmatch
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Driver:
    """A PCI driver.

    Attributes:
        name: in /sys/bus/pci/drivers.
        module: that registers it, or None when it is built in.
        vendors, classes, devices: what its id table matches; empty means any. override_only: matches by override alone.
        functions: ``pf``, ``vf`` or ``any``.
        sriov: whether it implements sriov_configure.
        drops_vfs: whether its VFs go when it leaves the PF.
        refuses: errno with which its probe always fails, 0 when it works.
    """

    name: str
    module: str | None
    vendors: tuple = ()
    classes: tuple = ()
    devices: tuple = ()
    functions: str = "any"
    override_only: bool = False
    sriov: bool = False
    drops_vfs: bool = True
    refuses: int = 0
    vfio: bool = False

    def matches(self, about, is_vf):
        """Whether its id table has the function."""
        if self.override_only or (self.functions == "pf" and is_vf) or (self.functions == "vf" and not is_vf):
            return False
        return ((not self.vendors or about.vendor in self.vendors)
                and (not self.classes or about.pci_class.startswith(self.classes))
                and (not self.devices or about.device in self.devices))


_MI = ("74a0", "74a1", "74a2", "74a5", "74a8", "74a9", "75a0", "75a3", "75a8")
_MI_VF = ("74b5", "74b6", "74b9", "74bc", "74bd", "75b3")

DRIVERS = {one.name: one for one in (
    Driver("pcieport", None, classes=("0604",)),
    Driver("pci-stub", None, override_only=True),
    Driver("pci-pf-stub", "pci_pf_stub", override_only=True, sriov=True, drops_vfs=False),
    Driver("vfio-pci", "vfio_pci", override_only=True, vfio=True),
    Driver("nvgrace_gpu_vfio_pci", "nvgrace_gpu_vfio_pci", ("10de",), devices=("2342", "2345", "2941"),
           override_only=True, vfio=True),
    Driver("mlx5_vfio_pci", "mlx5_vfio_pci", ("15b3",), override_only=True, vfio=True),
    Driver("nvidia", "nvidia", ("10de",), ("0300", "0302"), drops_vfs=False),
    Driver("nvidia-nvswitch", "nvidia", ("10de",), ("0680",)),
    # It knows no chip of today: "unknown chipset", seen on the QEMU machines.
    Driver("nouveau", "nouveau", ("10de",), ("0300", "0302"), refuses=errno.ENODEV),
    Driver("snd_hda_intel", "snd_hda_intel", classes=("0403",)),
    Driver("amdgpu", "amdgpu", ("1002",), devices=_MI + _MI_VF),
    Driver("gim", "gim", ("1002",), devices=_MI, functions="pf"),
    Driver("habanalabs", "habanalabs", ("1da3",), ("1200",)),
    Driver("i915", "i915", ("8086",), ("0300", "0380"), functions="pf", sriov=True),
    Driver("xe", "xe", ("8086",), ("0300", "0380"), sriov=True),
    Driver("igb", "igb", ("8086",), devices=("10c9",), sriov=True),
    Driver("igbvf", "igbvf", ("8086",), devices=("10ca",), functions="vf"),
    Driver("mlx5_core", "mlx5_core", ("15b3",), sriov=True),
    Driver("nvme", "nvme", classes=("0108",)),
    Driver("ast", "ast", ("1a03",)),
)}


@dataclass(frozen=True)
class Module:
    """A loadable module: what it needs, how large it is, the firmware and the licence that modinfo tells."""

    name: str
    needs: tuple = ()
    size: int = 16384
    parameters: dict = field(default_factory=dict)


MODULES = {one.name: one for one in (
    Module("vfio", size=65536), Module("vfio_iommu_type1", ("vfio",), 45056),
    Module("vfio_pci_core", ("vfio",), 94208),
    Module("vfio_pci", ("vfio_pci_core", "vfio_iommu_type1"), 16384, {"enable_sriov": "N", "disable_idle_d3": "N"}),
    Module("nvgrace_gpu_vfio_pci", ("vfio_pci_core",), 24576), Module("mlx5_vfio_pci", ("vfio_pci_core",), 49152),
    Module("pci_pf_stub", (), 12288), Module("mdev", ("vfio",), 24576),
    Module("nvidia", (), 10211328), Module("nvidia_modeset", ("nvidia",), 1888256),
    Module("nvidia_drm", ("nvidia_modeset",), 118784), Module("nvidia_uvm", ("nvidia",), 4927488),
    Module("nvidia_vgpu_vfio", ("nvidia", "mdev"), 65536), Module("nvidia_peermem", ("nvidia",), 16384),
    Module("nouveau", (), 3014656), Module("snd_hda_intel", (), 61440), Module("amdgpu", (), 12537856),
    Module("gim", (), 1245184, {"vf_num": ""}), Module("habanalabs", (), 1851392), Module("i915", (), 4325376),
    Module("xe", (), 3145728), Module("igb", (), 335872), Module("igbvf", (), 65536),
    Module("mlx5_core", (), 2621440), Module("nvme", (), 61440), Module("ast", (), 81920),
    Module("kvm", (), 1396736), Module("kvm_intel", ("kvm",), 413696),
)}
# The rest of a module's name in a question is the same with dashes.
ALIASES = {"vfio-pci": "vfio_pci", "nvidia-current-open": "nvidia"}


def module_name(name):
    """The name of a module as /proc/modules has it."""
    return ALIASES.get(name, name.replace("-", "_"))


def closure(name):
    """A module and all that it needs, what is needed first. Raises KeyError for an unknown one."""
    found = []
    for need in MODULES[name].needs:
        found += [one for one in closure(need) if one not in found]
    return [*found, name]


def aliases(release):
    """Lines of ``modules.alias`` of that kernel: enough for best-driver choice and for autoloading."""
    lines = [f"# Aliases extracted from modules themselves ({release}, simulated)."]
    for driver in DRIVERS.values():
        if driver.module is None or (driver.override_only and not driver.vfio):
            continue
        prefix = "vfio_pci" if driver.override_only else "pci"
        for vendor in driver.vendors or ("*",):
            for device in driver.devices or ("*",):
                for code in driver.classes or ("*",):
                    lines.append(_alias(prefix, vendor, device, code, driver.module))
    return "\n".join(lines) + "\n"


def by_alias(alias):
    """The modules that ``modules.alias`` has for an alias such as a modalias."""
    rows = [row.split() for row in aliases("").splitlines() if row.startswith("alias ")]
    return [module for _, pattern, module in rows if fnmatch.fnmatchcase(alias, pattern)]


def _alias(prefix, vendor, device, code, module):
    base, sub = (code[:2].upper(), code[2:4].upper()) if code != "*" else ("*", "*")
    vendor = f"0000{vendor.upper()}" if vendor != "*" else vendor
    device = f"0000{device.upper()}" if device != "*" else device
    return f"alias {prefix}:v{vendor}d{device}sv*sd*bc{base}sc{sub}i* {module}"
