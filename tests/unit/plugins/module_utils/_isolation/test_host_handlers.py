# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which handlers a host can offer: each missing piece has a message of its own, for those it concerns and no others."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._isolation import handlers
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation import host_machine
from hypothesis import given
from hypothesis import strategies as st

GPU = {"address": "0000:41:00.0", "vendor_id": "10de", "vendor": "NVIDIA", "kind": "gpu", "ready": True, "viable": True,
       "reason": None}


@pytest.fixture()
def machine(tmp_path, monkeypatch):
    return host_machine.made(tmp_path, monkeypatch)


@pytest.fixture()
def kata(machine):
    """Facts of a host that can offer everything."""
    facts, _handlers = machine.facts()
    facts["accelerators"] = [dict(GPU)]
    facts["confidential"].update(
        sev_snp={"enabled": True, "node": True}, tdx={"enabled": True},
        keys={"sev_es": {"capacity": 99, "used": 0}, "tdx": {"capacity": 63, "used": 0}})
    return facts


def decided(kata):
    """{name: handler}, after what holds for every decision."""
    found = handlers.decide(kata)
    assert [one["name"] for one in found] == list(handlers.NAMES)
    for one in found:
        assert one["offered"] is (one["reasons"] == [])
        assert one["handler"] == "kata-" + one["name"]
        assert all(isinstance(reason, str) and len(reason) > 20 for reason in one["reasons"])
    return {one["name"]: one for one in found}


def out(kata):
    """Names of the handlers that are out."""
    return {name for name, one in decided(kata).items() if not one["offered"]}


QEMU = {name for name in handlers.NAMES if name.startswith("qemu")}
GO = {name for name in handlers.NAMES if not name.endswith("runtime-rs")} - {"dragonball"}
SNP = {name for name in handlers.NAMES if "snp" in name}
TDX = {name for name in handlers.NAMES if "tdx" in name}
NVIDIA = {name for name in handlers.NAMES if "nvidia" in name}
EVERY = set(handlers.NAMES)


def test_a_host_with_everything_offers_everything(kata):
    assert out(kata) == set()


def test_an_ordinary_host(machine):
    _facts, found = machine.facts()
    assert {name for name, one in found.items() if one["offered"]} == {
        "qemu", "qemu-runtime-rs", "clh", "clh-runtime-rs", "dragonball", "fc"}


def without_node(name):
    def change(kata):
        kata["nodes"][name] = {"path": "/dev/" + name, "available": False, "status": "absent"}
    return change


def put(path, value):
    def change(kata):
        *parents, last = path.split(".")
        for one in parents:
            kata = kata[one]
        kata[last] = value
    return change


MISSING = {
    "no vsock": (without_node("vhost_vsock"), QEMU, "load the module vhost_vsock"),
    "no vhost-net": (without_node("vhost_net"), QEMU, "load the module vhost_net"),
    "no tun": (without_node("tun"), EVERY, "load the module tun"),
    "no syslog": (put("syslog", {"path": None, "listening": False}), GO, "start systemd-journald"),
    "a deaf syslog": (put("syslog.listening", False), GO, "start systemd-journald"),
    "no KVM": (put("kvm", {"usable": False, "reasons": ["there is no /dev/kvm"]}), EVERY,
               "KVM is not usable: there is no /dev/kvm"),
    "KVM unknown": (put("kvm", {"usable": None, "reasons": ["nobody asked"]}), EVERY,
                    "KVM is not known to be usable: nobody asked"),
    "SNP off": (put("confidential.sev_snp.enabled", False), SNP, "AMD SEV-SNP is off"),
    "SNP unknown": (put("confidential.sev_snp.enabled", None), SNP, "kvm_amd shows no such parameter"),
    "no /dev/sev": (put("confidential.sev_snp.node", False), SNP, "there is no /dev/sev"),
    "no SNP key": (put("confidential.keys.sev_es.used", 99), SNP, "99 of 99 sev_es are taken"),
    "TDX off": (put("confidential.tdx.enabled", False), TDX, "kvm_intel.tdx=1"),
    "no TDX key": (put("confidential.keys.tdx.used", 63), TDX, "63 of 63 tdx are taken"),
    "no GPU": (put("accelerators", []), NVIDIA, "this host has no GPU of NVIDIA"),
    "GPU of AMD": (put("accelerators", [dict(GPU, vendor_id="1002", vendor="AMD")]), NVIDIA,
                   "for those of AMD take qemu-runtime-rs"),
    "GPU not viable": (put("accelerators", [dict(GPU, ready=False, viable=False, reason="41:00.1 is bound to snd")]),
                       NVIDIA, "0000:41:00.0: 41:00.1 is bound to snd"),
    "no runtime": (put("runtimes", {"containerd": {"installed": False}}), EVERY, "there is no container runtime"),
    "runtime unknown": (put("runtimes", {"containerd": {"installed": None}}), EVERY, "it is not known which"),
    "arm": (put("arch", "aarch64"), EVERY - {"qemu", "qemu-runtime-rs", "qemu-nvidia-gpu-runtime-rs"},
            "and this host is aarch64"),
    "riscv": (put("arch", "riscv64"), EVERY, "and this host is riscv64"),
}


