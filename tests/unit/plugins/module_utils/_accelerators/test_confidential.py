# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""confidential_computing on a simulated HGX host."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import gpu_admin_tools
from ansible_collections.sovereign.region.plugins.module_utils._core import change, errors
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._accelerators.hgx_host import (
    A100,
    B200,
    H200,
    SWITCH,
    TOOL,
    Hgx,
)
from hypothesis import given
from hypothesis import strategies as st

FIRST, SECOND, SWITCHED = "0000:41:00.0", "0000:61:00.0", "0000:07:00.0"


class Killed(BaseException):
    """Stands for kill -9."""


@pytest.fixture
def hgx(tmp_path):
    return Hgx(tmp_path, {FIRST: H200, SECOND: H200, SWITCHED: SWITCH})


def modes(result):
    return {row["address"]: (row["cc"], row["ppcie"]) for row in result["modes"]}


def test_asking_changes_nothing(hgx):
    result = hgx.converge()
    assert result["changed"] is False
    assert modes(result) == {FIRST: ("off", "off"), SECOND: ("off", "off")}
    assert [row["status"] for row in result["modes"]] == ["ok", "ok"]
    assert hgx.changes() == []


def test_cc_mode_of_one_gpu(hgx):
    planned = hgx.converge(devices=[FIRST], cc_mode="on", check_mode=True)
    assert hgx.changes() == []
    result = hgx.converge(devices=[FIRST], cc_mode="on")
    assert planned["actions"] == result["actions"]
    assert [(one["verb"], one["kind"], one["name"], one["interrupts"]) for one in result["actions"]] == [
        ("set", "CC mode", FIRST, "{0} (H200 SXM 141GB) is reset".format(FIRST))]
    assert hgx.changes() == [("--set-cc-mode=on", FIRST)]
    assert modes(result) == {FIRST: ("on", "off")}
    assert hgx.converge(devices=[FIRST], cc_mode="on")["changed"] is False
    assert hgx.converge(cc_mode="devtools", devices=[FIRST.upper()])["changed"] is True
    assert hgx.devices[SECOND]["cc"] == "off"


def test_a_reset_is_not_made_without_leave(hgx):
    with pytest.raises(errors.Refused, match="is reset; nothing was changed"):
        hgx.converge(cc_mode="on", allow_interruption=False)
    assert hgx.converge(cc_mode="on", allow_interruption=False, check_mode=True)["changed"] is True
    assert hgx.changes() == []


def test_ppcie_is_a_mode_of_all_together(hgx):
    with pytest.raises(errors.Refused, match="'devices' leaves out " + SECOND):
        hgx.converge(devices=[FIRST], ppcie_mode="on")
    result = hgx.converge(ppcie_mode="on")
    assert sorted(hgx.changes()) == [("--set-ppcie-mode=on", address) for address in (SWITCHED, FIRST, SECOND)]
    assert modes(result) == {FIRST: ("off", "on"), SECOND: ("off", "on"), SWITCHED: (None, "on")}
    assert hgx.converge(ppcie_mode="on")["changed"] is False


def test_the_modes_exclude_each_other(hgx):
    with pytest.raises(errors.DeclarationError, match="exclude each other"):
        hgx.converge(cc_mode="on", ppcie_mode="on")
    hgx.converge(ppcie_mode="on")
    with pytest.raises(errors.Refused, match="has PPCIe mode 'on'; declare ppcie_mode: 'off' too"):
        hgx.converge(cc_mode="on", devices=[FIRST])
    result = hgx.converge(cc_mode="on", ppcie_mode="off")
    assert [one["kind"] for one in result["actions"]] == ["PPCIe mode"] * 3 + ["CC mode"] * 2
    with pytest.raises(errors.Refused, match="has CC mode 'on'; declare cc_mode: 'off' too"):
        hgx.converge(ppcie_mode="on")
    result = hgx.converge(cc_mode="off", ppcie_mode="on")
    assert [one["kind"] for one in result["actions"]] == ["CC mode"] * 2 + ["PPCIe mode"] * 3
    assert modes(result)[FIRST] == ("off", "on")


