# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator from a shell.

    python -m simulator up --dir DIRECTORY --describe hgx [--set gpus=2]     mounts a host until it is unmounted
    python -m simulator call --dir DIRECTORY -- hold /dev/nvidia0            calls a method of its model
    python -m simulator run --dir DIRECTORY -- nvidia-smi -L                 runs one of its tools
    python -m simulator down --dir DIRECTORY                                 unmounts it
    python -m simulator export --dir DIRECTORY --describe mi300x             writes its tree as plain files
    python -m simulator list                                                 the descriptions there are
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys

from .description import from_plain
from .export import export
from .host import SimulatedHost
from .model import Model
from .presets import PRESETS, describe


def _description(name, changes):
    if os.path.exists(name):
        with open(name, encoding="utf-8") as stream:
            return from_plain(json.load(stream))
    values = {}
    for change in changes:
        key, _, value = change.partition("=")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return describe(name, **values)


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("up", "down", "call", "run", "export", "list"))
    parser.add_argument("--dir")
    parser.add_argument("--describe", help="a name, or a file that holds a description as JSON")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--until", type=int, help="leave when this process ends")
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    arguments, words = parser.parse_args(given[:cut]), given[cut + 1:]
    if arguments.verb == "list":
        for name, function in PRESETS.items():
            print(f"{name:<10} {inspect.signature(function)}  {(function.__doc__ or '').splitlines()[0]}")
        return 0
    if arguments.verb == "export":
        print(export(_description(arguments.describe, arguments.set), arguments.dir), "files and links, simulated")
        return 0
    if arguments.verb == "up":
        from .fuse_server import serve
        os.makedirs(arguments.dir, exist_ok=True)
        serve(Model(_description(arguments.describe, arguments.set)), os.path.realpath(arguments.dir), arguments.until)
        return 0
    host = SimulatedHost(None)
    host.root = os.path.realpath(arguments.dir)
    if arguments.verb == "down":
        host.call("stop")
        return subprocess.call(["umount", "-l", host.root])
    if arguments.verb == "call":
        print(json.dumps(host.call(*[_value(word) for word in words])))
        return 0
    answer = host.run(*words)
    sys.stdout.write(answer["stdout"])
    sys.stderr.write(answer["stderr"])
    return answer["status"]


def _value(word):
    try:
        return json.loads(word)
    except ValueError:
        return word


if __name__ == "__main__":
    sys.exit(main())
