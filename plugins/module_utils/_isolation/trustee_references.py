# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference values: what a confidential guest has to measure to be given a secret.

Two kinds. Measurements have the names that the attestation service's own policies ask for; they are made from
firmware, kernel, its command line and image together, by tools such as sev-snp-measure. Digests of installed files
have names as rvps/docs/reference-value-uri.md recommends, for policies of the operator's own.
"""

from __future__ import annotations

import base64
import json
import re

from .._core.errors import nearest

# Names that Trustee 0.21.0's default policies ask for (attestation-service/src/ear_token/ear_default_policy_*.rego), by
# what is attested. The first of each is what binds a secret to the guest that was installed.
KNOWN = {
    "snp": ("snp_launch_measurement", "snp_bootloader", "snp_microcode", "snp_snp_svn", "snp_tee_svn",
            "snp_smt_enabled", "snp_tsme_enabled", "snp_guest_abi_major", "snp_guest_abi_minor",
            "snp_single_socket", "snp_smt_allowed"),
    "tdx": ("mr_td", "mr_seam", "rtmr_1", "rtmr_2", "xfam", "tdvfkernel", "tdvfkernelparams"),
    "nvidia": ("allowed_vbios_versions", "allowed_driver_versions", "allowed_switch_bios_versions"),
}
# SHA-384 in hexadecimal: what these two hold.
_LAUNCH = ("snp_launch_measurement", "mr_td")
_SHA384 = re.compile(r"[0-9a-f]{96}\Z")
_DIGEST = re.compile(r"(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})\Z")


def names(artefact):
    """Return under which name the digest of an installed file is kept."""
    return artefact["reference"] or "rvps:///sovereign-region/kata/{0}:{1}".format(
        artefact["path"].rsplit("/", 1)[-1], artefact["version"])


def message(values, artefacts):
    """Return what the reference value provider takes, and the values in it by name.

    The form is that of rvps/README.md, with the values as the ``sample`` extractor reads them: it checks no signature,
    so who may send it is decided by the key broker's administrator key.

    Args:
        values: declared measurements: name to a value or a list of them.
        artefacts: installed files with ``path``, ``digest``, ``version`` and ``reference``.
    """
    found = dict(values)
    for one in artefacts:
        found.setdefault(names(one), []).append(one["digest"].split(":", 1)[1])
    payload = base64.b64encode(json.dumps(found, sort_keys=True).encode("utf-8")).decode("ascii")
    return {"version": "0.1.0", "type": "sample", "payload": payload}, found


def problems(values, artefacts, path):
    """Return what cannot be a reference value, as sentences."""
    found = []
    for index, one in enumerate(artefacts):
        if not _DIGEST.match(one["digest"]):
            found.append("{0}.artefacts[{1}].digest: {2!r} is no digest, expected sha256:, sha384: or sha512: and "
                         "small hexadecimal digits, as `sha256sum` of {3} writes them".format(
                             path, index, one["digest"], one["path"]))
        if names(one) in values:
            found.append("{0}.artefacts[{1}].reference: {2!r} is a measurement already".format(path, index, names(one)))
    for name in sorted(set(values) & set(_LAUNCH)):
        for value in values[name] if isinstance(values[name], list) else [values[name]]:
            if not isinstance(value, str) or not _SHA384.match(value):
                found.append("{0}.measurements.{1}: {2!r} is no launch measurement, expected 96 small hexadecimal "
                             "digits".format(path, name, value))
    return found


def missing(values, attested):
    """Return the names without which the default policies bind no secret to an installed guest."""
    return [KNOWN[one][0] for one in attested if one != "nvidia" and not values.get(KNOWN[one][0])]


def warnings(values, path):
    """Return sentences on names that no default policy asks for."""
    known = [name for group in KNOWN.values() for name in group]
    found = []
    for name in sorted(values):
        close = nearest(name, known)
        if name not in known and close:
            found.append("{0}.measurements.{1}: no policy of Trustee asks for this name (nearest: {2!r}); that is "
                         "right only with a policy of your own".format(path, name, close))
    return found
