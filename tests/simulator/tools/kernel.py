# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools of the kernel and the boot loader: modprobe, rmmod, lsmod, modinfo, update-grub, grubby."""

from __future__ import annotations

from .. import bootloader, modules, procfs
from ..drivers import MODULES, by_alias, closure, module_name
from ..state import Blocked
from ..units import unit_text
from .answer import Answer, changed


def modprobe(state, words):
    """``modprobe [-r] NAME [parameter=value …]``: -r also removes what nothing needs any more."""
    names = [word for word in words if not word.startswith("-")]
    if "-n" in words or "--dry-run" in words or not names:
        return Answer(0)
    if "-r" in words or "--remove" in words:
        for name in names:
            said = _remove(state, module_name(name))
            if said:
                return changed(1, "", said + "\n")
        return changed()
    if ":" in names[0]:
        return _by_alias(state, names[0], "-b" in words or "--use-blacklist" in words)
    parameters = dict(word.split("=", 1) for word in names[1:] if "=" in word)
    said = modules.load(state, names[0], parameters)
    return changed(1 if said else 0, "", said + "\n" if said else "")


def _by_alias(state, alias, mind_blacklist):
    """Load every module of an alias, as udev has it done."""
    barred, ready = modules.blacklisted(state) if mind_blacklist else set(), modules.installed(state)
    found = [one for one in by_alias(alias) if one in ready and one not in barred]
    for name in found:
        modules.load(state, name)
    return changed(0 if found else 1, "", "" if found else f"modprobe: FATAL: Module {alias} not found in directory "
                   f"/lib/modules/{state.description.kernel}\n")


def _remove(state, name):
    """None, or modprobe's words. Those that need it go first, as an install rule of NVIDIA's packages has it."""
    if name not in MODULES:
        return f"modprobe: FATAL: Module {name} not found."
    if name not in state.modules:
        return None
    for user in modules.needed_by(state, name):
        said = _remove(state, user) if name == "nvidia" else None
        if said:
            return said
    if name not in state.modules:
        # It went with the last of those that needed it.
        return None
    try:
        said = modules.unload(state, name)
    except Blocked as waiting:
        return f"modprobe: FATAL: Module {name} is in use ({waiting})."
    if said:
        return said.replace("rmmod: ERROR:", "modprobe: FATAL:") + "."
    for needed in reversed(closure(name)[:-1]):
        if needed in state.modules and not modules.use_count(state, needed):
            modules.unload(state, needed)
    return None


def rmmod(state, words):
    """``rmmod NAME…``: one after the other; goes on after a failure."""
    said = []
    for name in [word for word in words if not word.startswith("-")]:
        try:
            said.append(modules.unload(state, name))
        except Blocked as waiting:
            said.append(f"rmmod: ERROR: Module {name} is in use ({waiting})")
    said = [one for one in said if one]
    return changed(1 if said else 0, "", "".join(one + "\n" for one in said))


def lsmod(state, words):
    """``lsmod``: as /proc/modules, in columns."""
    rows = [row.split() for row in procfs.proc(state).entries()["modules"].content().decode().splitlines()]
    lines = [f"{row[0]:<19} {row[1]:>8}  {row[2]} {row[3].rstrip(',').strip('-')}".rstrip() for row in rows]
    return Answer(0, "\n".join(["Module                  Size  Used by", *lines]) + "\n")


def modinfo(state, words):
    """``modinfo [-F FIELD] NAME``."""
    names = [word for word in words if not word.startswith("-")]
    field = words[words.index("-F") + 1] if "-F" in words else None
    name = module_name(names[-1]) if names else ""
    if name not in modules.installed(state):
        return Answer(1, "", f"modinfo: ERROR: Module {names[-1] if names else ''} not found.\n")
    values = {"filename": f"/lib/modules/{state.description.kernel}/updates/dkms/{name}.ko.xz",
              "license": "GPL", "name": name, "vermagic": f"{state.description.kernel} SMP preempt mod_unload",
              "signer": "DKMS module signing key" if name.startswith("nvidia") else "Debian Secure Boot CA",
              "sig_key": "00:11:22:33"}
    if name.startswith("nvidia"):
        values["license"] = "Dual MIT/GPL" if state.description.nvidia_open else "NVIDIA"
        values["version"] = state.description.nvidia_version
    if field:
        return Answer(0, values[field] + "\n" if field in values else "")
    return Answer(0, "".join(f"{key + ':':<16}{value}\n" for key, value in values.items()))


def update_grub(state, words):
    """``update-grub``."""
    return changed(0, "", bootloader.update_grub(state))


def grubby(state, words):
    """``grubby``, see bootloader.py."""
    joined = []
    for word in words:
        if joined and joined[-1] in ("--args", "--remove-args", "--update-kernel", "--info"):
            joined[-1] += "=" + word
        else:
            joined.append(word)
    status, output = bootloader.grubby(state, joined)
    made = changed if any(word.startswith("--update-kernel") for word in joined) else Answer
    return made(status, output)


def nothing(state, words):
    """A tool whose effect is not simulated, such as ``udevadm settle``."""
    return Answer(0)


def systemctl(state, words):
    """``systemctl enable|disable|daemon-reload|is-enabled|is-active``: links below the targets that [Install] names."""
    verb = next((word for word in words if not word.startswith("-")), "")
    names = [word for word in words if not word.startswith("-") and word != verb]
    names = [name if "." in name else name + ".service" for name in names]
    links = {name: _links(state, name) for name in names}
    if verb == "enable":
        missing = [name for name in names if not links[name]]
        if missing:
            return changed(1, "", f"Failed to enable unit: Unit {missing[0]} does not exist\n")
        for path in [path for name in names for path in links[name]]:
            state.files.link(path, f"/etc/systemd/system/{path.rpartition('/')[2]}")
        return changed()
    if verb == "disable":
        for path in [path for name in names for path in links[name]]:
            state.files.entries.pop(path, None)
        return changed()
    if verb == "is-enabled":
        enabled = all(path in state.files.entries for name in names for path in links[name] or ["none"])
        return Answer(0 if enabled else 1, "enabled\n" if enabled else "disabled\n")
    if verb == "is-active":
        return Answer(3, "inactive\n")
    return Answer(0)


def _links(state, name):
    """The links that enabling a unit makes; none when there is no such unit."""
    text = unit_text(state, name)
    if text is None:
        return []
    targets = [word for line in text.splitlines() if line.startswith(("WantedBy=", "RequiredBy="))
               for word in line.split("=", 1)[1].split()]
    return [f"/etc/systemd/system/{target}.wants/{name}" for target in targets or ["multi-user.target"]]
