# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments as the kernel understands them: names, values, and which of several counts. Pure.

Source: ``Documentation/admin-guide/kernel-parameters.rst`` and ``kernel/params.c`` of Linux: dashes and underscores in
a name are the same, ``--`` ends the kernel's part, double quotes hold blanks together.
"""

from __future__ import annotations

import difflib
import re

# What GRUB, the shell or the kernel would read as something else than a plain letter of a word.
_PLAIN = re.compile(r"[A-Za-z0-9_.,:=/@+%*?^!~()\[\]-]+\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*\Z")
# Written by the boot loader itself, for each entry its own.
_NOT_OURS = ("BOOT_IMAGE", "initrd", "ro", "root", "rw")
# One sentence in three words: a size, then how many pages of it. Only the whole list in its order has a meaning.
PAGES = ("default_hugepagesz", "hugepages", "hugepagesz")
# Comma lists of which every occurrence counts: intel_iommu=on intel_iommu=sm_on is the same as intel_iommu=on,sm_on.
_LISTS = ("amd_iommu", "intel_iommu", "iommu", "pci")
_OPPOSITES = {"on": ("off",), "off": ("on", "pt", "force"), "pt": ("nopt", "off"), "nopt": ("pt",),
              "force": ("off", "noforce"), "noforce": ("force",), "sm_on": ("sm_off",), "sm_off": ("sm_on",)}
# May stand there several times, each with its own meaning.
_REPEATED = ("bond", "bridge", "console", "crashkernel", "dyndbg", "earlycon", "earlyprintk", "ifname", "ip", "memmap",
             "modprobe.blacklist", "module_blacklist", "nameserver", "netconsole", "vlan")
_REPEATED_PREFIXES = ("luks.", "rd.", "systemd.")
KNOWN = _LISTS + PAGES + _REPEATED + (
    "acpi", "acpi_enforce_resources", "amd_pstate", "apparmor", "audit", "biosdevname", "cgroup_disable",
    "cgroup_enable", "cgroup_no_v1", "clocksource", "cma", "cpuidle.off", "debug", "disable_ipv6", "efi", "elevator",
    "fsck.mode", "fsck.repair", "hugetlb_cma", "hugetlb_free_vmemmap", "idle", "init", "init_on_alloc", "init_on_free",
    "intel_idle.max_cstate", "intel_pstate", "intremap", "iomem", "iommu.forcedac", "iommu.passthrough", "iommu.strict",
    "ipv6.disable", "irqaffinity", "isolcpus", "kvm.ignore_msrs", "kvm.nx_huge_pages", "kvm_amd.nested", "kvm_amd.sev",
    "kvm_amd.sev_es", "kvm_amd.sev_snp", "kvm_intel.nested", "lockdown", "loglevel", "lsm", "maxcpus", "mem",
    "mem_encrypt", "mitigations", "modeset", "net.ifnames", "nmi_watchdog", "nohz", "nohz_full", "nomodeset", "nosmt",
    "nouveau.modeset", "nowatchdog", "nr_cpus", "numa_balancing", "nvidia_drm.fbdev", "nvidia_drm.modeset", "panic",
    "pci_aspm", "pcie_acs_override", "pcie_aspm", "pcie_ports", "plymouth.enable", "preempt", "processor.max_cstate",
    "quiet", "rcu_nocb_poll", "rcu_nocbs", "rd.driver.blacklist", "rd.driver.pre", "reboot", "resume", "rhgb",
    "rootdelay", "rootflags", "rootfstype", "security", "selinux", "skew_tick", "splash", "swapaccount", "swiotlb",
    "systemd.unified_cgroup_hierarchy", "transparent_hugepage", "tsc", "usbcore.autosuspend", "vfio-pci.ids",
    "vfio_iommu_type1.allow_unsafe_interrupts", "vfio_pci.disable_idle_d3", "vfio_pci.disable_vga", "vfio_pci.ids",
    "vga", "video", "vt.handoff")
# What a CPU vendor needs so that devices can be handed to virtual machines. AMD's IOMMU is on without being told, and
# knows no amd_iommu=on; that of arm64 is described by the firmware, and there is nothing to say.
IOMMU = {"intel": ("intel_iommu=on", "iommu=pt"), "amd": ("iommu=pt",), "arm": ()}


def split(text):
    """Return the arguments of a command line that reach the kernel: a list of texts.

    Args:
        text: such as the content of ``/proc/cmdline``; what follows ``--`` is for init, and left out.
    """
    found, word, quoted = [], "", False
    for letter in text:
        quoted = quoted != (letter == '"')
        if letter.isspace() and not quoted:
            found.append(word)
            word = ""
        else:
            word += letter
    return kernel_part([one for one in found + [word] if one])


def kernel_part(arguments):
    """Return the arguments before ``--``, which ends those of the kernel."""
    return list(arguments[:arguments.index("--")]) if "--" in arguments else list(arguments)


def name_of(argument):
    """Return the name as the kernel compares it: with underscores."""
    return argument.partition("=")[0].replace("-", "_")


def plain(argument):
    """Return an argument in the one spelling by which two of them are compared."""
    name, sign, value = argument.replace('"', "").partition("=")
    return name.replace("-", "_") + sign + value


def is_repeated(name):
    """Whether an argument of that name may be there several times, each with its own meaning."""
    return name in [name_of(one) for one in _REPEATED] or name.startswith(_REPEATED_PREFIXES)


def is_list(name):
    """Whether the values of all arguments of that name add up."""
    return name in _LISTS


def matches(argument, pattern):
    """Whether an argument is what ``absent`` names: by its name alone, or by name and value."""
    if "=" in pattern:
        return plain(argument) == plain(pattern)
    return name_of(argument) == name_of(pattern)


def named(arguments, name):
    """Return those of that name, in order; for one of PAGES all of PAGES, since they only mean something together."""
    if name in PAGES:
        return [one for one in arguments if name_of(one) in PAGES]
    return [one for one in arguments if name_of(one) == name]


def missing(there, declared):
    """Return the declared arguments that do not count in a command line, in order.

    Args:
        there: arguments of a command line.
        declared: arguments that should count.
    """
    return [one for one in declared if not _counts(there, declared, one)]


def _counts(there, declared, one):
    name = name_of(one)
    same = [plain(other) for other in named(there, name)]
    if name in PAGES:
        return same == [plain(other) for other in named(declared, name)]
    if is_list(name):
        return set(_items(plain(one))) <= {item for other in same for item in _items(other)} and not opposed(there, one)
    if is_repeated(name):
        return plain(one) in same
    # The kernel takes the last one.
    return same[-1:] == [plain(one)]


def opposed(there, one):
    """Return the argument that takes back or contradicts the declared ``one``, or None."""
    name = name_of(one)
    same = named(there, name)
    if name in PAGES or is_repeated(name):
        return None
    if not is_list(name):
        return next((other for other in same if plain(other) != plain(one)), None)
    against = {item for mine in _items(one) for item in _OPPOSITES.get(mine, ())}
    return next((other for other in same if against.intersection(_items(other))), None)


def _items(argument):
    value = argument.partition("=")[2]
    # Semicolons and at signs separate inside one option of pci=; commas separate the options.
    return [item for item in value.split(",") if item]


def problems(arguments, absent):
    """Return one sentence for each declaration that cannot be right."""
    found = []
    for option, items in (("arguments", arguments), ("absent", absent)):
        for index, item in enumerate(items):
            said = _problem(item)
            if said:
                found.append("{0}[{1}]: {2!r} {3}".format(option, index, item, said))
    if found:
        return found
    for index, one in enumerate(arguments):
        path = "arguments[{0}]: {1!r}".format(index, one)
        against = next((other for other in absent if matches(one, other)), None)
        if against:
            found.append("{0} is declared absent too, by {1!r}; take one of them out, or name the value that is to "
                         "go".format(path, against))
        found += _twice(path, one, arguments[:index])
    return found


def _twice(path, one, before):
    name = name_of(one)
    if name in PAGES:
        return []
    if plain(one) in [plain(other) for other in before]:
        return ["{0} is declared twice; once is enough".format(path)]
    other = opposed(before, one)
    if other:
        return ["{0} stands against {1!r}: of {2} only one value counts; keep the one that is meant".format(
            path, other, name)]
    return []


def _problem(item):
    name, sign, value = item.partition("=")
    if not item:
        return "is empty; write an argument such as 'iommu=pt'"
    if not _PLAIN.match(item):
        bad = next((letter for letter in item if not _PLAIN.match(letter)), " ")
        hint = "; write one argument in each item of the list" if bad == " " else ""
        return "holds {0!r}, which the boot loader or the kernel would not take as part of a word{1}".format(bad, hint)
    if not _NAME.match(name):
        return "does not begin with a name; write 'name' or 'name=value'"
    if name in _NOT_OURS:
        return "is written by the boot loader itself, for each boot entry its own; leave it out"
    if sign and not value:
        return "has no value; write 'name' or 'name=value'"
    return None


def doubts(arguments):
    """Return one sentence for each argument that is probably a slip: misspelt, or without effect."""
    known = {name_of(one): one for one in KNOWN}
    found = []
    for one in arguments:
        name = name_of(one)
        if plain(one) == "amd_iommu=on":
            found.append("amd_iommu=on does nothing: the kernel knows no such value, and AMD's IOMMU is on unless it "
                         "is turned off; iommu=pt is what is meant most often")
        if name in known or is_repeated(name):
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.84)
        if close:
            found.append("{0!r}: the kernel ignores names that it does not know; is {1!r} meant?".format(
                one, known[close[0]]))
    return found
