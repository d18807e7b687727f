# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that restores slices at boot. It is written to the host, where nothing of Ansible runs at that time.

It needs Python 3.9 and nothing else, reads the declarations in ``/etc/sovereign-region/accelerators.d``, makes only
what is missing, never removes anything, waits by looking, reads everything back, and fails with a
sentence for each device.
"""

from __future__ import annotations

PROGRAM_TEXT = r'''#!/usr/bin/python3 -I
# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores partitions, MIG, VFs and vGPU types. Written by the Ansible collection sovereign.region; do not edit.

usage: restore-accelerators [--root DIRECTORY] [--wait SECONDS]
"""

import collections
import json
import os
import re
import subprocess
import sys
import time

FOLDER = "/etc/sovereign-region/accelerators.d"
SRIOV_MANAGE = "/usr/lib/nvidia/sriov-manage"
DEVICES = "/sys/bus/pci/devices/"
ROOT, WAIT = "", 120.0


class Failed(Exception):
    """What could not be restored, and why."""


def real(path):
    return ROOT + path


def read(path):
    try:
        with open(real(path), encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return None


def write(path, text):
    try:
        descriptor = os.open(real(path), os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Failed("{}: the kernel refused {!r}: {}".format(path, text, error.strerror))


def link(path):
    try:
        return os.path.basename(os.readlink(real(path)))
    except OSError:
        return None


def names(path):
    try:
        return sorted(os.listdir(real(path)))
    except OSError:
        return []


def run(*argv, may_fail=False):
    try:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=dict(os.environ, LC_ALL="C"), start_new_session=True)
        out = process.communicate(timeout=180)[0].decode("utf-8", "replace")
    except OSError as error:
        raise Failed("{} could not be started: {}".format(argv[0], error.strerror))
    except subprocess.TimeoutExpired:
        # It waits in the kernel: it is left behind, because no signal reaches it.
        raise Failed("{} gave no answer within 180 s".format(" ".join(argv)))
    if process.returncode and not may_fail:
        raise Failed("{} ended with status {}: {}".format(" ".join(argv), process.returncode, out.strip()[-300:]))
    return out


def until(what, look, seconds=None):
    """Look until it is so, and say what is missing when it does not come."""
    end = time.monotonic() + (WAIT if seconds is None else seconds)
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed("waited in vain until {}".format(what))
        time.sleep(0.2)


def virtual_functions(address):
    """The addresses of the VFs, by index."""
    numbers = [int(name[6:]) for name in names(DEVICES + address) if re.fullmatch("virtfn[0-9]+", name)]
    return {number: link(DEVICES + address + "/virtfn" + str(number)) for number in sorted(numbers)}


def partition(address, wanted):
    for kind in ("memory", "compute"):
        path = DEVICES + address + "/current_" + kind + "_partition"
        if wanted.get(kind) and until(path + " is there", lambda: read(path)) != wanted[kind]:
            write(path, wanted[kind])
            if read(path) != wanted[kind]:
                raise Failed("{} partition is still {}, declared is {}; amdgpu must be loaded anew".format(
                    kind, read(path), wanted[kind]))


def mig_mode(address, wanted):
    query = ("nvidia-smi", "-i", address, "--query-gpu=mig.mode.current", "--format=csv,noheader")
    mode = until("nvidia-smi tells the MIG mode", lambda: re.fullmatch(
        "Enabled|Disabled", run(*query, may_fail=True).strip())).group().lower()
    if mode != wanted["mode"]:
        said = run("nvidia-smi", "-i", address, "-mig", "1" if wanted["mode"] == "enabled" else "0", may_fail=True)
        if run(*query, may_fail=True).strip().lower() != wanted["mode"]:
            raise Failed("MIG mode is still {}, declared is {}: {}".format(mode, wanted["mode"], said.strip()[-300:]))


def mig_instances(address, wanted):
    def there():
        out = run("nvidia-smi", "mig", "-i", address, "-lgi", may_fail=True)
        rows = re.findall(r"^\|\s*\d+\s+MIG\s+(\S+)\s+\d+\s+\d+\s+(\d+):\d+\s*\|", out, re.MULTILINE)
        if not rows and "no gpu instances found" not in out.lower():
            raise Failed("nvidia-smi mig -lgi gave no list: {}".format(out.strip()[-300:]))
        return rows

    def missing():
        free, left = list(there()), []
        for profile, start in sorted(wanted, key=lambda one: one[1] is None):
            found = [row for row in free if row[0] == profile and start in (None, int(row[1]))]
            if found:
                free.remove(found[0])
            else:
                left.append(profile if start is None else "{}:{}".format(profile, start))
        if left and free:
            raise Failed("there are other MIG instances already: {}; none is removed at boot".format(
                ", ".join(sorted(set(row[0] for row in free)))))
        return left

    todo = missing()
    said = run("nvidia-smi", "mig", "-i", address, "-cgi", ",".join(todo), "-C", may_fail=True) if todo else ""
    if todo and missing():
        raise Failed("MIG instances are missing: {}: {}".format(", ".join(missing()), said.strip()[-300:]))


def sriov(address, wanted):
    base = DEVICES + address
    driver = "nvidia" if wanted["way"] == "sriov-manage" else None
    until("{} is on driver {}".format(address, driver or "of its own"),
          lambda: link(base + "/driver") == driver if driver else link(base + "/driver"))
    now = until("sriov_numvfs can be read", lambda: read(base + "/sriov_numvfs"))
    if int(now) not in (0, wanted["vfs"]):
        raise Failed("it has {} VFs, {} are declared; VFs that exist are never removed at boot".format(
            now, wanted["vfs"]))
    if int(now) == 0:
        probing = base + "/sriov_drivers_autoprobe"
        theirs = elsewhere(address, wanted["vfs"]) if wanted["way"] == "sysfs" else {}
        held = wanted.get("autoprobe") is None and theirs and read(probing) == "1"
        if wanted.get("autoprobe") is not None or held:
            write(probing, "1" if wanted.get("autoprobe") else "0")
        make(address, wanted)
        if held:
            release(address, theirs)
    until("there are {} VFs".format(wanted["vfs"]), lambda: read(base + "/sriov_numvfs") == str(wanted["vfs"])
          and len(virtual_functions(address)) == wanted["vfs"], 30)


def elsewhere(address, count):
    """The drivers that driverctl's files declare for VFs, by number. Addresses: SR-IOV specification, 2.1.2."""
    offset, stride = (read(DEVICES + address + "/sriov_" + name) or "" for name in ("offset", "stride"))
    if not (offset.isdigit() and stride.isdigit()):
        return {}
    domain, bus, slot = address[:-2].split(":")
    start = (int(bus, 16) << 8 | int(slot, 16) << 3 | int(address[-1])) + int(offset)
    places = [start + number * int(stride) for number in range(count)]
    found = [read("/etc/driverctl.d/pci-{}:{:02x}:{:02x}.{:x}".format(domain, one >> 8, one >> 3 & 31, one & 7))
             for one in places]
    return {number: driver for number, driver in enumerate(found) if driver and driver.isprintable()}


def release(address, theirs):
    """Let new VFs be bound that were held back; with an override nothing else takes one, and udev applies its file."""
    functions = virtual_functions(address)
    for number in sorted(set(theirs) & set(functions)):
        write(DEVICES + functions[number] + "/driver_override", theirs[number])
    write(DEVICES + address + "/sriov_drivers_autoprobe", "1")
    for number in sorted(set(functions) - set(theirs)):
        write("/sys/bus/pci/drivers_probe", functions[number])


def make(address, wanted):
    number = str(wanted["vfs"])
    if wanted["way"] == "sysfs":
        write(DEVICES + address + "/sriov_numvfs", number)
    elif wanted["way"] == "xpu-smi":
        run("xpu-smi", "vgpu", "-d", address, "-c", "-n", number, "--lmem", str(wanted["local_memory_mib"]))
    elif wanted["way"] == "sriov-manage":
        for _again in range(5):
            said = run(real(SRIOV_MANAGE), "-e", address, may_fail=True)
            if read(DEVICES + address + "/sriov_numvfs") == number:
                return
            time.sleep(1)
        raise Failed("sriov-manage made no VFs: {}".format(said.strip()[-300:]))
    # gim makes its VFs when it is loaded: they are only waited for.


def heterogeneous(address, wanted):
    found = re.search("vGPU Heterogeneous Mode *: *(Enabled|Disabled)", run("nvidia-smi", "-q", "-i", address))
    if found is None or (found.group(1) == "Enabled") != wanted["heterogeneous"]:
        run("nvidia-smi", "vgpu", "-i", address, "-shm", "1" if wanted["heterogeneous"] else "0")


def short(name):
    return re.sub(r"^(NVIDIA|GRID)\s+", "", " ".join(name.split()))


def creatable(folder):
    """The numbers of the types that a VF takes now, by name."""
    rows = [line.partition(":") for line in (read(folder + "creatable_vgpu_types") or "").splitlines()]
    return {short(name): number.strip() for number, colon, name in rows if number.strip().isdigit()}


def vgpu_types(address, wanted):
    functions = virtual_functions(address)
    if len(functions) < wanted["count"]:
        raise Failed("it has {} VFs, {} vGPUs are declared".format(len(functions), wanted["count"]))
    made = 0
    for vf in functions.values():
        path = "{}{}/nvidia/current_vgpu_type".format(DEVICES, vf)
        if until(path + " can be read", lambda path=path: read(path), 30) != "0":
            made += 1
    for vf in functions.values():
        folder = "{}{}/nvidia/".format(DEVICES, vf)
        if made >= wanted["count"]:
            return
        if read(folder + "current_vgpu_type") != "0":
            continue
        # The list fills when NVIDIA's vGPU daemons are up.
        end = time.monotonic() + min(WAIT, 30)
        while True:
            found = creatable(folder)
            number = found.get(short(wanted["profile"]))
            if number is not None:
                break
            if time.monotonic() > end:
                raise Failed("{}: {} cannot be made now; creatable are: {}".format(
                    vf, wanted["profile"], ", ".join(sorted(found)) or "none"))
            time.sleep(0.2)
        write(folder + "current_vgpu_type", number)
        if read(folder + "current_vgpu_type") != number:
            raise Failed("{}: the driver took the vGPU type and did not make it".format(vf))
        made += 1


def best_vfio(address):
    """The variant driver whose alias fits best: the one with the fewest stars."""
    own, found = read(DEVICES + address + "/modalias") or "", []
    for line in (read("/lib/modules/{}/modules.alias".format(read("/proc/sys/kernel/osrelease"))) or "").splitlines():
        words = line.split()
        if len(words) == 3 and words[1].startswith("vfio_pci:"):
            pattern = ".*".join(re.escape(part) for part in words[1][len("vfio_pci:"):].split("*"))
            if re.fullmatch(pattern, own.partition(":")[2]):
                found.append((words[1].count("*"), words[2]))
    module = min(found)[1] if found else "vfio_pci"
    return "vfio-pci" if module == "vfio_pci" else module


def vf_drivers(address, wanted):
    for vf in virtual_functions(address).values():
        base, driver = DEVICES + vf, wanted["driver"]
        driver = best_vfio(vf) if driver == "vfio" else driver
        now = link(base + "/driver")
        if now == driver:
            continue
        if now is not None:
            raise Failed("{} is on driver {}, declared is {}; nothing is unbound at boot".format(vf, now, driver))
        run("modprobe", driver, may_fail=True)
        write(base + "/driver_override", driver)
        write("/sys/bus/pci/drivers_probe", vf)
        until("{} is on driver {}".format(vf, driver),
              lambda base=base, driver=driver: link(base + "/driver") == driver, 10)


def restore(address, declared):
    """Everything of one device, in the only order in which it can be made."""
    mig, vfs, vgpu = (declared.get(kind, {}) for kind in ("mig", "sriov", "vgpu"))
    until("{} is on the bus".format(address), lambda: read(DEVICES + address + "/vendor"))
    if "partition" in declared:
        partition(address, declared["partition"])
    if "mig" in declared:
        mig_mode(address, mig)
    if "sriov" in declared:
        sriov(address, vfs)
    if vgpu.get("heterogeneous") is not None:
        heterogeneous(address, vgpu)
    if mig.get("instances"):
        mig_instances(address, mig["instances"])
    if "vgpu" in declared:
        vgpu_types(address, vgpu)
    if vfs.get("driver"):
        vf_drivers(address, vfs)


def declarations():
    """What is declared, by address; and what cannot be read."""
    found, broken = collections.OrderedDict(), []
    for name in names(FOLDER):
        match = re.fullmatch(r"(partition|mig|sriov|vgpu)-([0-9a-f:.]+)\.json", name)
        if match is None:
            continue
        try:
            value = json.loads(read(FOLDER + "/" + name) or "")
            found.setdefault(match.group(2), {})[match.group(1)] = dict(value)
        except (ValueError, TypeError):
            broken.append("{}/{} is no declaration; run the playbook again".format(FOLDER, name))
    return found, broken


def main(arguments):
    global ROOT, WAIT
    options = dict(zip(arguments[::2], arguments[1::2]))
    ROOT, WAIT = options.get("--root", "").rstrip("/"), float(options.get("--wait", 120))
    found, failed = declarations()
    for address, declared in found.items():
        try:
            restore(address, declared)
            print("{}: restored {}".format(address, ", ".join(sorted(declared))))
        except Exception as error:
            # One device must not keep the others from coming back.
            said = str(error) if isinstance(error, Failed) else repr(error)
            failed.append("{}: {}".format(address, said))
    for one in failed:
        print("NOT restored: " + one, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''
