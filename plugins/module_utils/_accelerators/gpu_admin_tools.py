# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's gpu-admin-tools as the operator supplies them: checked before they are run, and their log lines read.

The tool is a checkout of many files, or one file (a zipapp made of it). Everything that Python could load of it goes
into the checksum, and nothing beside it is loaded. It talks to the device directly, through its BARs.
Source: https://github.com/NVIDIA/gpu-admin-tools, ``cli/main.py``, ``cli/per_gpu.py``, ``cli/per_gpu_nvswitch.py``.
"""

from __future__ import annotations

import hashlib
import re

from .._core.errors import HostError, Refused

SCRIPT = "nvidia_gpu_tools.py"
HOW = ("cd {0} && find . -type f -not -path './.git/*' -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | "
       "xargs -0 sha256sum | sha256sum")
UNSUPPORTED = "unsupported"
_MOST_FILES = 2000
_ASKING, _SETTING = 120, 300
_DEVICE = r"\b(?:GPU|NvSwitch) ([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7])\b"
_MODE = re.compile(_DEVICE + r".* (CC|PPCIe) mode is (\S+)\s*\Z")
_HEAD = re.compile(_DEVICE + r".* (CC|PPCIe) settings:\s*\Z")
_SETTING_LINE = re.compile(r"\s(enable|enable-devtools) = (0x[0-9a-fA-F]+|[0-9]+)\s*\Z")
_NOT = re.compile(r"(?:Querying|Configuring) (?:CC|PPCIe|PPCIE)\b.* not supported on .*?" + _DEVICE)
_OLD = re.compile(_DEVICE + r".* does not support PPCIe on current FW")
KINDS = {"cc": "CC", "ppcie": "PPCIe"}


def digest(host, path):
    """Return (sha256 in hexadecimal, whether it is a directory). For a directory: of what HOW prints.

    Args:
        host: Host.
        path: of the checkout, or of the one file.

    Raises:
        HostError: there is nothing of that name, or a part of it cannot be read.
        Refused: a part is a link, so that what is checked need not be what is run.
    """
    try:
        names = host.listdir(path)
    except NotADirectoryError:
        return hashlib.sha256(_bytes(host, path)).hexdigest(), False
    except OSError as error:
        raise HostError("tool: {0}: {1}; name the checkout of NVIDIA's gpu-admin-tools, or one file made of it".format(
            path, error.strerror), error.errno) from error
    if SCRIPT not in names:
        raise HostError("tool: {0} holds no {1}; name the checkout of NVIDIA's gpu-admin-tools".format(path, SCRIPT))
    found = sorted(_files(host, path, ""), key=lambda name: ("./" + name).encode("utf-8", "surrogateescape"))
    lines = ["{0}  ./{1}\n".format(hashlib.sha256(_bytes(host, "{0}/{1}".format(path, name))).hexdigest(), name)
             for name in found]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest(), True


def _files(host, top, below):
    """Return the names of all files below ``top``, without those that Python is kept from loading."""
    found = []
    for name in host.listdir("{0}/{1}".format(top, below)):
        inner = below + name
        path = "{0}/{1}".format(top, inner)
        if host.target_name(path) is not None:
            raise Refused("tool: {0} is a link; what is checked must be what is run: put the file itself there".format(
                path))
        try:
            inside = _files(host, top, inner + "/")
        except NotADirectoryError:
            inside = [inner]
        if inside != [inner] and (inner == ".git" or name == "__pycache__"):
            continue
        found += inside
        if len(found) > _MOST_FILES:
            raise Refused("tool: {0} holds more than {1} files, so it is no checkout of gpu-admin-tools".format(
                top, _MOST_FILES))
    return found


def _bytes(host, path):
    try:
        return host.read_bytes(path)
    except OSError as error:
        raise HostError("tool: {0}: {1}".format(path, error.strerror), error.errno) from error


def check(host, path, sha256):
    """Return the argument list that runs the tool. Raises Refused when it is another than the declared one."""
    if host.target_name(path) is not None:
        raise Refused("tool: {0} is a link; name what it points to".format(path))
    found, is_directory = digest(host, path)
    if found != sha256.lower():
        how = HOW.format(path) if is_directory else "sha256sum {0}".format(path)
        raise Refused("tool: {0} has sha256 {1}, and tool_sha256 is {2}; it was not run. The sum is that of: "
                      "{3}".format(path, found, sha256.lower(), how))
    if is_directory:
        # No variables, no packages of a user, and no compiled files beside the ones that were checked.
        return ["python3", "-E", "-s", "-B", "-X", "pycache_prefix=/nonexistent", "{0}/{1}".format(path, SCRIPT)]
    return ["python3", "-I", "-B", path]


def ask(host, argv, kind, addresses):
    """Return what devices say of one mode: {address: {"mode", "pending", "status"}}.

    Args:
        host: Host.
        argv: as ``check`` returned it.
        kind: ``cc`` or ``ppcie``.
        addresses: of GPUs, and for ``ppcie`` of NVSwitches.

    ``mode`` is in effect; ``pending`` will be after the next reset, None when that is not told; either is
    ``unsupported`` where the device has no such mode. ``status``: ``ok`` or ``error: …``. The tool stops at the first
    device that it cannot serve, so the others are asked again.
    """
    found = {address: {"mode": None, "pending": None, "status": "ok"} for address in addresses}
    for field, option in (("mode", "mode"), ("pending", "settings")):
        left = [address for address in addresses
                if found[address]["status"] == "ok" and found[address]["mode"] != UNSUPPORTED]
        while left:
            done = host.run(argv + ["--devices", ",".join(left), "--query-{0}-{1}".format(kind, option)], _ASKING)
            told = parse(done.stdout + "\n" + done.stderr, kind)[field]
            for address in left:
                found[address][field] = told.get(address)
            still = [address for address in left if address not in told]
            if len(still) == len(left):
                # It stopped at the first one and did not reach the others; when its time was over, they have none left.
                failed = left if done.status is None else left[:1]
                for address in failed if field == "mode" else ():
                    found[address]["status"] = "error: {0}".format(done.words())
                still = [address for address in left if address not in failed]
            left = still
    for told in found.values():
        if told["mode"] == UNSUPPORTED:
            told["pending"] = UNSUPPORTED
    return found


def parse(text, kind):
    """Return {"mode": {address: mode}, "pending": {address: mode}} of what the tool wrote. Pure.

    Args:
        text: its log lines, in any order with other output.
        kind: ``cc`` or ``ppcie``.
    """
    modes, settings, current = {}, {}, None
    for line in text.splitlines():
        mode, head, value = _MODE.search(line), _HEAD.search(line), _SETTING_LINE.search(line)
        refused = _NOT.search(line) or _OLD.search(line)
        if mode and mode.group(2) == KINDS[kind]:
            modes[mode.group(1).lower()] = mode.group(3)
        elif head:
            current = settings.setdefault(head.group(1).lower(), {}) if head.group(2) == KINDS[kind] else None
        elif value and current is not None:
            current[value.group(1)] = int(value.group(2), 0)
        elif refused:
            modes.setdefault(refused.group(1).lower(), UNSUPPORTED)
            settings.setdefault(refused.group(1).lower(), None)
    pending = {}
    for address, knobs in settings.items():
        if knobs is None:
            pending[address] = UNSUPPORTED
        elif "enable" in knobs:
            on = "devtools" if knobs.get("enable-devtools") else "on"
            pending[address] = on if knobs["enable"] else "off"
    return {"mode": modes, "pending": pending}


def change(host, argv, kind, address, mode):
    """Set one mode of one device and reset it. Raises HostError."""
    done = host.run(argv + ["--devices", address, "--set-{0}-mode={1}".format(kind, mode),
                            "--reset-after-{0}-mode-switch".format(kind)], _SETTING, changes=True)
    if not done.ok:
        raise HostError("{0}: {1}; ask again before the device is used, since the mode may have been set and the reset "
                        "not been made".format(address, done.words()))
