# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host with NVIDIA GPUs and NVSwitches, and a simulated tool that speaks as NVIDIA's gpu-admin-tools does.

The lines have the shape that the tool's source gives them: a time, a level, the device, then what is said. The devices
are synthetic.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._accelerators import confidential, gpu_admin_tools
from ansible_collections.sovereign.region.plugins.module_utils._core import host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host

TOOL = "/opt/gpu-admin-tools"
H200, B200, A100, SWITCH = "2335", "2901", "20b2", "22a3"
HOPPER, CAPABLE = (H200,), (H200, B200)
_STAMP = "2026-11-21,12:00:00.123 INFO     "
_ERROR = "2026-11-21,12:00:00.456 ERROR    "


class Hgx:
    """The host. ``fail``: a function of the argument list that may raise or return a Finished instead."""

    def __init__(self, root, devices):
        self.root, self.calls, self.fail = Path(root), [], None
        self.devices = {}
        for number, (address, device) in enumerate(devices.items()):
            self.add(address, device, number)
        (self.root / "proc/1/fd").mkdir(parents=True)
        self.write("/proc/1/comm", "systemd\n")
        self.write(TOOL + "/nvidia_gpu_tools.py", "import cli.main\n")
        self.write(TOOL + "/cli/main.py", "def main():\n    pass\n")

    def write(self, path, text):
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text, encoding="utf-8")

    def add(self, address, device, group):
        self.devices[address] = {"id": device, "cc": "off", "cc_knob": "off", "ppcie": "off", "ppcie_knob": "off"}
        base = "/sys/bus/pci/devices/" + address
        values = {"vendor": "0x10de", "device": "0x" + device, "subsystem_vendor": "0x10de",
                  "subsystem_device": "0x18be", "class": "0x068000" if device == SWITCH else "0x030200",
                  "revision": "0xa1", "numa_node": "0", "reset_method": "flr bus",
                  "modalias": "pci:v000010DEd0000{0}sv0sd0bc03sc02i00".format(device.upper())}
        for name, value in values.items():
            self.write(base + "/" + name, value + "\n")
        self.link(base + "/iommu_group", "../../../../kernel/iommu_groups/{0}".format(group))
        (self.root / "sys/kernel/iommu_groups/{0}/devices/{1}".format(group, address)).mkdir(parents=True)
        self.bind(address, "vfio-pci")

    def link(self, path, target):
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        if real.is_symlink():
            real.unlink()
        real.symlink_to(target)

    def bind(self, address, driver):
        self.link("/sys/bus/pci/devices/{0}/driver".format(address), "../../../../bus/pci/drivers/" + driver)

    def hold(self, group):
        self.link("/proc/4321/fd/7", "/dev/vfio/{0}".format(group))
        self.write("/proc/4321/comm", "qemu-system-x86\n")

    @property
    def sha256(self):
        return gpu_admin_tools.digest(self.host(), TOOL)[0]

    def host(self):
        return Host(str(self.root), runner=self.run)

    def converge(self, check_mode=False, **params):
        given = {name: option.get("default") for name, option in confidential.ARGUMENT_SPEC.items()}
        given.update({"tool": TOOL, "allow_interruption": True, "expected_actions": None}, **params)
        given["tool_sha256"] = given["tool_sha256"] or self.sha256
        return host_module.converge(confidential, self.host(), given, check_mode)

    def changes(self):
        """What was set, in order: (option, address)."""
        return [(argv[8 + 1], argv[8]) for argv in self.calls if argv[9].startswith("--set-")]

    def run(self, argv, timeout):
        self.calls.append(list(argv))
        if self.fail:
            answer = self.fail(argv)
            if answer is not None:
                return answer
        assert argv[:7] == ["python3", "-E", "-s", "-B", "-X", "pycache_prefix=/nonexistent",
                            TOOL + "/nvidia_gpu_tools.py"]
        assert argv[7] == "--devices"
        status, lines = self.tool(argv[8].split(","), argv[9:])
        out = "NVIDIA GPU Tools version v2025.10.20o\nCommand line arguments: {0}\nTopo:\n  PCI 0000:00:01.0\n".format(
            argv[6:])
        return Finished(tuple(argv), status, out, "\n".join(lines) + "\n")

    def named(self, address):
        if self.devices[address]["id"] == SWITCH:
            return "NvSwitch {0} NVSwitch_gen3 0x22a3 BAR0 0x9a000000".format(address)
        return "GPU {0} H200 0x{1} BAR0 0xd2042000000".format(address, self.devices[address]["id"])

    def tool(self, addresses, options):
        """Return (exit status, log lines); like the real one it stops at the first device that it cannot serve."""
        lines = [_STAMP + "Selected " + self.named(address) for address in addresses]
        for address in addresses:
            device, name = self.devices[address], self.named(address)
            if device["cc"] != "off":
                lines.append(_STAMP + name + " has CC mode {0}, some functionality may not work".format(device["cc"]))
            for option in options:
                word, sign, value = option.partition("=")
                kind = "ppcie" if "ppcie" in word else "cc"
                label = {"cc": "CC", "ppcie": "PPCIe"}[kind]
                is_switch = device["id"] == SWITCH
                if is_switch and kind == "cc":
                    # The tool takes options of GPUs as not meant for switches.
                    continue
                if device["id"] not in (CAPABLE if kind == "cc" else (*HOPPER, SWITCH)):
                    verb, what = ("Querying", " mode is") if "query" in word and "mode" in word else (
                        ("Querying", " settings is") if "query" in word else ("Configuring", ""))
                    return 1, [*lines, _ERROR + "{0} {1}{2} not supported on {3}".format(verb, label, what, name)]
                self.one(device, name, word, value, kind, label, lines)
        return 0, lines

    def one(self, device, name, word, value, kind, label, lines):
        if word == "--query-{0}-mode".format(kind):
            lines.append(_STAMP + "{0} {1} mode is {2}".format(name, label, device[kind]))
        elif word == "--query-{0}-settings".format(kind):
            knob = device[kind + "_knob"]
            lines.append(_STAMP + "{0} {1} settings:".format(name, label))
            lines.append(_STAMP + "  enable = {0}".format(int(knob != "off")))
            if kind == "cc":
                lines.append(_STAMP + "  enable-devtools = {0}".format(int(knob == "devtools")))
                lines.append(_STAMP + "  enable-bar0-filter = 0")
        elif word == "--set-{0}-mode".format(kind):
            device[kind + "_knob"] = value
            other = "ppcie" if kind == "cc" else "cc"
            if value != "off":
                device[other + "_knob"] = "off"
            lines.append(_STAMP + "{0} {1} mode set to {2}. It will be active after GPU reset.".format(
                name, label, value))
        elif word == "--reset-after-{0}-mode-switch".format(kind):
            device.update(cc=device["cc_knob"], ppcie=device["ppcie_knob"])
            lines.append(_STAMP + "{0} was reset to apply the new {1} mode.".format(name, label))
