# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a release: real processes, those that /proc shows in all its ways, and configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import errors, host_module
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host
from ansible_collections.sovereign.region.plugins.module_utils._isolation import release, release_holders
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.release_trees import (
    ROOT,
    Machine,
    layout,
    pack,
    parameters,
)
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = f"{ROOT}/4.1.0-static", f"{ROOT}/4.2.0-static"
MAPS = "7f00-7f01 r-xp 00000000 fe:01 4711 {}\n"
LOOKS = {
    "runs it": {"exe": OLD + "/runtime-rs/bin/containerd-shim-kata-v2"},
    "runs what was removed": {"exe": OLD + "/bin/qemu-system-x86_64 (deleted)"},
    "is in it": {"cwd": OLD}, "has it open": {"fd": ["/dev/null", OLD + "/share/kata-containers/kata-containers.img"]},
    "maps it": {"maps": MAPS.format(OLD + "/libexec/virtiofsd")},
    "names a kernel": {"cmdline": f"/usr/bin/qemu-system-x86_64\0-kernel\0{OLD}/share/kata-containers/vmlinux\0"},
    "names an option": {"cmdline": f"qemu\0-object\0memory-backend-file,mem-path={OLD}/x.img,share=on\0"},
    "names it untidily": {"cmdline": f"qemu\0{ROOT}/.//4.1.0-static/x\0"},
    "names the link": {"cmdline": f"shim\0--config={ROOT}/previous-static/share/x\0"},
    "mounts it": {"mountinfo": f"1 2 254:1 {OLD} /opt/kata ro - ext4 /dev/vda1 rw\n"},
}
NO_USE = {
    "another release": {"exe": NEW + "/bin/x", "cmdline": NEW + "\0", "maps": MAPS.format(NEW + "/x")},
    "another name": {"cmdline": f"{OLD}-2/x\0{ROOT}/14.1.0-static\0/srv/4.1.0-static\0{ROOT}\0"},
    "nothing": {},
}


@pytest.fixture()
def machine(tmp_path):
    """A host with 4.1.0 before and 4.2.0 now."""
    machine = Machine(tmp_path)
    machine.converge(**machine.tarball("4.1.0"))
    machine.converge(**machine.tarball("4.2.0"))
    return machine


def absent(machine, **options):
    return machine.converge(version="4.1.0", state="absent", **options)


@pytest.mark.parametrize("look", sorted(LOOKS))
def test_what_a_process_uses_is_not_removed(machine, look):
    machine.process(4711, comm="qemu-kvm\n", **LOOKS[look])
    before = machine.snapshot()
    for check in (True, False):
        with pytest.raises(errors.Refused, match=r"process 4711 \(qemu-kvm\)"):
            absent(machine, check=check)
    assert machine.snapshot() == before
    shutil.rmtree(machine.root / "proc/4711")
    assert absent(machine)["changed"] is True
    assert machine.names() == ["4.2.0-static", "current-static"]


@pytest.mark.parametrize("look", sorted(NO_USE))
def test_what_nobody_uses_is_removed(machine, look):
    machine.process(4711, **NO_USE[look])
    assert [one["verb"] for one in absent(machine)["actions"]] == ["delete", "delete"]


