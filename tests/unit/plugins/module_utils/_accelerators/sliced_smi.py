# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi says and does on a simulated host: words of branches 550 to 590, on synthetic GPUs."""

from __future__ import annotations

PROFILES = {"1g.18gb": (19, 7, 1), "1g.35gb": (15, 4, 2), "2g.35gb": (14, 3, 2), "3g.71gb": (9, 2, 4),
            "7g.141gb": (0, 1, 8)}
STARTS = {"1g.18gb": range(7), "1g.35gb": (0, 2, 4, 6), "2g.35gb": (0, 2, 4), "3g.71gb": (0, 4), "7g.141gb": (0,)}
_LINE = "+-------------------------------------------------------+\n"


def changes(argv):
    """Whether a call changes something."""
    return bool({"-mig", "-cgi", "-dgi", "-dci", "-cci", "-shm"} & set(argv))


def ask(host, argv):
    """Return what a call prints that only reads."""
    if "-x" in argv:
        return _xml(host)
    if "-lgi" in argv:
        return _lgi(host, _chosen(host, argv))
    if "-lgip" in argv:
        return _lgip(host, _chosen(host, argv)[0])
    if "vgpu" in argv:
        return _types(host)
    gpu = host.gpus[argv[argv.index("-i") + 1]]
    query = [one for one in argv if one.startswith("--query-gpu=")]
    if not query:
        return "        vGPU Heterogeneous Mode           : {0}\n".format(
            "Enabled" if gpu["heterogeneous"] else "Disabled")
    words = [gpu["mig"] or "[N/A]", gpu["pending"] or "[N/A]"]
    return ", ".join(words[:query[0].count(",") + 1]) + "\n"


def _chosen(host, argv):
    return [argv[argv.index("-i") + 1]] if "-i" in argv else sorted(host.gpus)


def _xml(host):
    rows = []
    for address in sorted(host.gpus):
        gpu = host.gpus[address]
        devices = "".join("<mig_device><gpu_instance_id>{0}</gpu_instance_id></mig_device>".format(number)
                          for number, one in gpu["instances"].items() for ci in range(one["cis"]))
        rows.append(
            '<gpu id="0000{0}"><mig_mode><current_mig>{1}</current_mig><pending_mig>{2}</pending_mig></mig_mode>'
            "<mig_devices>{3}</mig_devices><gpu_virtualization_mode><virtualization_mode>Host "
            "VGPU</virtualization_mode><vgpu_heterogeneous_mode>{4}</vgpu_heterogeneous_mode>"
            "</gpu_virtualization_mode></gpu>".format(
                address.upper(), gpu["mig"] or "N/A", gpu["pending"] or "N/A", devices,
                "Enabled" if gpu["heterogeneous"] else "Disabled"))
    return ('<?xml version="1.0" ?>\n<nvidia_smi_log><driver_version>570.1</driver_version>'
            "<attached_gpus>{0}</attached_gpus>{1}</nvidia_smi_log>\n".format(len(rows), "".join(rows)))


def _lgi(host, addresses):
    text = ""
    for index, address in enumerate(addresses):
        for number, one in sorted(host.gpus[address]["instances"].items()):
            text += "|{0:4}  MIG {1:<12} {2:5} {3:8}          {4}:{5}     |\n".format(
                index, one["profile"], PROFILES[one["profile"]][0], number, one["start"], PROFILES[one["profile"]][2])
    return _LINE + text + _LINE if text else "No GPU instances found: Not Found\n"


def _lgip(host, address):
    rows = ["|   0  MIG {0:<12} {1:2}     {2}/{2}        16.00      No     16     1     0   |\n".format(
        name, number, most) for name, (number, most, size) in PROFILES.items()]
    return _LINE + "| GPU instance profiles:                                |\n" + "".join(rows) + _LINE


def _types(host):
    text = ""
    for address, gpu in sorted(host.gpus.items()):
        text += "GPU 0000{0}\n".format(address.upper())
        for number, name in gpu["types"].items():
            backed = gpu.get("backed", {}).get(number)
            text += ("    vGPU Type ID                      : {0:#x}\n        Name                          : {1}\n"
                     "        GPU Instance Profile ID       : {2}\n        Max Instances                 : {3}\n"
                     "        Max Instances Per GI          : {4}\n".format(
                         number, name, "N/A" if backed is None else backed, gpu.get("most", 24),
                         "N/A" if backed is None else 1))
    return text


def change(host, argv):
    """Carry out a call that changes something. Return (exit status, what it prints)."""
    address = argv[argv.index("-i") + 1]
    gpu = host.gpus[address]
    if "-mig" in argv:
        return _mode(host, gpu, address, "Enabled" if argv[argv.index("-mig") + 1] == "1" else "Disabled")
    if "-shm" in argv:
        if any(host.here(vf, "nvidia/current_vgpu_type") != "0" for vf in host.vfs(address)):
            return 1, "Unable to set vGPU heterogeneous mode: In use by another client"
        gpu["heterogeneous"] = argv[argv.index("-shm") + 1] == "1"
        host.offer(address)
        return 0, ""
    if "-cgi" in argv:
        return _create(gpu, argv[argv.index("-cgi") + 1].split(","))
    numbers = [int(one) for one in argv[argv.index("-gi") + 1].split(",")]
    if "-dgi" in argv and any(gpu["instances"][one]["cis"] for one in numbers):
        return 19, "Unable to destroy GPU instance ID  1 from GPU  0: In use by another client"
    for number in numbers:
        if "-dgi" in argv:
            del gpu["instances"][number]
        else:
            gpu["instances"][number]["cis"] = 1 if "-cci" in argv else 0
    return 0, ""


def _mode(host, gpu, address, mode):
    if host.vfs(address):
        return 1, "Unable to change MIG mode: In use by another client"
    gpu["pending"] = mode
    if not gpu["live"]:
        return 0, ("Warning: MIG mode is in pending enable state for GPU {0}:In use by another client\nReboot the "
                   "system or try nvidia-smi --gpu-reset\nAll done.".format(address))
    gpu["mig"] = mode
    if mode == "Disabled":
        gpu["instances"] = {}
    return 0, "Enabled MIG Mode for GPU {0}\nAll done.".format(address)


def _create(gpu, wanted):
    for one in wanted:
        name, colon, start = one.partition(":")
        size = PROFILES[name][2]
        used = {slot for other in gpu["instances"].values()
                for slot in range(other["start"], other["start"] + PROFILES[other["profile"]][2])}
        starts = [int(start)] if colon else list(STARTS[name])
        free = [begin for begin in starts if not used & set(range(begin, begin + size))]
        if not free:
            return 19, "Unable to create a GPU instance on GPU  0: Insufficient Resources"
        gpu["instances"][gpu["next"]] = {"profile": name, "start": free[0], "cis": 1}
        gpu["next"] += 1
    return 0, "Successfully created GPU instance ID  3 on GPU  0"
