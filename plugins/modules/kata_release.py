#!/usr/bin/python
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: kata_release
short_description: Install releases of Kata Containers side by side, switch between them, and remove old ones
version_added: 0.1.0
description:
  - Unpacks a release tarball of Kata Containers into a directory of its own, C(<directory>/<version>-<flavour>), and
    makes it the current one through the link C(<directory>/current-<flavour>). The one before stays, as
    C(previous-<flavour>), and so do the virtual machines that run from it.
  - The SHA-256 of the tarball is mandatory and is compared before anything is unpacked. What is unpacked lies beside
    the release until it is whole and on the disk, and then gets its name. Nothing is ever overwritten.
  - Packaged paths into C(/opt/kata), in configuration files and in links, are rewritten to the directory of the
    release. Links to other places, such as to a distribution's QEMU, stay. A QEMU of the release gets a wrapper
    that tells it where its firmware is, since upstream's looks in C(/opt/kata) alone.
  - A member of the tarball that would be written outside the release, lies below a link, is a device, or is there
    twice, is refused with the whole tarball. Of permissions all but setuid, setgid, sticky and write for
    group and others are kept; all files are root's.
  - Each release has a record of what was unpacked, with the digest of each file. A directory without a whole record,
    with files that are missing or of another size, or from another tarball than the declared one, is refused.
  - A release is not removed while a process runs, maps, has open or names on its command line something of it, while
    configuration names it, that which was added to another release too, or when that cannot be told. The current one
    is only removed when no other release of its flavour stays, and its links go first. Removing comes last, and who
    uses it is looked at again then.
  - A run that was killed is continued by the next one from what it finds.
author:
  - The sovereign.region authors (@sovereign-region)
