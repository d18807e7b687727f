# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device nodes that Kata's shims and hypervisors open, told apart from the drivers behind them, without opening one.

A node says little: systemd-tmpfiles makes those of ``modules.devname`` at boot, and opening such a node is what loads
the module (drivers/char/misc.c, misc_open() asks for ``char-major-10-<minor>`` when no driver has registered the
minor). What is registered now is in ``/proc/misc``. So nothing here opens a node, and ``kvm_probe.py`` opens /dev/kvm
only where its driver is registered already.
"""

from __future__ import annotations

import os
import re
import stat

_MISC_MAJOR = 10
_MOST_LINKS = 8

# Name of a fact: path of the node, and the name under which the driver registers in /proc/misc.
# Sources: drivers/vhost/vsock.c, drivers/vhost/net.c, drivers/net/tun.c, drivers/vfio/container.c,
# drivers/iommu/iommufd/main.c, drivers/crypto/ccp/sev-dev.c, arch/x86/kernel/cpu/sgx/driver.c of Linux 6.12.
NODES = {
    "kvm": ("/dev/kvm", "kvm"),
    "vhost_vsock": ("/dev/vhost-vsock", "vhost-vsock"),
    "vhost_net": ("/dev/vhost-net", "vhost-net"),
    "tun": ("/dev/net/tun", "tun"),
    "vfio": ("/dev/vfio/vfio", "vfio"),
    "iommufd": ("/dev/iommu", "iommu"),
    "sev": ("/dev/sev", "sev"),
    "sgx_enclave": ("/dev/sgx_enclave", "sgx_enclave"),
}
# Where log/syslog of Go looks, in this order (syslog_unix.go, unixSyslog()).
SYSLOG = ("/dev/log", "/var/run/syslog", "/var/run/log")


def observe(host, release):
    """Return what is known of each node, and a status for each source.

    Args:
        host: Host.
        release: of the running kernel, or None.

    Returns:
        ({name: what ``judge`` returns}, {"misc": status, "modules.devname": status}).
    """
    text = host.text("/proc/misc")
    misc = registered(text)
    devname, status = None, "error: the release of the kernel is unknown"
    if release and "/" not in release:
        path = "/lib/modules/{0}/modules.devname".format(release)
        devname = host.text(path)
        status = "ok" if devname is not None else "absent"
    named = loadable(devname)
    found = {}
    for name, (path, driver) in NODES.items():
        found[name] = judge(path, look(host, path), driver, misc if text is not None else None, named)
    return found, {"misc": "ok" if text is not None else "absent", "modules.devname": status}


def registered(text):
    """Return {name: minor} of ``/proc/misc``: lines such as ``232 kvm``. Pure."""
    found = {}
    for line in (text or "").splitlines():
        match = re.fullmatch(r"\s*([0-9]{1,7}) (\S{1,100})\s*", line)
        if match:
            found[match.group(2)] = int(match.group(1))
    return found


def loadable(text):
    """Return {path of a node: module that opening it loads} of ``modules.devname``. Pure.

    Lines are ``vhost_vsock vhost-vsock c10:241``. Source: kmod's depmod.c, output_devname().
    """
    found = {}
    for line in (text or "").splitlines():
        match = re.fullmatch(r"([\w-]{1,100}) ([\w/.-]{1,200}) [cb][0-9]{1,7}:[0-9]{1,7}", line.strip())
        if match:
            found["/dev/" + match.group(2)] = match.group(1)
    return found


def judge(path, kind, driver, misc, named):
    """Return what is known of one node. Pure.

    Args:
        path: of the node.
        kind: what ``look`` returned.
        driver: the name under which its driver registers.
        misc: what ``registered`` returned, or None when ``/proc/misc`` cannot be read.
        named: what ``loadable`` returned.

    Returns:
        ``path``, ``node`` (there is a character device of that name), ``driver`` (its driver is registered; None when
        unknown), ``loads`` (the module that opening the node would load, or None), ``available`` (opening it leads to
        a driver; None when unknown) and ``status``: ``ok``, ``absent``, ``not loaded: …`` or ``error: …``.
    """
    found = {"path": path, "node": False, "driver": None if misc is None else driver in misc, "loads": None,
             "available": False, "status": "absent"}
    if kind["kind"] is None:
        return found
    if kind["kind"] != "character device":
        return dict(found, status="error: {0} is a {1}, not a character device".format(path, kind["kind"]))
    if misc is not None and driver in misc and kind["number"] != (_MISC_MAJOR, misc[driver]):
        return dict(found, status="error: {0} has the number {1}:{2}, its driver has {3}:{4}".format(
            path, kind["number"][0], kind["number"][1], _MISC_MAJOR, misc[driver]))
    found["node"] = True
    if misc is None:
        return dict(found, available=None, status="error: /proc/misc cannot be read, so the driver is unknown")
    if driver in misc:
        return dict(found, available=True, status="ok")
    loads = named.get(path)
    if loads:
        return dict(found, loads=loads, available=True,
                    status="not loaded: opening {0} would load {1}, so it was not opened".format(path, loads))
    return dict(found, status="not loaded: no driver is behind {0}, and modules.devname names none".format(path))


def look(host, path):
    """Return ``kind`` of what a path leads to (None when there is nothing) and ``number`` (major, minor) or None.

    Links are followed as the host itself would, one after the other. Nothing is opened.
    """
    for _again in range(_MOST_LINKS):
        try:
            target = host.readlink(path)
        except OSError:
            break
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))
    try:
        status = os.lstat(os.path.join(host.root, path.lstrip("/")))
    except OSError:
        return {"kind": None, "number": None, "path": path}
    number = (os.major(status.st_rdev), os.minor(status.st_rdev)) if stat.S_ISCHR(status.st_mode) else None
    return {"kind": _kind(status.st_mode), "number": number, "path": path}


def syslog(host):
    """Return ``path`` of the socket that a Go program logs to, ``listening`` (None when unknown) and ``status``.

    A socket file outlives the program that made it, and connecting could start one, so the kernel's list of bound
    sockets decides. Source: ``/proc/net/unix``, whose last column is the path.
    """
    listed = host.text("/proc/net/unix")
    bound = {line.split()[-1] for line in (listed or "").splitlines() if len(line.split()) >= 8}
    found = {"path": None, "listening": False, "status": "absent"}
    for path in SYSLOG:
        seen = look(host, path)
        if seen["kind"] != "socket":
            continue
        listening = None if listed is None else bool(bound & {path, seen["path"]})
        said = {None: "error: /proc/net/unix cannot be read, so it is unknown whether anything listens on {0}",
                False: "error: nothing listens on {0}", True: "ok"}[listening].format(path)
        if listening or found["path"] is None:
            found = {"path": path, "listening": listening, "status": said}
        if listening:
            break
    return found


def shared_memory(host):
    """Return (size of /dev/shm in KiB or None, status). Source: ``/proc/self/mounts``; statfs on the host itself.

    tmpfs shows its size only where one was given when it was mounted (mm/shmem.c, shmem_show_options()).
    """
    text = host.text("/proc/self/mounts")
    if text is None:
        return None, "absent"
    options = None
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 4 and words[1] == "/dev/shm":
            options = words[3]
    if options is None:
        return None, "error: nothing is mounted on /dev/shm"
    size = re.search(r"(?:^|,)size=([0-9]{1,15})k(?:,|$)", options)
    if size:
        return int(size.group(1)), "ok"
    if not host.is_real:
        return None, "error: the mount of /dev/shm shows no size"
    try:
        seen = os.statvfs("/dev/shm")
    except OSError as error:
        return None, "error: {0}".format(error.strerror)
    return seen.f_blocks * seen.f_frsize // 1024, "ok"


def _kind(mode):
    for test, words in ((stat.S_ISCHR, "character device"), (stat.S_ISBLK, "block device"), (stat.S_ISSOCK, "socket"),
                        (stat.S_ISFIFO, "FIFO"), (stat.S_ISDIR, "directory"), (stat.S_ISLNK, "link")):
        if test(mode):
            return words
    return "regular file"
