# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the kernel command line comes from: GRUB's files on Debian and Ubuntu, BLS entries on EL.

Synthetic and much smaller than GRUB: ``update-grub`` reads /etc/default/grub and its drop-ins as shell assignments and
writes one menu entry; the boot takes the first ``linux`` line, or the entry that is the default.
"""

from __future__ import annotations

import re

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Z_]+)=(.*)$")
GRUB_CFG = "/boot/grub/grub.cfg"
ENTRIES = "/boot/loader/entries"


def first_files(state):
    """The boot loader's files of a host as installed."""
    about, words = state.description, state.description.arguments.split()
    if about.os == "el9":
        state.files.put(
            f"{ENTRIES}/simulated-{about.kernel}.conf",
            "\n".join(
                (
                    f"title Simulated ({about.kernel})",
                    f"version {about.kernel}",
                    f"linux /vmlinuz-{about.kernel}",
                    f"initrd /initramfs-{about.kernel}.img",
                    f"options {about.arguments}",
                    "grub_users $grub_users",
                    "",
                )
            ),
        )
        state.files.put("/etc/default/grub", f'GRUB_CMDLINE_LINUX="{about.arguments}"\nGRUB_ENABLE_BLSCFG=true\n')
        return
    own = [word for word in words if not word.startswith("root=") and word not in ("ro", "rw")]
    state.files.put(
        "/etc/default/grub",
        "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n"
        f'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="{" ".join(w for w in own if w != "quiet")}"\n',
    )
    state.files.folder("/etc/default/grub.d")
    update_grub(state)


def update_grub(state):
    """Write grub.cfg anew. Returns what the real command says."""
    values = {}
    names = sorted(
        one for one in state.files.entries if one.startswith("/etc/default/grub.d/") and one.endswith(".cfg")
    )
    for path in ["/etc/default/grub", *names]:
        _assign(values, state.files.text(path) or "")
    words = f"{values.get('GRUB_CMDLINE_LINUX', '')} {values.get('GRUB_CMDLINE_LINUX_DEFAULT', '')}".split()
    root = [one for one in state.description.arguments.split() if one.startswith("root=") or one in ("ro", "rw")]
    line = " ".join([*root, *words])
    kernel = state.description.kernel
    state.files.put(
        GRUB_CFG,
        "# Simulated: written by update-grub\n"
        f"menuentry 'Simulated' {{\n\tlinux\t/boot/vmlinuz-{kernel} {line}\n\tinitrd\t/boot/initrd.img-{kernel}\n}}\n",
    )
    return f"Generating grub configuration file ...\nFound linux image: /boot/vmlinuz-{kernel}\ndone\n"


def _assign(values, text):
    """Take a file of assignments; double quotes, single quotes, and $NAME or ${NAME} of what was set before."""
    for found in map(_ASSIGNMENT.match, text.splitlines()):
        if not found:
            continue
        name, raw = found[1], found[2].strip()
        quoted = raw[:1] in "'\"" and raw[-1:] == raw[:1] and len(raw) > 1
        value = raw[1:-1] if quoted else raw
        if raw[:1] != "'":
            value = re.sub(r"\$\{?([A-Z_]+)\}?", lambda found: values.get(found[1], ""), value)
        values[name] = value


def arguments(state):
    """The words of the command line of the next boot."""
    for path in sorted(state.files.entries, reverse=True):
        if path.startswith(ENTRIES + "/") and path.endswith(".conf"):
            found = re.search(r"^options\s+(.*)$", state.files.text(path) or "", re.M)
            return found[1].split() if found else []
    found = re.search(r"^\s*linux\s+\S+[ \t]*(.*)$", state.files.text(GRUB_CFG) or "", re.M)
    return found[1].split() if found else state.description.arguments.split()


def grubby(state, words):
    """The few calls of grubby that matter: --info, --update-kernel with --args and --remove-args. (status, output)."""
    options = dict(word.split("=", 1) if "=" in word else (word, "") for word in words)
    entries = sorted(one for one in state.files.entries if one.startswith(ENTRIES + "/") and one.endswith(".conf"))
    if not entries:
        return 1, "The param (null) is incorrect\n"
    kernel = state.description.kernel
    if "--default-kernel" in options:
        return 0, f"/boot/vmlinuz-{kernel}\n"
    if "--info" in options:
        return 0, "".join(
            f'index={number}\nkernel="/boot/vmlinuz-{kernel}"\nargs="{_options(state, path)}"\n'
            f'root=""\ntitle="Simulated ({kernel})"\n'
            for number, path in enumerate(entries)
        )
    if "--update-kernel" not in options:
        return 1, "grubby: no action specified\n"
    removed = {
        one.split("=")[0] if "=" not in one else one for one in options.get("--remove-args", "").strip('"').split()
    }
    added = options.get("--args", "").strip('"').split()
    for path in entries:
        keep = [one for one in _options(state, path).split() if one not in removed and one.split("=")[0] not in removed]
        # An argument that is given replaces those of the same key, as grubby does.
        keys = {one.split("=")[0] for one in added}
        line = " ".join([one for one in keep if one.split("=")[0] not in keys] + added)
        text = re.sub(r"^options\s+.*$", lambda found, line=line: f"options {line}", state.files.text(path), flags=re.M)
        state.files.put(path, text)
    return 0, ""


def _options(state, path):
    found = re.search(r"^options\s+(.*)$", state.files.text(path) or "", re.M)
    return found[1] if found else ""