options:
  version:
    description:
      - Version of the release, such as V(4.1.0). It must be what the tarball says in its C(VERSION); a build of your
        own may add something to that, as in V(4.1.0-2).
      - Needed without O(releases).
    type: str
  flavour:
    description:
      - Which of upstream's tarballs it is.
      - V(static) is C(kata-static), since 4.1 with the shim runtime-rs alone, before that with both shims.
      - V(go-static) is C(kata-go-static) with the Go shim and C(kata-runtime), from 4.1 on.
      - V(tools-static) is C(kata-tools-static) with C(genpolicy), C(kata-ctl) and others.
      - Each flavour has a current release of its own.
    type: str
    choices: [static, go-static, tools-static]
    default: static
  state:
    description:
      - V(present) unpacks the release and leaves the current one.
      - V(current) unpacks it, where it is missing, and makes it the current one.
      - V(rolled_back) means that it is not the current one any more. Where it is, the previous one takes its place, and
        it becomes the previous one.
      - V(absent) removes it, and the links of its flavour that lead to it. The current one is refused while others of
        its flavour stay.
    type: str
    choices: [present, current, rolled_back, absent]
    default: current
  source:
    description:
      - The tarball, as an absolute path on the host or as a URL of upstream or of a mirror. Only needed while the
        release is not installed. Its name must end in C(.tar.zst) or C(.tar.xz).
      - For C(.tar.zst) the program C(zstd) must be installed, or the interpreter be Python 3.14 or later.
      - The query of a URL is neither recorded nor in the actions, but Ansible returns the options of a module.
    type: str
  sha256:
    description:
      - SHA-256 of the tarball, 64 hexadecimal digits. Required with O(state=present) and O(state=current), also when
        the release is installed, to compare it with that from which it was unpacked.
    type: str
  releases:
    description: Several releases in one call, in place of O(version). The options that they have not hold for all.
    type: list
    elements: dict
    suboptions:
      version:
        description: As O(version).
        type: str
        required: true
      flavour:
        description: As O(flavour).
        type: str
        choices: [static, go-static, tools-static]
        default: static
      state:
        description: As O(state). Of each flavour at most one may be V(current) or V(rolled_back), and what a rollback
          makes the current one cannot be V(absent).
        type: str
        choices: [present, current, rolled_back, absent]
        default: current
      source:
        description: As O(source).
        type: str
      sha256:
        description: As O(sha256).
        type: str
  directory:
    description: Where releases lie. It must not be below C(/opt/kata), which belongs to other installers.
    type: path
    default: /opt/kata-releases
  keep:
    description:
      - How many releases of the flavour stay, the declared, the current and the previous one among them, whose number
        may be larger. Of the others the newest stay, and what is older is removed when nothing uses it; what is in use
        stays and is returned in RV(kept). Without it nothing is removed. Of O(releases) it holds for those that stay.
    type: int
  verify:
    description:
      - Whether the digest of each file of the release is compared with its record, which reads all of it. Without it,
        only whether each is there with its size and permissions.
    type: bool
    default: false
  configuration:
    description:
      - Files and directories of configuration in which a runtime handler may name a release, which then is not removed.
        What is not there names nothing. Links to releases in C(/usr/bin), C(/usr/local/bin) and C(/opt) always count,
        and so do C(runtimes), C(custom-runtimes) and C(config.d) in the configuration of the other releases.
    type: list
    elements: str
    default: [/etc/containerd, /etc/crio, /etc/docker, /etc/kata-containers, /etc/systemd/system,
              /var/lib/rancher/k3s/agent/etc/containerd, /var/lib/rancher/rke2/agent/etc/containerd, /etc/k0s]
  ca_path:
    description: File with the certificates of the authorities that are trusted for a download, where they are others
      than those of the host.
    type: path
  url_username:
    description: User for a mirror that asks for one. Where a mirror sends us to another host, that is not told it.
    type: str
  url_password:
    description: Password of that user, likewise.
    type: str
  timeout:
    description: How long unpacking may take, in seconds.
    type: int
    default: 1800
  images:
    description: Container images that a mirror must hold beside the tarball, such as the pause image, for
      RV(bill_of_materials).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Reference of the image, such as V(registry.k8s.io/pause:3.10).
        type: str
        required: true
      sha256:
        description: Its digest, 64 hexadecimal digits.
        type: str
        required: true
  charts:
    description: Helm charts likewise.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Reference of the chart, such as V(oci://ghcr.io/kata-containers/kata-deploy-charts/kata-deploy).
        type: str
        required: true
      sha256:
        description: Its digest, 64 hexadecimal digits.
        type: str
        required: true
extends_documentation_fragment:
  - sovereign.region.attributes
  - sovereign.region.attributes.converging_module
  - sovereign.region.host
notes:
  - Needs root, and the processes of the whole host to be visible where something is to be removed.
  - It does not restart a container runtime and does not change a runtime handler. Handlers should name the directory of
    a release rather than the link to the current one, so that a switch touches no pod that runs.
"""

EXAMPLES = r"""
- name: Install Kata Containers 4.1.0 from a mirror and make it the current release
  sovereign.region.kata_release:
    version: 4.1.0
    source: https://mirror.example.org/kata/kata-static-4.1.0-amd64.tar.zst
    sha256: "{{ kata_static_sha256 }}"

- name: Go to the next version, and remove what is older than the previous one and not in use
  sovereign.region.kata_release:
    version: 4.2.0
    source: https://mirror.example.org/kata/kata-static-4.2.0-amd64.tar.zst
    sha256: "{{ kata_next_sha256 }}"
    keep: 2

- name: Both shims of one version, in one call
  sovereign.region.kata_release:
    releases:
      - version: 4.1.0
        source: https://mirror.example.org/kata/kata-static-4.1.0-amd64.tar.zst
        sha256: "{{ kata_static_sha256 }}"
      - version: 4.1.0
        flavour: go-static
        source: https://mirror.example.org/kata/kata-go-static-4.1.0-amd64.tar.zst
        sha256: "{{ kata_go_static_sha256 }}"

- name: Go back from it
  sovereign.region.kata_release:
    version: 4.2.0
    state: rolled_back

- name: Remove a release that no pod uses any more
  sovereign.region.kata_release:
    version: 4.2.0
    state: absent

- name: Compare each file with what was unpacked, and list what a mirror must hold
  sovereign.region.kata_release:
    version: 4.1.0
    sha256: "{{ kata_static_sha256 }}"
    verify: true
    images:
      - name: registry.k8s.io/pause:3.10
        sha256: "{{ pause_sha256 }}"
  check_mode: true
"""

RETURN = r"""
actions:
  description:
    - The writes to the host, in order; in check mode those that would be made, after a failure those that were.
  returned: always
  type: list
  elements: dict
  sample:
    - verb: create
      kind: Kata release
      name: 4.1.0-static
      before: null
      after:
        path: /opt/kata-releases/4.1.0-static
        sha256: 8e3d23ff600e23b97f8ecf0cad2332e593f5d391bd1a20173407666da5562d1d
        source: /srv/mirror/kata-static-4.1.0-amd64.tar.zst
      interrupts: null
      deferred: null
    - verb: create
      kind: current release
      name: static
      before: null
      after: {release: 4.1.0-static}
      interrupts: null
      deferred: null
bill_of_materials:
  description:
    - All that a mirror must hold for the declared release, each with its digest. What boots in a guest is in the
      tarball, and is listed on its own once the release is installed.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(tarball), V(shim go), V(shim runtime-rs), V(guest kernel), V(guest image), V(guest initrd),
        V(root hash), V(firmware), V(container image) or V(chart).
      type: str
      returned: always
    name:
      description: Name of the tarball, path of a file, or reference of an image or chart.
      type: str
      returned: always
    sha256: {description: Its digest., type: str, returned: always}
    size: {description: 'In bytes; null where it is not known.', type: int, returned: always}
    source:
      description: Where it comes from; for what lies in the tarball, the name of the tarball.
      type: str
      returned: always
current:
  description: Name of the current release of the flavour; null without one.
  returned: success
  type: str
  sample: 4.1.0-static
kept:
  description: Releases that O(keep) does not want and that stay, because they are in use or that cannot be told.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name of the release., type: str, returned: always}
    reasons:
      description: Who uses it, in words.
      type: list
      elements: str
      returned: always
