# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words on the command line of a guest's kernel. Pure.

What the kernel does not know and has neither '=' nor '.' becomes an argument of the first program of the guest, and
so does everything after ``--`` (Documentation/admin-guide/kernel-parameters.rst). Where the guest boots from an initrd
that program is the agent, which then prints its usage and ends: the guest panics, and the shim waits for its timeout.
"""

from __future__ import annotations

# Words that every x86-64 and arm64 kernel knows without a value, whatever was configured (init/main.c, kernel/printk,
# kernel/panic.c, mm, arch/x86 of Linux 6.x), or that both of Kata's guest kernels have switched on.
KNOWN = frozenset((
    "debug", "quiet", "ro", "rw", "rootwait", "noinitrd", "retain_initrd", "ignore_loglevel", "initcall_debug",
    "keep_bootcon", "nosmp", "no_timer_check", "noreplace-smp", "nohugevmalloc", "nopti", "nospectre_v1",
    "nospectre_v2", "norandmaps", "noapic", "nolapic", "noxsave", "notsc", "nopvspin", "no-kvmclock", "no-steal-acc",
    "skip_duplicates", "threadirqs", "irqpoll", "noirqdebug", "nowatchdog",
))
# Taken by the loader of the kernel's image, which a guest that boots its kernel directly does not have.
_LOADER = frozenset(("nokaslr", "kaslr", "efi", "earlyprintk_efi"))
# Parameters of the agent that open the guest to whoever is on the host (src/agent/src/config.rs of 4.1.0).
_DEBUG = ("agent.debug_console", "agent.debug_console_vport", "agent.devmode", "systemd.debug_shell",
          "systemd.debug-shell", "rd.shell", "rd.break")
_DEBUG_VALUES = {"agent.log": ("debug", "trace")}


def words(text):
    """Return the words of a command line; a quoted part keeps its blanks, as the kernel reads it."""
    found, word, quoted = [], "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character.isspace() and not quoted:
            found.append(word)
            word = ""
        else:
            word += character
    return [one for one in found + [word] if one]


def problems(where, text):
    """Return what is wrong with a command line, a sentence each.

    Args:
        where: the dotted key, for the message.
        text: the whole command line.
    """
    found = []
    if text.count('"') % 2:
        found.append("{0}: a quotation mark is open at the end".format(where))
    if any(ord(one) < 32 or ord(one) == 127 for one in text):
        found.append("{0}: control characters cannot be on a kernel command line; write one line".format(where))
    for word in words(text):
        if word == "--":
            found.append("{0}: what comes after '--' would be arguments of the guest's first program, and the agent "
                         "ends on arguments that it does not know; take it out".format(where))
            break
        if "=" in word or "." in word or word in KNOWN:
            continue
        why = "the kernel's loader takes it, and Kata starts the kernel without one" if word in _LOADER else (
            "the kernel does not know it without a value")
        found.append("{0}: {1!r} would reach the agent as an argument, with which it ends and the pod never starts: "
                     "{2}; take it out, or write it as name=value".format(where, word, why))
    return found


def debugging(text):
    """Return the words of a command line that open the guest for debugging."""
    found = []
    for word in words(text):
        name, unused, value = word.partition("=")
        on = value.lower() not in ("0", "false", "no", "off")
        if (name in _DEBUG and on) or value in _DEBUG_VALUES.get(name, ()):
            found.append(word)
    return found
