# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attestation: evidence stays where the law allows, reference values are those of what is installed."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes, trustee_jurisdictions
from ansible_collections.sovereign.region.plugins.module_utils._region.jurisdictions import COUNTRIES
from ansible_collections.sovereign.region.tests.unit.plugins.module_utils._isolation.kubernetes_declared import (
    CONFIDENTIAL,
    PLAIN,
    SHA256,
    SHA384,
    changed,
)
from hypothesis import given
from hypothesis import strategies as st


def attestation(*path, value):
    return changed(CONFIDENTIAL, "attestation", *path, value=value)


def refused(declaration):
    with pytest.raises(DeclarationError) as caught:
        kubernetes.render(declaration)
    return caught.value.problems


def trustee(declaration=CONFIDENTIAL):
    return kubernetes.render(declaration)["trustee"]


def tdx(**options):
    """The confidential declaration with TDX instead of SEV-SNP."""
    declared = changed(changed(CONFIDENTIAL, "pools", 0, "tee", value="tdx"), "handlers", 0, "name",
                       value="kata-qemu-nvidia-gpu-tdx-runtime-rs")
    declared["attestation"].update(tdx=options, measurements={"mr_td": SHA384})
    return declared


def test_values_say_everything_that_decides_where_evidence_goes():
    assert trustee()["values"] == {
        "storageBackend": {"type": "LocalFs", "localFs": {"persistence": {
            "kbs": "kbs-data", "as": "as-data", "rvps": "rvps-data"}}},
        "secrets": {"useEphemeralGeneratedKeys": False, "existingSecretName": "trustee-keys"},
        "kbs": {"tls": {"enabled": True, "secretName": "trustee-tls"}, "image": {
            "repository": "mirror.example.org/coco/kbs", "tag": "v0.21.0", "pullPolicy": "IfNotPresent"}},
        "as": {"verifier": {
            "nvidia": {"type": "Local", "verifierUrl": None},
            "dcap": None,
            "snp": {"kdsStoreHostPath": "/var/lib/kds-store", "nodeName": "control-1",
                    "vcekSources": [{"type": "OfflineStore"}]}},
            "image": {"repository": "mirror.example.org/coco/as", "tag": "v0.21.0", "pullPolicy": "IfNotPresent"}},
        "rvps": {"image": {
            "repository": "mirror.example.org/coco/rvps", "tag": "v0.21.0", "pullPolicy": "IfNotPresent"}},
    }
    assert trustee()["kernel_params"] == ["agent.aa_kbc_params=cc_kbc::https://kbs.example.org:8443"]


def test_no_address_of_a_public_service_is_left_in_the_values():
    for declaration in (CONFIDENTIAL, tdx(url="https://pccs.example.org/sgx/certification/v4/", country="FR")):
        text = json.dumps(trustee(declaration))
        assert not [name for name in trustee_jurisdictions.PUBLIC if name in text]


def test_a_name_that_only_ends_alike_is_somebody_elses():
    assert trustee_jurisdictions.operator_of("https://notnvidia.com/x") == (None, None)
    assert trustee_jurisdictions.operator_of(trustee_jurisdictions.AMD)[1] == "US"


@pytest.mark.parametrize(("declaration", "said"), [
    (attestation("nvidia", value={"type": "remote"}),
     "attestation.nvidia: attestation would leave the declared jurisdictions (DE, FR): evidence goes to "
     "https://nras.attestation.nvidia.com/v4/attest, and NVIDIA Corporation runs it under the law of US; declare type: "
     "local, or the url and country of a verifier that is allowed"),
    (attestation("nvidia", value={"type": "remote", "url": "https://NRAS.attestation.nvidia.com./x", "country": "DE"}),
     "is declared in DE, but NVIDIA Corporation runs it under the law of US"),
    (attestation("nvidia", value={"type": "remote", "url": "https://other.nvidia.com/v4/attest", "country": "FR"}),
     "other.nvidia.com is declared in FR, but NVIDIA Corporation runs it under the law of US"),
    (attestation("nvidia", value={"type": "remote", "url": "https://nvidia.com@example.org/"}),
     "expected an address such as https://kbs.example.org:8080"),
    (attestation("nvidia", value={"type": "remote", "url": "https://verify.example.org", "country": "CH"}),
     "evidence goes to https://verify.example.org, and it is in CH"),
    (attestation("nvidia", value={"type": "remote", "url": "https://verify.example.org"}),
     "attestation.nvidia.country: missing, expected under whose law https://verify.example.org is run"),
    (attestation("snp", value={}), "evidence goes to https://kdsintf.amd.com, and Advanced Micro Devices"),
    (attestation("snp", value={"store": "/var/lib/kds-store"}), "store and node belong together"),
    (attestation("kbs", value={"url": "https://kbs.example.org", "country": "US"}), "run the key broker where"),
    (attestation("kbs", "country", value=None), "attestation.kbs.country: missing"),
    (attestation("jurisdictions", value=["UK"]), "'UK' is no country of ISO 3166-1 (ISO has assigned GB for it)"),
    (attestation("jurisdictions", value=["DE-BY"]), "and it is in DE-BE"),
    (attestation("jurisdictions", value=[]), "at least 1"),
    (tdx(), "evidence goes to https://api.trustedservices.intel.com/sgx/certification/v4/, and Intel"),
])
def test_evidence_does_not_leave_the_declared_jurisdictions(declaration, said):
    assert any(said in sentence for sentence in refused(declaration)), refused(declaration)