previous:
  description: Name of the previous release of the flavour; null without one.
  returned: success
  type: str
results:
  description: With O(releases), for each of them what is returned otherwise, in their order.
  returned: success, with a list
  type: list
  elements: dict
release_path:
  description: Directory of the declared release.
  returned: success
  type: str
  sample: /opt/kata-releases/4.1.0-static
releases:
  description: The releases in the directory, those of other flavours too.
  returned: success
  type: list
  elements: dict
  contains:
    name: {description: Name of the release and of its directory., type: str, returned: always}
    version: {description: Its version., type: str, returned: always}
    flavour: {description: Its flavour., type: str, returned: always}
    path: {description: Its directory., type: str, returned: always}
    current: {description: Whether it is the current one of the declared flavour., type: bool, returned: always}
    previous: {description: Whether it is the previous one of the declared flavour., type: bool, returned: always}
    damage:
      description: How it differs from what was unpacked, or why that is not known; null when it does not.
      type: str
      returned: always
    sha256: {description: 'SHA-256 of its tarball; null when it is not known.', type: str, returned: always}
    source: {description: 'Where its tarball came from; null when it is not known.', type: str, returned: always}
    unpacked: {description: 'When it was unpacked; null when it is not known.', type: str, returned: always}
shims:
  description: Path of each shim of the declared release, by V(go) and V(runtime-rs).
  returned: success
  type: dict
  sample:
    runtime-rs: /opt/kata-releases/4.1.0-static/runtime-rs/bin/containerd-shim-kata-v2
error:
  description: Class of the error, such as V(Refused) or V(HostError).
  returned: failure
  type: str
failed_action:
  description: The write that failed, in the shape of the actions.
  returned: when a write failed
  type: dict
problems:
  description: Everything that is wrong with the declaration, a sentence each.
  returned: failure
  type: list
  elements: str
"""

from ..module_utils._core import host_module
from ..module_utils._isolation import releases


def main():
    host_module.run(releases.DOMAIN)


if __name__ == "__main__":
    main()
