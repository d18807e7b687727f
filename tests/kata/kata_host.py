# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for Kata pods: what its operator has set up, what this collection adds, and pods without this collection."""

from __future__ import annotations

import json
import shlex

from machine_modules import Modules

MEDIUM = "/mnt"
PAUSE, IMAGE = "docker.io/probe/pause:1", "docker.io/probe/busybox:1"
CRICTL = "crictl --runtime-endpoint unix:///run/containerd/containerd.sock --timeout 300s"
RELEASES = "/opt/kata-releases"
MODULES = "kvm-amd vhost_vsock vhost_net bridge veth sch_ingress cls_u32 act_mirred tun overlay"
# Of each flavour: handler, shim, where its program is and where its configuration lies.
HANDLERS = {
    "static": ("kata-rs", "qemu-runtime-rs", "runtime-rs/bin/containerd-shim-kata-v2"),
    "go-static": ("kata", "qemu", "bin/containerd-shim-kata-v2"),
}
# The operator's own: a pause image that is on the host, a mirror, a handler that is none of ours.
CONTAINERD = """\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/probe/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.batch]
    runtime_type = "io.containerd.runc.v2"
"""
NETWORK = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}]}
# A guest of 512 MiB from an initrd, and patience: an emulated processor runs it. The names are those of each shim.
HYPERVISOR = {"image": "", "default_memory": 512, "disable_nesting_checks": True,
              "kernel_params": "cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 mitigations=off"}
PATIENCE = {
    "static": {"agent": {"kata": {"dial_timeout_ms": 1000, "reconnect_timeout_ms": 600000,
                                  "create_container_timeout": 900}}},
    "go-static": {"agent": {"kata": {"dial_timeout": 600}}, "runtime": {"create_container_timeout": 900}},
}
POD = {"metadata": {"name": "tenant", "uid": "tenant", "namespace": "tests", "attempt": 0}, "linux": {}}
CONTAINER = {"metadata": {"name": "tenant", "attempt": 0}, "image": {"image": IMAGE},
             "command": ["/bin/sh", "-c", "sleep 86400"], "linux": {}}


class KataHost:
    """The machine, with everything that a test does to it."""

    def __init__(self, machine) -> None:
        self.machine = machine
        self.modules = Modules(machine)
        # Of the tarballs, as kata_material has them; paths of configurations; and what containerd made of its files.
        self.facts, self.config_paths, self.dumped = {}, {}, []

    def prepare(self) -> None:
        """What an operator has done before this collection comes: modules, images, a network, containerd."""
        self.after_boot()
        self.facts = json.loads(self.machine.run(f"cat {MEDIUM}/facts.json"))
        self.write("/etc/containerd/config.toml", CONTAINERD)
        self.write("/etc/cni/net.d/10-pods.conflist", json.dumps(NETWORK))
        imports = "; ".join(f"ctr --namespace k8s.io images import {MEDIUM}/{one}.tar" for one in ("pause", "busybox"))
        self.machine.run(f"set -e; cp {MEDIUM}/crictl /usr/local/bin/; systemctl restart containerd; {imports}", 300)
        self.dumped = self.machine.run("containerd config dump").splitlines()

    def after_boot(self) -> None:
        """What is needed after each start of the machine."""
        self.machine.run(f"modprobe -a {MODULES} && mountpoint -q {MEDIUM} || mount -o ro /dev/vdb {MEDIUM}")

    def write(self, path: str, text: str) -> None:
        self.machine.run(f"mkdir -p $(dirname {path}) && cat > {path}", given=text)

    def release(self, tarball: str, **more) -> dict:
        """The options of kata_release for a tarball of the medium, such as `static` or `static-next`."""
        fact = self.facts[f"{tarball}.tar.zst"]
        return {"version": fact["version"], "flavour": tarball.removesuffix("-next"), "sha256": fact["sha256"],
                "source": f"{MEDIUM}/{tarball}.tar.zst", **more}

    def directory(self, tarball: str) -> str:
        """Where that release is unpacked."""
        return f"{RELEASES}/{self.facts[f'{tarball}.tar.zst']['version']}-{tarball.removesuffix('-next')}"

    def settings(self, tarball: str) -> dict:
        """What the shim of that release is told."""
        initrd = f"{self.directory(tarball)}/share/kata-containers/kata-containers-initrd.img"
        return {"hypervisor": {"qemu": {**HYPERVISOR, "initrd": initrd}}, **PATIENCE[tarball.removesuffix("-next")]}

    def configure(self, *tarballs: str, changed: bool = True) -> dict:
        """Has the shims of these releases configured in one call; returns {tarball: path of the configuration}."""
        shims = [{"shim": HANDLERS[one.removesuffix("-next")][1], "release": self.directory(one),
                  "settings": self.settings(one)} for one in tarballs]
        result = self.modules.must("kata_config", shims=shims)
        assert result["changed"] is changed, result["actions"]
        return {one: row["config_path"] for one, row in zip(tarballs, result["shims"])}

    def wire(self, paths: dict[str, str], check: bool = False) -> dict:
        """Has the handlers point at these releases."""
        handlers = []
        for tarball, path in paths.items():
            name, _shim, program = HANDLERS[tarball.removesuffix("-next")]
            handlers.append({"name": name, "runtime_path": f"{self.directory(tarball)}/{program}",
                             "config_path": path, "pod_annotations": ["io.katacontainers.*"]})
        return self.modules.must("cri_runtime", check, handlers=handlers, allow_interruption=True)

    def install(self) -> dict:
        """Has both flavours installed in one call."""
        return self.modules.must("kata_release", releases=[self.release(one) for one in HANDLERS])

    def smoke(self, handler: str, **more) -> dict:
        return self.modules.call("kata_smoke", handler=handler, image=IMAGE, timeout=more.pop("timeout", 300), **more)

    def start_pod(self, handler: str) -> tuple[str, str]:
        """Starts a pod as a tenant would; returns the ids of sandbox and container."""
        self.write("/run/tests/pod.json", json.dumps(POD))
        self.write("/run/tests/container.json", json.dumps(CONTAINER))
        sandbox = self.machine.run(f"cd /run/tests && {CRICTL} runp --runtime {handler} pod.json", 330).strip()
        container = self.machine.run(f"cd /run/tests && {CRICTL} create --no-pull {sandbox} container.json pod.json",
                                     330).strip()
        self.machine.run(f"{CRICTL} start {container}", 330)
        return sandbox, container

    def stop_pod(self, sandbox: str) -> None:
        self.machine.run(f"{CRICTL} stopp {sandbox} && {CRICTL} rmp --force {sandbox}", 330)

    def inside(self, container: str, command: str) -> str:
        """What a command prints in a container."""
        return self.machine.run(f"{CRICTL} exec --sync {container} /bin/sh -c {shlex.quote(command)}", 330).strip()

    def processes(self, text: str) -> dict[str, str]:
        """{pid: program} of those with the text in their command line, as ps shows them."""
        lines = self.machine.run("ps -eo pid=,args=").splitlines()
        found = (line.split(None, 2) for line in lines if text in line)
        return {words[0]: words[1].rpartition("/")[2] for words in found}
