# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of one host as /proc shows them: which run of Ansible is this, does a process live, who outlived it.

Measured with ansible-core 2.16 and 2.19: after ``kill -9`` of ansible-playbook its forked workers go on, and so do the
modules that they started, until these are done; since 2.19 each worker leads a session of its own. The workers keep
the pipes of their queues, which the main process made with both ends before it forked; modules do not inherit them,
but the environment of their play. Nothing here raises for a process that ends while it is looked at.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

RUN_VARIABLE = "SOVEREIGN_REGION_RUN"
_ENDED = ("Z", "X")
_DEEPEST = 64


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes:
        pid: its number.
        parent: the number of its parent.
        state: one letter; Z and X are processes that have ended.
        start: when it began, in clock ticks since the host's start. With the pid it names a process for good.
    """

    pid: int
    parent: int
    state: str
    start: int

    @property
    def ended(self):
        """Whether it runs no more, though its parent has not noticed yet."""
        return self.state in _ENDED


def parse_stat(text):
    """Return the Process of a /proc/PID/stat, or None. The name in it may hold blanks and brackets. Pure."""
    match = re.match(r"(\d+) \((.*)\) (\S) (.*)", text, re.DOTALL)
    fields = match.group(4).split() if match else []
    if len(fields) < 19:
        return None
    return Process(int(match.group(1)), int(fields[0]), match.group(3), int(fields[18]))


def is_ansible(arguments):
    """Whether a command line is one of Ansible's own programs, however it was started. Pure."""
    names = [os.path.basename(one) for one in arguments[:3]]
    if names[1:3] == ["-m", "ansible"]:
        return True
    return any(re.match(r"ansible(-playbook|-pull|-console|-runner)?(-\d.*)?$", name) for name in names[:2])


def queue_pipes(links):
    """Return the pipes of which a process has both ends, beside its standard streams. Pure.

    Args:
        links: mapping of file descriptor to the text of its link, such as ``pipe:[4711]``.
    """
    seen, both = set(), set()
    for descriptor, link in links.items():
        if descriptor > 2 and link.startswith("pipe:"):
            (both if link in seen else seen).add(link)
    return sorted(int(link[6:-1]) for link in both)


def process(host, pid):
    """Return the Process, or None when there is none."""
    return parse_stat(_text(host, "/proc/{0}/stat".format(pid)))


def arguments_of(host, pid):
    """Return the command line as a list; empty for what is gone, hidden or of the kernel."""
    return [one for one in _text(host, "/proc/{0}/cmdline".format(pid)).split("\0") if one]


def descriptors(host, pid):
    """Return mapping of file descriptor to the text of its link; empty for what is gone or not ours to see."""
    try:
        names = host.listdir("/proc/{0}/fd".format(pid))
    except OSError:
        return {}
    found = {}
    for name in names:
        try:
            found[int(name)] = host.readlink("/proc/{0}/fd/{1}".format(pid, name))
        except (OSError, ValueError):
            continue
    return found


def ancestors(host, pid):
    """Return the Process of ``pid``, of its parent and so on."""
    chain = []
    while pid and len(chain) < _DEEPEST:
        found = process(host, pid)
        if found is None:
            break
        chain.append(found)
        pid = found.parent
    return chain


def main_of(host, pid):
    """Return the Process of the Ansible program that started ``pid``, or None when there is none on this host.

    Workers are forked and keep the command line: the topmost of those with the same one is the main process.
    """
    main, line = None, None
    for one in ancestors(host, pid):
        arguments = arguments_of(host, one.pid)
        if line is None and is_ansible(arguments):
            main, line = one, arguments
        elif line is not None:
            if arguments != line:
                break
            main = one
    return main


def survivors(host, pipes, run, spared=()):
    """Return the Processes that still work for a run whose main process has ended.

    Args:
        host: Host.
        pipes: numbers of the pipes that its workers inherited.
        run: id of the run, as its plays put it into the environment.
        spared: pids that are none of them: our own.
    """
    wanted = {"pipe:[{0}]".format(one) for one in pipes}
    mark = "{0}={1}".format(RUN_VARIABLE, run)
    found = []
    for name in host.listdir("/proc"):
        if not name.isdigit() or int(name) in spared:
            continue
        belongs = bool(wanted.intersection(descriptors(host, name).values()))
        if not belongs and run:
            belongs = mark in _text(host, "/proc/{0}/environ".format(name)).split("\0")
        if belongs:
            one = process(host, name)
            if one and not one.ended:
                found.append(one)
    return found


def _text(host, path):
    try:
        return host.read_text(path)
    except OSError:
        return ""
