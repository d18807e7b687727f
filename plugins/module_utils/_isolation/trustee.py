# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values for Trustee's Helm chart: key broker (KBS), attestation service (AS) and reference values (RVPS).

Keys are those of deployment/helm-chart/values.yaml, chart 0.21.0 (confidential-containers/trustee at 78962cd4).
Everything that decides where evidence goes is written out, whatever a chart's default is or becomes.
"""

from __future__ import annotations

from . import trustee_references as references
from .trustee_jurisdictions import AMD, INTEL, NVIDIA, country_problems, refusals

PATH = "attestation"
_REMEDIES = {
    PATH + ".nvidia": "declare type: local, or the url and country of a verifier that is allowed",
    PATH + ".snp": "declare store and node, the folder with the certificates of your chips that AMD has given "
                   "(attestation-service/docs/amd-offline-certificate-cache.md), or the url and country of a cache",
    PATH + ".tdx": "declare the url and country of your own provisioning certificate caching service (PCCS), or a "
                   "file:// url with collateral that was fetched before",
    PATH + ".kbs": "run the key broker where the region is",
}


def attested(pools, tees):
    """Return what has to be attested: ``snp``, ``tdx`` and ``nvidia``, in this order.

    Args:
        pools: declared pools.
        tees: the kinds of confidential guests that the handlers start.
    """
    kinds = set(tees) | {one["tee"] for one in pools if one["tee"]}
    if any(one["tee"] and one["vendor"] == "nvidia" for one in pools):
        kinds.add("nvidia")
    return [one for one in ("snp", "tdx", "nvidia") if one in kinds]


def problems(declared, kinds):
    """Return why attestation cannot be as declared, as sentences."""
    one, found = declared["attestation"], []
    if not kinds:
        return [PATH + ": no handler and no pool is confidential, so there is nothing to attest; leave it out"]
    for index, country in enumerate(one["jurisdictions"]):
        found += country_problems("{0}.jurisdictions[{1}]".format(PATH, index), country)
    endpoints = _endpoints(one, kinds)
    for endpoint in endpoints:
        if endpoint["country"]:
            found += country_problems(endpoint["path"] + ".country", endpoint["country"])
    found += refusals(endpoints, one["jurisdictions"], _REMEDIES)
    if "snp" in kinds and bool(one["snp"]["store"]) != bool(one["snp"]["node"]):
        found.append(PATH + ".snp: store and node belong together: the folder, and the node that has it")
    found += references.problems(one["measurements"], one["artefacts"], PATH)
    if declared["production"]:
        found += _production(one, kinds)
    return found


def _endpoints(one, kinds):
    """Every service that is asked: where it is declared, its URL and whose law it is said to be under."""
    wanted = [("kbs", one["kbs"]["url"])]
    if "nvidia" in kinds and one["nvidia"]["type"] == "remote":
        wanted.append(("nvidia", one["nvidia"]["url"] or NVIDIA))
    if "snp" in kinds and not one["snp"]["store"]:
        wanted.append(("snp", one["snp"]["url"] or AMD))
    if "tdx" in kinds and not (one["tdx"]["url"] or "").startswith("file:///"):
        wanted.append(("tdx", one["tdx"]["url"] or INTEL))
    return [{"path": "{0}.{1}".format(PATH, key), "url": url, "country": one[key]["country"]} for key, url in wanted]


def _production(one, kinds):
    found = []
    if not one["keys_secret"]:
        found.append(PATH + ".keys_secret: missing, expected the Secret with the key broker's own keys: in production "
                            "the demonstration keys of the chart are refused")
    if not one["kbs"]["url"].startswith("https://") or not one["tls_secret"]:
        found.append(PATH + ".tls_secret: missing, or kbs.url is no https:// address; in production secrets are handed "
                            "out over TLS only")
    for part in ("kbs", "as", "rvps"):
        if not one["storage"][part]:
            found.append("{0}.storage.{1}: missing, expected the name of a PersistentVolumeClaim: without it what is "
                         "stored is gone with the pod, reference values and secrets included".format(PATH, part))
        if not one["images"][part]["tag"] or one["images"][part]["tag"] == "latest":
            found.append("{0}.images.{1}.tag: {2!r}, expected a fixed version: who judges evidence does not change "
                         "by itself in production".format(PATH, part, one["images"][part]["tag"]))
    for name in references.missing(one["measurements"], kinds):
        found.append("{0}.measurements.{1}: missing, expected the measurement of the guest that is installed: without "
                     "it no policy can tell this guest from another".format(PATH, name))
    return found


def render(declared, kinds):
    """Return the chart's values, the message with the reference values, and words for the guest's kernel."""
    one = declared["attestation"]
    sent, values = references.message(one["measurements"], one["artefacts"])
    return {
        "values": _values(one, kinds),
        "reference_values": values,
        "reference_message": sent,
        # Measured with the guest: a host that sends it elsewhere changes the measurement.
        "kernel_params": ["agent.aa_kbc_params=cc_kbc::{0}".format(one["kbs"]["url"])],
    }


def _values(one, kinds):
    values = {
        "storageBackend": {
            "type": "LocalFs",
            "localFs": {"persistence": {part: one["storage"][part] or "" for part in ("kbs", "as", "rvps")}},
        },
        "secrets": {
            "useEphemeralGeneratedKeys": not one["keys_secret"],
            "existingSecretName": one["keys_secret"] or "",
        },
        "kbs": {"tls": {"enabled": bool(one["tls_secret"]), "secretName": one["tls_secret"] or ""}},
        "as": {"verifier": _verifiers(one, kinds)},
        "rvps": {},
    }
    for part in ("kbs", "as", "rvps"):
        image = {key: value for key, value in one["images"][part].items() if value}
        if image:
            values[part]["image"] = dict(image, pullPolicy="IfNotPresent")
    return values


def _verifiers(one, kinds):
    nvidia, snp, tdx = one["nvidia"], one["snp"], one["tdx"]
    remote = "nvidia" in kinds and nvidia["type"] == "remote"
    verifiers = {"nvidia": {"type": "Remote", "verifierUrl": nvidia["url"] or NVIDIA} if remote
                 # A null takes the chart's own address out of the values, so that no later switch finds it there.
                 else {"type": "Local", "verifierUrl": None}}
    if "tdx" in kinds:
        verifiers["dcap"] = {"collateral_service": tdx["url"] or INTEL, "tcb_update_type": "early"}
    else:
        # The chart's own default asks Intel.
        verifiers["dcap"] = None
    if "snp" in kinds and snp["store"]:
        verifiers["snp"] = {"kdsStoreHostPath": snp["store"], "nodeName": snp["node"],
                            "vcekSources": [{"type": "OfflineStore"}]}
    elif "snp" in kinds:
        verifiers["snp"] = {"vcekSources": [{"type": "KDS", "base_url": snp["url"] or AMD}]}
    return verifiers


def warnings(declared, kinds):
    """Return sentences on what works and is probably not meant."""
    one = declared["attestation"]
    found = references.warnings(one["measurements"], PATH)
    if "nvidia" in kinds and one["nvidia"]["type"] == "local":
        found.append(PATH + ".nvidia: the local verifier hands on measurements, and Trustee's own policy for GPUs "
                            "reads what only the remote one says; load one of your own that compares the measurements")
    if "snp" in kinds and not one["snp"]["store"] and not one["snp"]["url"]:
        found.append(PATH + ".snp: AMD is asked for the certificate of every chip at its first attestation")
    return found