class TestInUse:
    def test_it_is_not_even_asked(self, hgx):
        hgx.hold(0)
        with pytest.raises(errors.Refused) as caught:
            hgx.converge(cc_mode="on")
        assert "{0} is in use by qemu-system-x86 (pid 4321)".format(FIRST) in str(caught.value)
        assert all(FIRST not in argv[8] for argv in hgx.calls)
        row = hgx.converge()["modes"][0]
        assert (row["cc"], row["status"]) == (None, "not asked: it is in use by qemu-system-x86 (pid 4321)")

    def test_it_can_be_left_out(self, hgx):
        hgx.hold(0)
        result = hgx.converge(cc_mode="on", skip_in_use=True)
        assert modes(result) == {FIRST: (None, None), SECOND: ("on", "off")}
        assert all(FIRST not in argv[8] for argv in hgx.calls)

    def test_ppcie_does_not_change_a_part(self, hgx):
        hgx.hold(0)
        with pytest.raises(errors.Refused, match="would change without {0}, which is in use".format(FIRST)):
            hgx.converge(ppcie_mode="on", skip_in_use=True)
        assert hgx.converge(ppcie_mode="off", skip_in_use=True)["changed"] is False

    def test_a_driver_of_the_host_counts_as_use(self, hgx):
        hgx.bind(FIRST, "nvidia")
        with pytest.raises(errors.Refused, match="is on the driver nvidia, which works with its registers"):
            hgx.converge(cc_mode="on", skip_in_use=True)
        assert all(FIRST not in argv[8] for argv in hgx.calls)

    def test_vfs_would_go_with_a_reset(self, hgx):
        hgx.write("/sys/bus/pci/devices/{0}/sriov_totalvfs".format(FIRST), "32\n")
        hgx.write("/sys/bus/pci/devices/{0}/sriov_numvfs".format(FIRST), "4\n")
        with pytest.raises(errors.Refused, match="{0} has 4 VFs".format(FIRST)):
            hgx.converge(cc_mode="on")

    def test_without_processes_to_look_at_nothing_is_touched(self, hgx):
        shutil.rmtree(str(hgx.root / "proc"))
        with pytest.raises(errors.Refused, match="who uses the devices is not known"):
            hgx.converge(cc_mode="on")
        assert hgx.calls == []
        assert "who uses the devices is not known" in hgx.converge()["modes"][0]["status"]


def test_a_kernel_that_is_locked_down(hgx):
    hgx.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    with pytest.raises(errors.Refused, match="locked down"):
        hgx.converge(cc_mode="on")
    assert hgx.calls == []


def test_a_device_that_cannot_be_reset(hgx):
    (hgx.root / "sys/bus/pci/devices" / FIRST / "reset_method").unlink()
    with pytest.raises(errors.Refused, match="offers no reset"):
        hgx.converge(cc_mode="on")


def test_models_without_a_mode(tmp_path):
    hgx = Hgx(tmp_path, {FIRST: A100, SECOND: B200, "0000:81:00.0": B200})
    result = hgx.converge()
    assert modes(result) == {FIRST: ("unsupported", "unsupported"), SECOND: ("off", "unsupported"),
                             "0000:81:00.0": ("off", "unsupported")}
    with pytest.raises(errors.Refused, match=r"{0} \(A100.*has no CC mode".format(FIRST)):
        hgx.converge(cc_mode="on")
    assert hgx.converge(cc_mode="off", ppcie_mode="off")["changed"] is False
    assert hgx.converge(cc_mode="on", devices=[SECOND, "0000:81:00.0"])["changed"] is True


def test_an_address_that_is_no_gpu(hgx):
    with pytest.raises(errors.DeclarationError, match="nearest is '{0}'".format(FIRST)):
        hgx.converge(devices=["0000:41:00.1"], cc_mode="on")
    with pytest.raises(errors.DeclarationError, match="is no NVIDIA GPU of this host"):
        hgx.converge(devices=[SWITCHED], ppcie_mode="on")


def test_an_address_that_the_tool_would_confuse(tmp_path):
    hgx = Hgx(tmp_path, {FIRST: H200, "1" + FIRST: H200})
    with pytest.raises(errors.Refused, match="takes for 1{0} as well".format(FIRST)):
        hgx.converge(cc_mode="on", devices=[FIRST])