@pytest.mark.parametrize("name", MISSING)
def test_each_missing_piece_has_its_own_message(kata, name):
    change, concerned, words = MISSING[name]
    change(kata)
    found = decided(kata)
    assert out(kata) == concerned
    for one in concerned:
        (reason,) = found[one]["reasons"]
        assert words in reason


def test_no_two_pieces_share_a_message(kata):
    said = set()
    for name, (change, concerned, _words) in MISSING.items():
        changed = copy.deepcopy(kata)
        change(changed)
        reason = decided(changed)[min(concerned)]["reasons"][0]
        assert reason not in said, name
        said.add(reason)


@given(st.sets(st.sampled_from(sorted(set(MISSING) - {"a deaf syslog", "KVM unknown", "SNP unknown", "GPU of AMD",
                                                     "GPU not viable", "runtime unknown", "riscv", "arm"}))))
def test_what_is_missing_adds_up(names):
    facts = copy.deepcopy(FULL)
    expected = set()
    for name in sorted(names):
        change, concerned, _words = MISSING[name]
        change(facts)
        expected |= concerned
    assert out(facts) == expected


FULL = {
    "arch": "x86_64", "kvm": {"usable": True, "reasons": []}, "accelerators": [GPU], "sources": {},
    "nodes": {name: {"path": "/dev/x", "available": True, "status": "ok"}
              for name in ("vhost_vsock", "vhost_net", "tun")},
    "syslog": {"path": "/dev/log", "listening": True}, "runtimes": {"containerd": {"installed": True}},
    "confidential": {"sev_snp": {"enabled": True, "node": True}, "tdx": {"enabled": True},
                     "keys": {"sev_es": {"capacity": 99, "used": 0}, "tdx": {"capacity": 63, "used": 0}}},
}


def test_gpus_go_into_qemu_only(kata):
    found = decided(kata)
    for name in ("clh", "clh-runtime-rs", "dragonball", "fc"):
        assert found[name]["accelerators"] == []
        assert "takes no GPU" in handlers.gpu_refusal("kata-" + name)
    for name in ("qemu-nvidia-gpu", "qemu-nvidia-gpu-runtime-rs", "qemu-runtime-rs"):
        assert found[name]["accelerators"] == ["0000:41:00.0"]
        assert handlers.gpu_refusal(name) is None
    # Confidential sandboxes get a GPU from the handlers that measure its driver only.
    assert found["qemu-snp"]["accelerators"] == []
    assert found["qemu-nvidia-gpu-snp"]["accelerators"] == ["0000:41:00.0"]


def test_one_gpu_that_is_ready_is_enough(kata):
    kata["accelerators"] = [dict(GPU, address="0000:42:00.0", ready=False, reason="in use"), dict(GPU)]
    assert decided(kata)["qemu-nvidia-gpu"]["accelerators"] == ["0000:41:00.0"]


def test_where_the_count_of_keys_is_unknown_nothing_is_claimed_about_them(kata):
    kata["confidential"]["keys"] = {"sev_es": {"capacity": 99, "used": None}}
    assert out(kata) == set()