def test_a_file_that_is_seen_under_another_name(machine):
    """As in a container that has the release mounted elsewhere: the inode tells."""
    shim = machine.releases / "4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2"
    os.link(shim, machine.root / "elsewhere")
    machine.process(1, exe="/elsewhere")
    with pytest.raises(errors.Refused, match="process 1 .* runs it"):
        absent(machine)
    shutil.rmtree(machine.root / "proc/1")
    status = shim.stat()
    line = "7f00-7f01 r-xp 00000000 {:x}:{:x} {} /elsewhere\n".format(
        os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
    machine.process(2, maps="garbage\n\n1 2 3 x:y 5\n" + line)
    with pytest.raises(errors.Refused, match="process 2 .* maps it"):
        absent(machine)


class Closed(Host):
    """A host on which one process cannot be looked into."""

    closed = "/proc/99/fd"

    def listdir(self, path):
        if path == self.closed:
            raise PermissionError(13, "Permission denied", path)
        return super().listdir(path)

    def read_bytes(self, path):
        if path == self.closed:
            raise PermissionError(13, "Permission denied", path)
        return super().read_bytes(path)

    def readlink(self, path):
        if path == self.closed:
            raise PermissionError(13, "Permission denied", path)
        return super().readlink(path)


@pytest.mark.parametrize("closed", ["/proc/99/fd", "/proc/99/maps", "/proc/99/exe", "/proc/99/cmdline",
                                    "/proc/99/mountinfo", "/proc", "/etc/containerd", "/etc/containerd/config.toml"])
def test_what_cannot_be_told_is_not_removed(machine, closed):
    machine.process(99)
    (machine.root / "etc/containerd").mkdir(parents=True)
    (machine.root / "etc/containerd/config.toml").write_text("")
    machine.host = Closed(str(machine.root))
    machine.host.closed = closed
    with pytest.raises(errors.Refused, match="cannot be told"):
        absent(machine)
    # With keep it stays, and the rest of the run goes on.
    found = machine.converge(**dict(machine.tarball("4.3.0"), keep=0))
    assert [one["name"] for one in found["kept"]] == ["4.1.0-static"]
    assert found["current"] == "4.3.0-static" and "cannot be told" in found["kept"][0]["reasons"][0]


@pytest.mark.parametrize("text", [
    f'runtime_path = "{OLD}/runtime-rs/bin/containerd-shim-kata-v2"', f"ConfigPath='{OLD}/share/x.toml'",
    f"# {OLD}", f'"{ROOT}/previous-static/x"', 'path = "/opt/kata/bin/x"', b"\xff\xfe" + OLD.encode()])
@pytest.mark.parametrize("place", ["etc/containerd/config.toml", "etc/containerd/a/b/c.toml", "etc/crio/crio.conf"])
def test_what_configuration_names_is_not_removed(machine, text, place):
    (machine.root / "opt/kata").symlink_to("kata-releases/4.1.0-static")
    (machine.root / place).parent.mkdir(parents=True)
    (machine.root / place).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(errors.Refused, match="/" + place):
        absent(machine)
    (machine.root / place).unlink()
    with pytest.raises(errors.Refused, match="/opt/kata names it"):
        absent(machine)
    (machine.root / "opt/kata").unlink()
    assert absent(machine)["changed"] is True


@pytest.mark.parametrize("place", [
    "runtime-rs/runtimes/kata/config.d/60-sovereign-region.toml", "runtimes/kata/configuration.toml",
    "custom-runtimes/mine/x.toml", "config.d/50-mine.toml"])
def test_what_the_configuration_of_another_release_names_is_not_removed(machine, place):
    """A drop-in of the new release may take the kernel or the image of the old one."""
    added = machine.releases / "4.2.0-static/share/defaults/kata-containers" / place
    added.parent.mkdir(parents=True)
    added.write_text(f'kernel = "{OLD}/share/kata-containers/vmlinux.container"')
    before = machine.snapshot()
    for check in (True, False):
        with pytest.raises(errors.Refused, match=f"/4.2.0-static/share/.*/{place} names it"):
            absent(machine, check=check)
    assert machine.snapshot() == before
    kept = machine.converge(**dict(machine.tarball("4.3.0"), keep=0))["kept"]
    assert [one["name"] for one in kept] == ["4.1.0-static"]
    added.unlink()
    own = machine.releases / "4.1.0-static/share/defaults/kata-containers" / place
    own.parent.mkdir(parents=True)
    own.write_text(f'kernel = "{OLD}/share/kata-containers/vmlinux.container"')
    assert absent(machine)["changed"] is True


@pytest.mark.parametrize("place", ["var/lib/rancher/k3s/agent/etc/containerd", "etc/k0s/containerd.d",
                                   "var/lib/rancher/rke2/agent/etc/containerd"])
def test_configuration_of_distributions_of_kubernetes_counts(machine, place):
    (machine.root / place).mkdir(parents=True)
    (machine.root / place / "config.toml").write_text(f'runtime_path = "{OLD}/bin/x"')
    with pytest.raises(errors.Refused, match=f"/{place}/config.toml names it"):
        absent(machine)


def test_a_link_in_the_path_of_containerd_is_a_name(machine):
    (machine.root / "usr/local/bin").mkdir(parents=True)
    (machine.root / "usr/local/bin/containerd-shim-kata-v2").symlink_to(OLD + "/runtime-rs/bin/containerd-shim-kata-v2")
    with pytest.raises(errors.Refused, match="/usr/local/bin/containerd-shim-kata-v2 names it"):
        absent(machine)


def test_directories_of_configuration_that_lead_in_a_circle(machine):
    (machine.root / "etc/containerd").mkdir(parents=True)
    (machine.root / "etc/containerd/again").symlink_to("/etc/containerd")
    (machine.root / "etc/containerd/gone").symlink_to("/nowhere")
    os.mkfifo(machine.root / "etc/containerd/pipe")
    assert absent(machine)["changed"] is True


def test_a_process_that_begins_while_a_release_is_removed(machine):
    """It is looked for again before the release loses its name, and once more before its files go."""
    for after in ("plan", "rename"):
        rename, seen = release.release_files.rename, []

        def begun(host, old, new, rename=rename, seen=seen):
            rename(host, old, new)
            if not seen:
                seen.append(True)
                machine.process(7, exe=new + "/bin/x")

        patch = pytest.MonkeyPatch()
        if after == "rename":
            patch.setattr(release.release_files, "rename", begun)
        before = machine.snapshot()
        options = parameters(version="4.1.0", state="absent")
        observed = release.observe(machine.host, options)
        plan = [one for one in release.decide(options, observed) if one.details[0] == "collect"]
        if after == "plan":
            machine.process(7, cwd=OLD)
        with pytest.raises(errors.Refused, match="process 7"):
            release.performer(machine.host, options, observed)(plan[0])
        patch.undo()
        assert machine.snapshot() == before
        shutil.rmtree(machine.root / "proc/7")


@given(st.lists(st.sampled_from(["/opt/kata-releases", "/", "4.1.0-static", "4.1.0-static2", ".", "..", "\n", "x"]),
                max_size=8).map("".join) | st.text())
def test_names_in_any_text(text):
    names = release_holders.Names([ROOT], {"4.1.0-static": "4.1.0-static", "current-static": "4.1.0-static"})
    found = names.within(text)
    assert found <= {"4.1.0-static"}
    if OLD + "/" in text or text.endswith(OLD):
        assert found


def test_a_process_that_really_runs_a_file_of_the_release(tmp_path):
    """On this machine and its /proc: a copy of a program in a release is run, and the release stays until it ends."""
    root, host = str(tmp_path / "releases"), Host()
    program = os.path.realpath(shutil.which("sleep"))
    with open(program, "rb") as stream:
        shim = stream.read()
    for version in ("4.1.0", "4.2.0"):
        source = tmp_path / f"kata-static-{version}.tar.xz"
        digest = pack(source, layout(version, shim=shim))
        host_module.converge(release, host, parameters(
            version=version, source=str(source), sha256=digest, directory=root), False)
    old = parameters(version="4.1.0", state="absent", directory=root, configuration=[])
    running = subprocess.Popen([f"{root}/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2", "600"])
    try:
        with pytest.raises(errors.Refused, match=rf"process {running.pid} .*maps it.*runs it"):
            host_module.converge(release, host, old, False)
    finally:
        running.kill()
        running.wait()
    holders, doubts = release.users(host, old, ["4.1.0-static"])[::2]
    assert holders == {}
    if doubts:
        # This machine does not show all its processes to us, so it cannot be told.
        with pytest.raises(errors.Refused, match="cannot be told"):
            host_module.converge(release, host, old, False)
    else:
        assert host_module.converge(release, host, old, False)["changed"] is True
        assert sorted(os.listdir(root)) == ["4.2.0-static", "current-static"]


def test_every_way_in_which_a_real_process_uses_a_release(tmp_path):
    """As it has a file of it open, mapped, on its command line, and as it is in its directory."""
    where = tmp_path / "releases/4.1.0-static"
    where.mkdir(parents=True)
    (where / "image").write_bytes(b"x" * 5000)
    names = release_holders.Names([str(tmp_path / "releases")], {"4.1.0-static": "4.1.0-static"})
    programs = {
        "has it open": "import os,time; os.open('image', 0); os.chdir('/'); print(1, flush=True); time.sleep(600)",
        "maps it": "import mmap,os,time; f = os.open('image', 0); m = mmap.mmap(f, 0, prot=1); os.close(f); "
                   "os.chdir('/'); print(1, flush=True); time.sleep(600)",
        "is in it": "import time; print(1, flush=True); time.sleep(600)",
    }
    for way, text in programs.items():
        running = subprocess.Popen([sys.executable, "-c", text], cwd=where, stdout=subprocess.PIPE)
        try:
            running.stdout.readline()
            began = time.monotonic()
            found = release_holders.processes(Host(), names, {})[0]
            assert time.monotonic() - began < 20
            assert any(way in one and str(running.pid) in one for one in found["4.1.0-static"]), (way, found)
        finally:
            running.kill()
            running.wait()
            running.stdout.close()