@pytest.mark.parametrize(("params", "said"), [
    ({"tool": "gpu-admin-tools"}, "no absolute path"), ({"tool_sha256": "abc"}, "64 hexadecimal digits"),
    ({"devices": ["41:00.0"]}, "is no PCI address"),
])
def test_what_cannot_be_right(hgx, params, said):
    with pytest.raises(errors.DeclarationError, match=said):
        hgx.converge(**params)


class TestKilled:
    def test_between_setting_and_reset(self, hgx):
        hgx.devices[FIRST]["cc_knob"] = "on"
        result = hgx.converge(cc_mode="on", devices=[FIRST], check_mode=True)
        assert result["actions"][0]["before"] == {"mode": "off", "after_reset": "on"}
        assert hgx.converge(cc_mode="off", check_mode=True)["actions"][0]["name"] == FIRST
        hgx.converge(cc_mode="off")
        assert hgx.devices[FIRST]["cc_knob"] == "off"

    def test_the_other_mode_that_waits_for_a_reset_counts(self, hgx):
        hgx.devices[FIRST]["ppcie_knob"] = "on"
        with pytest.raises(errors.Refused, match="has PPCIe mode 'on'; declare ppcie_mode: 'off' too"):
            hgx.converge(cc_mode="on", devices=[FIRST])
        hgx.converge(cc_mode="on", ppcie_mode="off")
        assert hgx.devices[FIRST]["ppcie_knob"] == "off"

    def test_between_two_devices(self, hgx):
        def kill(argv):
            if argv[9].startswith("--set-") and len(hgx.changes()) == 2:
                raise Killed

        hgx.fail = kill
        with pytest.raises(Killed):
            hgx.converge(ppcie_mode="on")
        hgx.fail = None
        assert len(hgx.converge(ppcie_mode="on")["actions"]) == 2
        assert {one["ppcie"] for one in hgx.devices.values()} == {"on"}


def test_a_tool_that_fails_is_told_and_the_rest_is_left(hgx):
    hgx.fail = lambda argv: Finished(tuple(argv), 1, "", "gpu.GpuError: failed to switch to CC mode on") if (
        argv[9].startswith("--set-")) else None
    with pytest.raises(change.PartialFailure, match="failed to switch to CC mode on.*0 actions done before it, 1 not"):
        hgx.converge(cc_mode="on")


def test_a_tool_that_says_yes_and_does_nothing_is_found_out(hgx):
    hgx.fail = lambda argv: Finished(tuple(argv), 0, "", "") if argv[9].startswith("--set-") else None
    with pytest.raises(change.Unverified):
        hgx.converge(cc_mode="on")


@pytest.mark.parametrize("answer", [
    Finished(("x",), 1, "", "PermissionError: [Errno 1] Operation not permitted: 'resource0'"),
    Finished(("x",), None, "", ""), Finished(("x",), 0, "\0garbage mode is", "GPU 0000:41:00.0 CC mode"),
])
def test_what_is_not_known_is_refused(hgx, answer):
    hgx.fail = lambda argv: answer
    with pytest.raises(errors.Refused, match="{0}: its CC mode is not known: error: ".format(FIRST)):
        hgx.converge(cc_mode="on")
    assert hgx.converge()["modes"][0]["status"].startswith("error: ")


def test_a_tool_that_hangs_is_not_asked_for_every_device(hgx):
    hgx.fail = lambda argv: Finished(tuple(argv), None, "", "", 120.0)
    hgx.converge()
    # CC and PPCIe once each.
    assert len(hgx.calls) == 2


