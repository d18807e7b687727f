# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where attestation sends its evidence: every service that the verifiers would ask, and whether the law allows it.

Evidence names the machine: a report of SEV-SNP holds the chip's serial number, a quote of TDX the platform's. Who runs
the service that judges it decides which workloads start, and sees when and where they do.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from .._region.jurisdictions import COUNTRIES, MISTAKEN, within

NVIDIA = "https://nras.attestation.nvidia.com/v4/attest"
INTEL = "https://api.trustedservices.intel.com/sgx/certification/v4/"
AMD = "https://kdsintf.amd.com"

# Who runs the services that upstream's verifiers ask unless told otherwise, and under whose law, by the end of their
# names (those above: Trustee 0.21.0, attestation-service/docs/config.md). What stands here cannot be declared away.
PUBLIC = {
    "nvidia.com": ("NVIDIA Corporation", "US"),
    "intel.com": ("Intel Corporation", "US"),
    "amd.com": ("Advanced Micro Devices, Inc.", "US"),
}


def host_of(url):
    """Return the host of a URL in small letters, without a trailing dot."""
    return (urlsplit(url).hostname or "").lower().rstrip(".")


def operator_of(url):
    """Return who is known to run a service and under whose law; two times None for everybody else."""
    host = host_of(url)
    return next((found for name, found in PUBLIC.items() if host == name or host.endswith("." + name)), (None, None))


def country_problems(path, country):
    """Return what is wrong with a country or a part of one, as sentences."""
    first = country.split("-")[0]
    if first in COUNTRIES:
        return []
    hint = " (ISO has assigned {0} for it)".format(MISTAKEN[first]) if first in MISTAKEN else ""
    return ["{0}: {1!r} is no country of ISO 3166-1{2}, expected one such as DE, or a part of one such as DE-BE".format(
        path, country, hint)]


def refusals(endpoints, allowed, remedy_of):
    """Return why attestation would leave the declared jurisdictions, as sentences.

    Args:
        endpoints: list of mappings with ``path`` (where it is declared), ``url`` and ``country`` (None where it is not
            declared), one for each service that is asked.
        allowed: declared jurisdictions, such as ``["DE", "FR"]``.
        remedy_of: mapping of the path to what to declare instead.
    """
    found = []
    for one in endpoints:
        operator, law = operator_of(one["url"])
        country = law or one["country"]
        allowed_words = ", ".join(allowed)
        if operator and one["country"] and one["country"] != law:
            found.append("{0}.country: {1} is declared in {2}, but {3} runs it under the law of {4}".format(
                one["path"], host_of(one["url"]), one["country"], operator, law))
        elif country is None:
            found.append("{0}.country: missing, expected under whose law {1} is run, to compare it with {2}".format(
                one["path"], one["url"], allowed_words))
        elif not any(within(country, residency) for residency in allowed):
            reason = "{0} runs it under the law of {1}".format(operator, country) if operator else "it is in " + country
            found.append("{0}: attestation would leave the declared jurisdictions ({1}): evidence goes to {2}, and "
                         "{3}; {4}".format(one["path"], allowed_words, one["url"], reason, remedy_of[one["path"]]))
    return found
