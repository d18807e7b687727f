# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which boot loader hands the kernel its arguments, told by what is there; what is not known is refused with the way by
hand.

Source: the Boot Loader Interface of the UAPI group (``LoaderInfo``, ``StubInfo``), ostree(1), ``kernel-install(8)``.
"""

from __future__ import annotations

from . import grub, grubby

_PROGRAMS = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin")
_VARIABLES = "/sys/firmware/efi/efivars/{0}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_MKCONFIG = "/usr/sbin/grub-mkconfig"
# Arguments by which systems that are built as one image tell themselves, and how such a system is given others.
_IMAGES = (
    ("snapd_recovery_mode", "Ubuntu Core", "snap set system system.kernel.cmdline-append='{0}'"),
    ("talos.platform", "Talos", "list '{0}' in machine.install.extraKernelArgs"),
    ("flatcar.first_boot", "Flatcar", "set linux_append=\"{0}\" in /oem/grub.cfg"),
    ("ostree", "ostree", "rpm-ostree kargs {1}"),
)


def observe(host, running):
    """Return what tells the boot loaders apart, as plain facts.

    Args:
        host: Host.
        running: arguments of the running kernel.
    """
    return {
        "programs": [name for name in ("update-grub", "grubby", "proxmox-boot-tool", "grub2-mkconfig")
                     if any(host.exists("{0}/{1}".format(folder, name)) for folder in _PROGRAMS)],
        "loader": _variable(host, "LoaderInfo"),
        "stub": _variable(host, "StubInfo"),
        "files": [path for path in ("/run/ostree-booted", "/etc/kernel/proxmox-boot-uuids", "/boot/loader/loader.conf",
                                    "/boot/efi/loader/loader.conf", "/efi/loader/loader.conf",
                                    "/boot/extlinux/extlinux.conf", "/boot/firmware/cmdline.txt", grub.MAIN, grub.MENU,
                                    "/boot/grub2/grub.cfg") if host.exists(path)],
        "entries": any(name.endswith(".conf") for name in host.names(grubby.ENTRIES)),
        "drop_ins": grub.FOLDER[1:].partition("/")[2] in (host.text(_MKCONFIG) or grub.FOLDER),
        "images": [key for key, unused, way in _IMAGES if any(one.partition("=")[0] == key for one in running)],
        "xen": "control_d" in (host.text("/proc/xen/capabilities") or ""),
    }


def _variable(host, name):
    """Return the text of a variable of the Boot Loader Interface: four bytes of attributes, then UTF-16; or None."""
    try:
        content = host.read_bytes(_VARIABLES.format(name))
    except OSError:
        return None
    return content[4:].decode("utf-16-le", "replace").rstrip("\0") or None


def choose(seen, declared):
    """Return (``grub`` or ``grubby`` or None, why none is known). Pure.

    Args:
        seen: as ``observe`` returned it.
        declared: arguments that the operator would set by hand.
    """
    line, files, programs = " ".join(declared), seen["files"], seen["programs"]
    appended = " ".join("--append={0}".format(one) for one in declared)
    image = next((one for one in _IMAGES if one[0] in seen["images"]), None)
    if image is None and "/run/ostree-booted" in files:
        image = _IMAGES[-1]
    if image:
        return _by_hand("this system is an image ({0}), whose boot entries it writes itself".format(image[1]),
                        image[2].format(line, appended))
    if seen["xen"]:
        return _by_hand("this is Xen's first domain, and the IOMMU belongs to the hypervisor",
                        "GRUB_CMDLINE_XEN in {0}".format(grub.MAIN))
    if "/etc/kernel/proxmox-boot-uuids" in files:
        return _by_hand("proxmox-boot-tool keeps copies of the boot entries on partitions of its own",
                        "add '{0}' to /etc/kernel/cmdline and run proxmox-boot-tool refresh".format(line))
    if seen["stub"] or (seen["loader"] or "").startswith("systemd-boot"):
        return _by_hand("this system was started by {0}".format(seen["stub"] or seen["loader"]),
                        "add '{0}' to /etc/kernel/cmdline and run kernel-install for each kernel".format(line))
    if seen["entries"] and "grubby" in programs:
        return "grubby", None
    return _grub(seen, line)


def _grub(seen, line):
    files, programs = seen["files"], seen["programs"]
    if "update-grub" in programs and grub.MENU in files:
        if seen["drop_ins"]:
            return "grub", None
        return _by_hand("its grub-mkconfig does not read {0}".format(grub.FOLDER),
                        "add '{0}' to GRUB_CMDLINE_LINUX in {1} and run update-grub".format(line, grub.MAIN))
    if "update-grub" in programs:
        return None, ("update-grub is there and {0} is not: either GRUB never was installed here, or /boot is not "
                      "mounted; mount it, or run grub-install and update-grub first".format(grub.MENU))
    if seen["entries"]:
        return _by_hand("{0} has boot entries, and there is neither grubby nor update-grub".format(grubby.ENTRIES),
                        "install grubby, or add '{0}' to /etc/kernel/cmdline and run kernel-install".format(line))
    if "grub2-mkconfig" in programs:
        return _by_hand("GRUB is here without drop-ins and without grubby",
                        "add '{0}' to GRUB_CMDLINE_LINUX in {1} and run grub2-mkconfig -o /boot/grub2/grub.cfg".format(
                            line, grub.MAIN))
    for path, what, way in (
            ("/boot/extlinux/extlinux.conf", "extlinux or U-Boot starts this system",
             "append '{0}' to the lines APPEND in /boot/extlinux/extlinux.conf"),
            ("/boot/firmware/cmdline.txt", "the firmware of a Raspberry Pi starts this system",
             "append '{0}' to the one line of /boot/firmware/cmdline.txt")):
        if path in files:
            return _by_hand(what, way.format(line))
    return _by_hand("no boot loader that is known here was found: neither update-grub with {0}, nor grubby with "
                    "{1}".format(grub.MENU, grubby.ENTRIES),
                    "add '{0}' to the kernel's command line where this system keeps it".format(line))


def _by_hand(reason, way):
    return None, "{0}; kernel arguments are not changed here. By hand: {1}".format(reason, way)