class TestChecksum:
    def test_it_is_what_the_documented_command_prints(self, hgx):
        hgx.write(TOOL + "/cli/__pycache__/main.cpython-311.pyc", "compiled")
        hgx.write(TOOL + "/.git/config", "[core]")
        hgx.write(TOOL + "/LICENSE", "MIT")
        hgx.write(TOOL + "/cli.d/x", "sorts between cli and cli/")
        how = gpu_admin_tools.HOW.format(str(hgx.root) + TOOL)
        done = subprocess.run(["sh", "-c", how], capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == hgx.sha256

    @pytest.mark.parametrize("path", ["/nvidia_gpu_tools.py", "/cli/main.py", "/cli/extra.py"])
    def test_any_other_file_is_not_run(self, hgx, path):
        known = hgx.sha256
        hgx.write(TOOL + path, "import os  # something else\n")
        with pytest.raises(errors.Refused, match="it was not run"):
            hgx.converge(tool_sha256=known)
        assert hgx.calls == []

    def test_what_changes_after_it_was_asked_is_not_run(self, hgx):
        known = hgx.sha256

        def swap(argv):
            hgx.write(TOOL + "/cli/main.py", "other")

        hgx.fail = swap
        with pytest.raises(change.PartialFailure, match="it was not run"):
            hgx.converge(cc_mode="on", tool_sha256=known)
        assert hgx.changes() == []

    def test_links_are_refused(self, hgx):
        known = hgx.sha256
        hgx.link(TOOL + "/gpu", "/usr/lib/gpu")
        with pytest.raises(errors.Refused, match="/gpu is a link"):
            hgx.converge(tool_sha256=known)
        hgx.link("/opt/link", TOOL)
        with pytest.raises(errors.Refused, match="/opt/link is a link"):
            hgx.converge(tool="/opt/link", tool_sha256=known)

    def test_what_is_no_checkout(self, hgx):
        with pytest.raises(errors.HostError, match="holds no nvidia_gpu_tools.py"):
            hgx.converge(tool=TOOL + "/cli", tool_sha256="0" * 64)
        with pytest.raises(errors.HostError, match="No such file"):
            hgx.converge(tool="/opt/none", tool_sha256="0" * 64)

    def test_one_file_is_run_alone(self, hgx):
        text = "print('one file')\n"
        hgx.write("/opt/tool.pyz", text)
        argv = gpu_admin_tools.check(hgx.host(), "/opt/tool.pyz", hashlib.sha256(text.encode()).hexdigest().upper())
        assert argv == ["python3", "-I", "-B", "/opt/tool.pyz"]


class TestRealPython:
    """What is checked is what Python loads."""

    def run(self, tmp_path, name):
        host, path = Host(), str(tmp_path / name)
        argv = gpu_admin_tools.check(host, path, gpu_admin_tools.digest(host, path)[0])
        return host.run(argv, 30)

    def test_a_checkout_loads_its_own_files_and_no_compiled_ones(self, tmp_path, monkeypatch):
        top = tmp_path / "tools"
        (top / "cli").mkdir(parents=True)
        (top / "nvidia_gpu_tools.py").write_text("import cli.main\nprint(cli.main.WHO)\n")
        (top / "cli" / "main.py").write_text("WHO = 'planted'\n")
        subprocess.run(["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(top)],
                       check=True)
        (top / "cli" / "main.py").write_text("WHO = 'checked'\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
        assert self.run(tmp_path, "tools").stdout == "checked\n"

    def test_one_file_loads_nothing_beside_it(self, tmp_path):
        (tmp_path / "tool.py").write_text("import cli\n")
        (tmp_path / "cli.py").write_text("print('planted')\n")
        done = self.run(tmp_path, "tool.py")
        assert done.status == 1
        assert "No module named 'cli'" in done.stderr


@given(st.text(), st.sampled_from(["cc", "ppcie"]))
def test_garbage_never_raises(text, kind):
    gpu_admin_tools.parse(text, kind)
    gpu_admin_tools.parse("GPU 0000:41:00.0 H200 0x2335 BAR0 0x1 CC mode is on\n" + text, kind)


def test_the_words_of_the_tool():
    text = ("2026-11-21,12:00:00.123 WARNING  GPU 0000:41:00.0 H200 0x2335 BAR0 0xd2 has CC mode on, some "
            "functionality may not work\n"
            "2026-11-21,12:00:00.123 INFO     GPU 0000:41:00.0 H200 0x2335 BAR0 0xd2 CC mode is "
            "invalid-devtools-only-fix-by-setting-cc-mode\n"
            "2026-11-21,12:00:00.123 ERROR    GPU 0000:61:00.0 H200 0x2335 BAR0 0xd2 does not support PPCIe on current "
            "FW. A FW update is required.\n")
    assert gpu_admin_tools.parse(text, "cc")["mode"][FIRST] == "invalid-devtools-only-fix-by-setting-cc-mode"
    assert gpu_admin_tools.parse(text, "ppcie")["mode"] == {SECOND: "unsupported"}
