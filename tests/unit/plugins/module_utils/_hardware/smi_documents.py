# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic output of vendors' tools, short, in the layouts of several driver branches, and the real captures."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import HostError
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host

# Beside the checkout; a checkout without it has the synthetic documents below.
CAPTURES = Path(__file__).resolve().parents[6] / "shared" / "captures"

HEAD = '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n'
COMMON = """
<product_name>NVIDIA H100 80GB HBM3</product_name><persistence_mode>Enabled</persistence_mode>
<serial>1650000000001</serial><uuid>GPU-00000000-0000-0000-0000-00000000000a</uuid>
<minor_number>0</minor_number><vbios_version>96.00.99.00.01</vbios_version>
<gsp_firmware_version>N/A</gsp_firmware_version>
<gpu_virtualization_mode><virtualization_mode>Pass-Through</virtualization_mode>
<host_vgpu_mode>N/A</host_vgpu_mode><vgpu_heterogeneous_mode>N/A</vgpu_heterogeneous_mode></gpu_virtualization_mode>
<ecc_mode><current_ecc>Enabled</current_ecc><pending_ecc>Enabled</pending_ecc></ecc_mode>
<retired_pages><pending_retirement>N/A</pending_retirement></retired_pages>
<fabric><state>Completed</state><status>Success</status><cliqueId>0</cliqueId></fabric>
"""
NO_MIG = """<mig_mode><current_mig>Disabled</current_mig><pending_mig>Disabled</pending_mig></mig_mode>
<mig_devices>None</mig_devices>"""
# Two GPU instances, the first with two compute instances.
MIG = """<mig_mode><current_mig>Enabled</current_mig><pending_mig>Enabled</pending_mig></mig_mode><mig_devices>
<mig_device><index>0</index><gpu_instance_id>2</gpu_instance_id><compute_instance_id>0</compute_instance_id></mig_device>
<mig_device><index>1</index><gpu_instance_id>2</gpu_instance_id><compute_instance_id>1</compute_instance_id></mig_device>
<mig_device><index>2</index><gpu_instance_id>9</gpu_instance_id><compute_instance_id>0</compute_instance_id></mig_device>
</mig_devices>"""
LISTING = """+-------------------------------------------------------+
| GPU instances:                                        |
| GPU   Name             Profile  Instance   Placement  |
|                          ID       ID       Start:Size |
|=======================================================|
|   0  MIG 3g.40gb          9        2          4:4     |
+-------------------------------------------------------+
|   0  MIG 1g.10gb         19        9          2:1     |
+-------------------------------------------------------+
|   0  MIG 1g.10gb+me      20       13          0:1     |
+-------------------------------------------------------+
"""
# What a GPU has to say about its memory, in three layouts.
ROWS = """<remapped_rows><remapped_row_corr>1</remapped_row_corr><remapped_row_unc>2</remapped_row_unc>
<remapped_row_pending>No</remapped_row_pending><remapped_row_failure>No</remapped_row_failure></remapped_rows>"""
AMPERE = ROWS + """<gpu_recovery_action>None</gpu_recovery_action><ecc_errors>
<volatile><sram_correctable>7</sram_correctable><sram_uncorrectable_parity>1</sram_uncorrectable_parity>
<sram_uncorrectable_secded>2</sram_uncorrectable_secded><dram_uncorrectable>4</dram_uncorrectable></volatile>
<aggregate><sram_uncorrectable_parity>5</sram_uncorrectable_parity><sram_uncorrectable_secded>0</sram_uncorrectable_secded>
<dram_uncorrectable>4</dram_uncorrectable><sram_threshold_exceeded>No</sram_threshold_exceeded></aggregate></ecc_errors>"""
TURING = """<remapped_rows>N/A</remapped_rows><gpu_recovery_action>None</gpu_recovery_action><ecc_errors>
<volatile><sram_correctable>7</sram_correctable><sram_uncorrectable>3</sram_uncorrectable>
<dram_uncorrectable>4</dram_uncorrectable></volatile>
<aggregate><sram_uncorrectable>5</sram_uncorrectable><dram_uncorrectable>4</dram_uncorrectable></aggregate></ecc_errors>"""
# Branches before gpu_recovery_action, and counters before Turing.
OLDER = ROWS + """<gpu_reset_status><reset_required>No</reset_required>
<drain_and_reset_recommended>No</drain_and_reset_recommended></gpu_reset_status><ecc_errors>
<volatile><single_bit><total>7</total></single_bit><double_bit><device_memory>7</device_memory><total>7</total></double_bit>
</volatile><aggregate><double_bit><total>9</total></double_bit></aggregate></ecc_errors>"""
LAYOUTS = {"570": AMPERE, "turing": TURING, "535": OLDER}


def document(*gpus, driver="580.105.08", attached=None):
    """Return output of ``nvidia-smi -q -x`` with (id, inner XML) for each GPU."""
    inside = "".join('<gpu id="{0}">{1}</gpu>'.format(where, inner) for where, inner in gpus)
    count = len(gpus) if attached is None else attached
    inside = "<attached_gpus>{0}</attached_gpus>{1}".format(count, inside)
    inside = "<driver_version>{0}</driver_version>{1}".format(driver, inside)
    return "{0}<nvidia_smi_log>\n{1}</nvidia_smi_log>\n".format(HEAD, inside)


def gpu(memory=AMPERE, mig=NO_MIG):
    """Return the inner XML of one GPU."""
    return COMMON + mig + memory


class Tools:
    """A runner: {words of a command line: (status, stdout) or an exception}; anything else is not installed."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.ran = []

    def __call__(self, argv, timeout):
        self.ran.append(list(argv))
        answer = self.answers.get(" ".join(argv))
        if answer is None:
            raise HostError("there is no program {0} on this host".format(argv[0]))
        if isinstance(answer, Exception):
            raise answer
        status, stdout, *stderr = answer
        return Finished(tuple(argv), status, stdout, "".join(stderr), timeout if status is None else 0.1)


def host_with(root, answers=None, files=None, links=None):
    """Return a Host below ``root`` with these files and links, on which only these tools are installed."""
    for path, content in (files or {}).items():
        real = Path(str(root) + path)
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(content if isinstance(content, bytes) else content.encode())
    for path, target in (links or {}).items():
        real = Path(str(root) + path)
        real.parent.mkdir(parents=True, exist_ok=True)
        real.symlink_to(target)
    host = Host(str(root), runner=Tools(answers))
    # Whether the machine that runs the tests has such a program must not matter.
    host.program = lambda name: None
    return host


def device(address, vendor="10de", **fields):
    """Return a device as sysfs knows it."""
    known = {"address": address, "vendor_id": vendor, "class": "0302", "driver": "nvidia", "iommu_group": None,
             "uuid": None, "driver_version": None, "mig": None, "partition": None, "sriov": None,
             "firmware": {"vbios": None, "gsp": None}, "vgpu": {"framework": "none", "type": None, "mdevs": []}}
    return dict(known, **fields)