def test_what_is_allowed_is_rendered():
    remote = attestation("nvidia", value={"type": "remote", "url": "https://verify.example.org", "country": "FR"})
    assert trustee(remote)["values"]["as"]["verifier"]["nvidia"] == {
        "type": "Remote", "verifierUrl": "https://verify.example.org"}
    american = changed(remote, "attestation", "nvidia", value={"type": "remote"})
    american["attestation"]["jurisdictions"].append("US")
    assert trustee(american)["values"]["as"]["verifier"]["nvidia"]["verifierUrl"].endswith("nvidia.com/v4/attest")
    cache = attestation("snp", value={"url": "https://kds.example.org", "country": "DE"})
    assert trustee(cache)["values"]["as"]["verifier"]["snp"] == {
        "vcekSources": [{"type": "KDS", "base_url": "https://kds.example.org"}]}
    offline = trustee(tdx(url="file:///opt/collateral.json"))["values"]["as"]["verifier"]
    assert offline["dcap"]["collateral_service"] == "file:///opt/collateral.json"
    assert "snp" not in offline


@given(st.sampled_from(sorted(COUNTRIES)), st.lists(st.sampled_from(sorted(COUNTRIES)), min_size=1, unique=True))
def test_exactly_the_declared_countries_are_allowed(country, allowed):
    one = {"path": "attestation.kbs", "url": "https://kbs.example.org", "country": country}
    found = trustee_jurisdictions.refusals([one], allowed, {"attestation.kbs": "…"})
    assert bool(found) == (country not in allowed)


def test_reference_values_are_those_of_what_is_installed():
    found = trustee()
    payload = json.loads(base64.b64decode(found["reference_message"]["payload"]))
    assert payload == found["reference_values"] == {
        "snp_launch_measurement": [SHA384],
        "allowed_driver_versions": ["595.58.03"],
        "rvps:///sovereign-region/kata/kata-containers.img:4.1.0": [SHA256],
    }
    assert {key: found["reference_message"][key] for key in ("version", "type")} == {
        "version": "0.1.0", "type": "sample"}


def test_two_files_can_be_right_under_one_name():
    artefact = dict(CONFIDENTIAL["attestation"]["artefacts"][0], digest="sha512:" + "0" * 128)
    declared = attestation("artefacts", value=[*CONFIDENTIAL["attestation"]["artefacts"], artefact])
    values = trustee(declared)["reference_values"]
    assert values["rvps:///sovereign-region/kata/kata-containers.img:4.1.0"] == [SHA256, "0" * 128]


@pytest.mark.parametrize(("declaration", "said"), [
    (attestation("artefacts", 0, "digest", value=SHA256), "is no digest, expected sha256:"),
    (attestation("artefacts", 0, "digest", value="sha256:" + SHA256.upper()), "is no digest"),
    (attestation("artefacts", 0, "reference", value="allowed_driver_versions"), "is a measurement already"),
    (attestation("measurements", "snp_launch_measurement", value=[SHA256]), "expected 96 small hexadecimal digits"),
    (attestation("measurements", "snp_launch_measurement", value=None), "no policy can tell this guest from another"),
    (attestation("keys_secret", value=None), "the demonstration keys of the chart are refused"),
    (attestation("tls_secret", value=None), "over TLS only"),
    (attestation("kbs", "url", value="http://kbs.example.org"), "over TLS only"),
    (attestation("storage", "rvps", value=None), "attestation.storage.rvps: missing"),
    (attestation("images", "as", "tag", value="latest"), "attestation.images.as.tag: 'latest'"),
    (attestation("images", "as", "tag", value="v1 "), "the tag of an image such as v0.21.0"),
    (attestation("images", "as", "repository", value="https://mirror"), "where images lie, such as mirror.example.org"),
    (dict(PLAIN, attestation=CONFIDENTIAL["attestation"]), "there is nothing to attest"),
])
def test_what_production_does_not_take(declaration, said):
    assert any(said in sentence for sentence in refused(declaration)), refused(declaration)


def test_outside_production_the_charts_own_keys_do():
    declaration = changed(attestation("keys_secret", value=None), "production", value=False)
    assert trustee(declaration)["values"]["secrets"]["useEphemeralGeneratedKeys"] is True


def test_what_is_probably_not_meant_is_told():
    declared = attestation("measurements", "snp_launch_measurment", value=[SHA384])
    found = " ".join(kubernetes.render(declared)["warnings"])
    assert "nearest: 'snp_launch_measurement'" in found
    assert "Trustee's own policy for GPUs reads what only the remote one says" in found
