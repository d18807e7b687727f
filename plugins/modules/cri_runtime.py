#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: cri_runtime
short_description: Add runtime handlers to containerd, CRI-O or Docker, and take them out again
version_added: 0.1.0
description:
  - Handlers, such as those of Kata Containers, in containerd 1.6, 1.7 and 2.0 to 2.3 (configuration versions 1 to 4),
    in CRI-O and in Docker.
  - Before anything is changed, the container runtime itself is asked what it makes of its files as they are and of
    copies as they would be (C(containerd config dump), C(crio config), C(dockerd --validate)). A handler, a setting
    or a value that would be lost or changed without being asked for is refused, and so is a file that it cannot read.
  - What is the operator's keeps every byte, in the files of containerd and CRI-O. Docker's C(daemon.json) is written
    anew as a whole, because JSON has no place for lines of this module; every value in it stays, its layout may not.
  - On containerd 2.x the handlers are a file of their own where the main file imports a directory. Elsewhere they are
    a block at the end of a file that containerd reads already; on 1.x that is the one whose CRI section counts. A
    drop-in there would replace the whole section, hide what the operator changes in it later, and take C(runc) away.
  - A handler that the operator defined is never overwritten, and never removed. As it is declared, it is left alone.
    Which runtimes in C(daemon.json) are this module's is recorded beside it, in C(sovereign-region-daemon.json); one
    that was changed by hand since is the operator's.
  - containerd and CRI-O are restarted when something changed. Running pods and containers survive that; until the
    daemon is back no pod starts or stops, and open exec and attach sessions end. Docker reloads, which nothing notices.
  - After the restart CRI is asked for the handlers, because a daemon stays up with its CRI plugin in error. When it
    does not come back with them, the files are put back and it is restarted with these. A file that somebody else
    changed meanwhile is left as it is, and that is said.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  handlers:
    description: The handlers that are declared. Others are left as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name, as a RuntimeClass writes it, such as V(kata-qemu).
        type: str
        required: true
      runtime_type:
        description: The runtime type. C(io.containerd.<name>.v2) when not given. CRI-O has V(vm) always.
        type: str
      runtime_path:
        description:
          - Path of the shim. It has to exist and to be executable, because containerd starts without it all the same.
          - Without it, containerd looks in C(PATH) for the binary that the type names. CRI-O always needs it.
        type: str
      config_path:
        description: Path of the shim's own configuration, which it gets as C(ConfigPath). It has to exist.
        type: str
      options:
        description: What else the shim gets as its options, such as C(BinaryName) for that of runc. Not for CRI-O.
        type: dict
        default: {}
      snapshotter:
        description:
          - Snapshotter for the pods of this handler, one that containerd has. From 1.7 on, containerd only.
          - An image that another snapshotter unpacked already can fail with it, the pause image above all; that is said
            as a warning.
        type: str
      privileged_without_host_devices:
        description: Whether privileged pods get none of the devices of the host. Docker has no such setting.
        type: bool
        default: true
      pod_annotations:
        description: Patterns of annotations of a pod that reach the shim. containerd only.
        type: list
        elements: str
        default: []
      container_annotations:
        description: Patterns of annotations of a container that reach the shim. containerd only.
        type: list
        elements: str
        default: []
      state:
        description: Whether it has to be there.
        type: str
        choices: [present, absent]
        default: present
  runtime:
    description: The container runtime.
    type: str
    choices: [containerd, crio, docker]
    default: containerd
  runtime_config:
    description:
      - Its main configuration file. C(/etc/containerd/config.toml), C(/etc/crio/crio.conf) or
        C(/etc/docker/daemon.json) when not given.
    type: str
  runtime_binary:
    description: The program to ask. V(containerd), V(crio) or V(dockerd) when not given.
    type: str
  service:
    description:
      - The systemd unit to restart when it is active. V(containerd), V(crio) or V(docker) when not given. Empty for
        none; what is written then takes effect when somebody restarts it.
    type: str
  sandbox_image:
    description:
      - The pause image of containerd, for a host that cannot reach the usual registry. Refused where the operator's
        files have another one. Empty takes ours out again; not given, it stays until the last handler of ours goes.
    type: str
  enable_cdi:
    description:
      - Whether containerd takes devices from CDI specifications. Off by default in 1.7 and on in 2.x; 1.6 cannot.
        Refused where the operator's files say otherwise. Not given, it stays until the last handler of ours goes.
    type: bool
  crictl:
    description: The program that asks CRI for what is loaded. Where it is not there, C(ctr) is asked about the plugin.
    type: str
    default: crictl
  pending:
    description:
      - Actions that earlier modules of the same run will perform. Paths that they bring count as there. Only for
        planning; in a real run it has been done.
    type: list
    elements: dict
    default: []
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
notes:
  - Needs root.
  - To plan, copies of the files are written below C(/run/sovereign-region), for root only, and removed again.
  - A restart that did not happen is made up for by the next run; a note in C(/run/sovereign-region) tells it.
  - containerd 1.x has C(runc) by itself only as long as no file has a handler, so the block repeats it there. To change
    C(runc), move its tables out of the block to your own lines. Where a table is in both, containerd cannot read the
    file; the next run then writes the block anew without it, and a table of C(runc) with nothing but its C(options)
    gets the rest of C(runc) in the block. The last handler then goes only once your own lines have C(runtime_type) too.
  - Values of settings other than those of this module are not told in refusals, because they can be secrets.
