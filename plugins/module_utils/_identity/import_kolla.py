# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity variables of kolla-ansible as the section ``identity`` of a region document. Pure.

What kolla-ansible makes of them: ``public_name`` becomes the description of the identity provider, ``identifier`` its
one remote id, ``openstack_domain`` its domain (the role ``keystone`` of kolla-ansible, and its guide "Keystone -
Identity service"). Everything else of them configures the web server, and stays where it is.
"""

from __future__ import annotations

import json

from .._core.errors import DeclarationError
from .import_section import domains_of, section

PROVIDERS, MAPPINGS = "keystone_identity_providers", "keystone_identity_mappings"
OPTIONS = "keystone_federation_oidc_additional_options"
DASHBOARDS, ATTRIBUTE = "keystone_trusted_dashboards", "keystone_remote_id_attribute_oidc"
_CARRIED = ("name", "openstack_domain", "protocol", "identifier", "public_name", "attribute_mapping")
_OF_THE_SERVER = ("metadata_folder", "certificate_file")
_DEFAULT_SCHEMA = "1.0"


def from_kolla(variables, files=None):
    """Return mapping with ``identity`` (the section), ``domains`` that it needs, and ``notes``.

    Args:
        variables: mapping of the variables of kolla-ansible; others than those above are not looked at.
        files: mapping of the name of a mapping to what its file holds, as text or as a list of rules.

    Raises:
        DeclarationError: a variable is not what kolla-ansible takes, or a file holds no rules.
    """
    files, notes, problems = files or {}, [], []
    providers = _rows(variables, PROVIDERS, problems)
    mappings = _rows(variables, MAPPINGS, problems)
    found = {"mappings": _mappings(mappings, files, notes, problems),
             "identity_providers": _providers(providers, variables.get(ATTRIBUTE), notes, problems)}
    dashboards = variables.get(DASHBOARDS) or []
    if not isinstance(dashboards, (list, tuple)):
        problems.append("{0}: expected a list of URLs".format(DASHBOARDS))
    if problems:
        raise DeclarationError(problems)
    known = {row["name"] for row in found["mappings"]}
    for provider in found["identity_providers"]:
        for protocol in provider["protocols"]:
            if protocol["mapping"] not in known:
                notes.append("{0}: mapping {1!r} of {2} is not among the mappings that were read; declare it below "
                             "identity.mappings".format(PROVIDERS, protocol["mapping"], provider["name"]))
    if dashboards:
        found["federation"] = {"trusted_dashboards": [str(one) for one in dashboards]}
    options = variables.get(OPTIONS)
    if options:
        # Their values may be secrets, such as OIDCClientSecret: only names are told, where it is known what is a name.
        told = sorted(str(name) for name in options) if isinstance(options, dict) else ["these options"]
        notes.append("{0}: {1} configure the web server and are not carried over".format(OPTIONS, ", ".join(told)))
    made, refused = section(found)
    return {"identity": made, "domains": domains_of(made), "notes": notes + refused}


def _rows(variables, name, problems):
    rows = variables.get(name) or []
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, dict) and row.get("name") for row in rows):
        problems.append("{0}: expected a list of mappings, each with a name".format(name))
        return []
    return list(rows)


def _mappings(rows, files, notes, problems):
    found, seen = [], set()
    for index, row in enumerate(rows):
        name = str(row["name"])
        if name in seen:
            problems.append("{0}[{1}]: {2} stands in an earlier row; keep one of them".format(MAPPINGS, index, name))
            continue
        seen.add(name)
        if name not in files:
            notes.append("{0}: the rules of {1} are in {2}, which was not read; the mapping is left out".format(
                MAPPINGS, name, row.get("file") or "a file that is not named"))
            continue
        rules = _rules(files[name])
        if rules is None:
            problems.append("{0}: {1} of {2} holds no list of rules in JSON".format(
                MAPPINGS, row.get("file") or "the file", name))
            continue
        if not row.get("schema_version"):
            notes.append("{0}: {1} names no schema_version; Keystone takes 1.0 unless "
                         "attribute_mapping_default_schema_version says otherwise".format(MAPPINGS, name))
        found.append({"name": name, "schema_version": str(row.get("schema_version") or _DEFAULT_SCHEMA),
                      "rules": rules})
    return found


def _rules(content):
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            return None
    if isinstance(content, dict):
        content = content.get("rules")
    return content if isinstance(content, list) and all(isinstance(rule, dict) for rule in content) else None


def _providers(rows, attribute, notes, problems):
    found = {}
    for index, row in enumerate(rows):
        missing = [key for key in ("openstack_domain", "protocol", "attribute_mapping") if not row.get(key)]
        if missing:
            problems.append("{0}[{1}]: {2} is missing".format(PROVIDERS, index, " and ".join(missing)))
            continue
        name = str(row["name"])
        provider = found.setdefault(name, {
            "name": name, "domain": str(row["openstack_domain"]), "description": str(row.get("public_name") or ""),
            "remote_ids": [], "protocols": []})
        if provider["domain"] != str(row["openstack_domain"]):
            problems.append("{0}[{1}]: openstack_domain {2!r}, but {3} is in domain {4!r} in an earlier row".format(
                PROVIDERS, index, str(row["openstack_domain"]), name, provider["domain"]))
        if row.get("identifier") and str(row["identifier"]) not in provider["remote_ids"]:
            provider["remote_ids"].append(str(row["identifier"]))
        protocol = str(row["protocol"])
        if protocol in [one["name"] for one in provider["protocols"]]:
            problems.append("{0}[{1}]: protocol {2!r} of {3} stands in an earlier row; keep one of them".format(
                PROVIDERS, index, protocol, name))
        provider["protocols"].append({"name": protocol, "mapping": str(row["attribute_mapping"]),
                                      "remote_id_attribute": attribute or None if protocol == "openid" else None})
        server = [key for key in _OF_THE_SERVER if row.get(key)]
        if server:
            notes.append("{0}[{1}]: {2} of {3} configure the web server, may hold secrets, and are not carried "
                         "over".format(PROVIDERS, index, " and ".join(server), name))
        others = sorted(str(key) for key in row if key not in _CARRIED + _OF_THE_SERVER)
        if others:
            notes.append("{0}[{1}]: {2} of {3} is not known here and is not carried over".format(
                PROVIDERS, index, " and ".join(others), name))
        if not row.get("identifier"):
            notes.append("{0}[{1}]: {2} has no identifier, so no remote id".format(PROVIDERS, index, name))
    if found and str(attribute or "HTTP_").startswith("HTTP_"):
        notes.append("{0}: {1} is a header that anybody can send; let the web server pass claims as environment and "
                     "say remote_id_attribute: OIDC-iss".format(ATTRIBUTE, attribute or "HTTP_OIDC_ISS, the default"))
    return list(found.values())
