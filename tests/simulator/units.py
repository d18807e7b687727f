# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of a simulated host: which of its unit files a boot starts, and in which order.

Synthetic and much smaller than systemd: enabled by a link in a ``.wants`` directory or named by a target's drop-in;
``After`` and ``Before`` among them; ``ExecStart`` and one condition. The rest is not looked at.
"""

from __future__ import annotations

import posixpath

_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system")


def started(state, early=None):
    """The services that a boot starts: (name, list of ExecStart command lines), those that others come after first.

    Args:
        early: True for those that run before udev looks at the devices, False for the others, None for all.
    """
    wanted = set()
    for path in state.files.entries:
        if path.startswith("/etc/systemd/system/") and ".wants/" in path and path.endswith(".service"):
            wanted.add(posixpath.basename(path))
        if path.startswith(_UNITS) and ".target.d/" in path and path.endswith(".conf"):
            text = state.files.text(path) or ""
            wanted |= {one for one in _words(text, "Wants") | _words(text, "Requires") if one.endswith(".service")}
    texts = {name: unit_text(state, name) for name in wanted}
    found, rest = [], sorted(name for name, text in texts.items() if text and _chosen(state, text, early))
    while rest:
        # The first that waits for none of those left; a circle is cut at its first name.
        free = [one for one in rest if not any(_waits(texts, one, other) for other in rest if other != one)]
        name = (free or rest)[0]
        rest.remove(name)
        found.append((name, [_command(one, name) for one in _lines(texts[name], "ExecStart")]))
    return found


def _chosen(state, text, early):
    """Whether a unit is asked for, and its condition holds (ConditionDirectoryNotEmpty, the one that ours use)."""
    for line in _lines(text, "ConditionDirectoryNotEmpty"):
        if not state.files.names(line):
            return False
    first = "systemd-udev-trigger.service" in _words(text, "Before")
    return early is None or first == early


def _waits(texts, one, other):
    """Whether a unit must come after another one."""
    return other in _words(texts[one], "After") or one in _words(texts[other], "Before")


def unit_text(state, name):
    template = name.split("@")[0] + "@.service" if "@" in name else name
    for folder in _UNITS:
        for one in (name, template):
            text = state.files.text(f"{folder}/{one}")
            if text:
                return text
    return None


def _lines(text, key):
    return [line.split("=", 1)[1].strip() for line in text.splitlines() if line.startswith(key + "=")]


def _words(text, key):
    return {word for line in _lines(text, key) for word in line.split()}


def _command(line, name):
    instance = name.split("@", 1)[1].rsplit(".", 1)[0] if "@" in name else ""
    return line.lstrip("-@:+!").replace("%i", instance).replace("%I", instance.replace("-", "/"))