"""

EXAMPLES = r"""
- name: What would change if this host got a handler for Kata Containers
  sovereign.region.cri_runtime:
    handlers:
      - name: kata-qemu-runtime-rs
        runtime_path: /opt/kata-releases/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2
        config_path: >-
          /opt/kata-releases/4.1.0-static/share/defaults/kata-containers/runtime-rs/configuration-qemu-runtime-rs.toml
        pod_annotations: ["io.katacontainers.*"]
  check_mode: true
  register: planned

- name: Add it, with a restart of containerd
  sovereign.region.cri_runtime:
    handlers:
      - name: kata-qemu-runtime-rs
        runtime_path: /opt/kata-releases/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2
        config_path: >-
          /opt/kata-releases/4.1.0-static/share/defaults/kata-containers/runtime-rs/configuration-qemu-runtime-rs.toml
        pod_annotations: ["io.katacontainers.*"]
    sandbox_image: registry.example/pause:3.10
    allow_interruption: true
    expected_actions: "{{ planned.actions }}"

- name: Take it out again
  sovereign.region.cri_runtime:
    handlers:
      - name: kata-qemu-runtime-rs
        state: absent
    sandbox_image: ""
    allow_interruption: true

- name: The same shim as a runtime of Docker, which only reloads
  sovereign.region.cri_runtime:
    runtime: docker
    handlers:
      - name: kata
        runtime_path: /opt/kata-releases/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2
"""

RETURN = r"""
actions:
  description:
    - The writes to the host and the restart, in order; in check mode those that would be made, after a failure those
      that were.
    - A file is told by its digest and by our lines in it, so that nothing of the operator's gets into a log.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: update
      kind: containerd configuration
      name: /etc/containerd/config.toml
      before: {ours: "", sha256: 0e2f...}
      after: {ours: "[plugins...runtimes.kata]...", sha256: 9b1c...}
      interrupts: null
      deferred: null
advice:
  description: What to look at, each a sentence. The same sentences are warnings.
  returned: success
  type: list
  elements: str
error:
  description: Class of the error, such as V(Refused) or V(HostError).
  returned: failure
  type: str
failed_action:
  description: The write or the restart that failed, in the shape of the actions.
  returned: when one failed
  type: dict
handlers_after:
  description: All handlers as they are now, in check mode as they would be, in the shape of C(handlers_before).
  returned: success
  type: list
  elements: dict
handlers_before:
  description: All handlers as they were, the operator's and the runtime's own too, as the runtime itself reads them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    runtime_type:
      description: Its type; null where it is named by a path alone.
      type: str
      returned: always
    runtime_path:
      description: Path of its shim; null where the runtime looks for it.
      type: str
      returned: always
    config_path:
      description: Path of the shim's configuration, or null.
      type: str
      returned: always
    snapshotter:
      description: Its own snapshotter, or null.
      type: str
      returned: always
    privileged_without_host_devices:
      description: Whether privileged pods get none of the devices of the host.
      type: bool
      returned: always
    pod_annotations:
      description: Patterns of annotations that reach the shim.
      type: list
      elements: str
      returned: always
    container_annotations:
      description: Likewise, of containers.
      type: list
      elements: str
      returned: always
managed:
  description: Names of the handlers that this module keeps.
  returned: success
  type: list
  elements: str
problems:
  description: Everything that is wrong with the declaration, a sentence each.
  returned: failure
  type: list
  elements: str
release:
  description: Version of containerd; null for the others.
  returned: success
  type: str
  sample: 1.7.24
restart_pending:
  description: Whether files were changed that the daemon has not loaded yet.
  returned: success
  type: bool
"""

from ..module_utils._core import host_module
from ..module_utils._isolation import cri_runtime


def main():
    host_module.run(cri_runtime.Handlers())


if __name__ == "__main__":
    main()
