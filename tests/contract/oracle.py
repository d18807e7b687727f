# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the services' own packages what they think of requests and names. Run by the interpreter that has them.

Standard input: a JSON list of [kind, value]. Standard output: a JSON list, null for what is accepted, else the reason.
"""

from __future__ import annotations

import json
import sys

import jsonschema


def keystone(kind):
    from keystone.resource import schema

    return {"project": schema.project_create_request_body, "domain": schema.domain_create_request_body}[kind]


def by_schema(schema):
    def judge(value):
        jsonschema.Draft202012Validator(schema).validate(value)

    return judge


def by_nova(schema):
    from nova.api.validation import validators

    def judge(value):
        validators._SchemaValidator(schema).validate(value)

    return judge


def extra_spec(value):
    from nova.api.validation.extra_specs import validators

    validators.validate(*value)


def aliases(value):
    """As nova-api does when it starts, and when flavors ask for devices."""
    import nova.conf
    from nova.pci import request

    # An alias by resource class is for devices that Placement knows.
    nova.conf.CONF.set_override("pci_in_placement", True, "filter_scheduler")
    nova.conf.CONF.set_override("alias", value["aliases"], "pci")
    for extra_specs, count in value["flavors"]:
        asked = request.get_pci_requests_from_flavor(_Flavor(extra_specs)).requests
        if [one.count for one in asked] != [count]:
            raise ValueError("Nova understood {0}".format([one.count for one in asked]))


class _Flavor(dict):
    """What Nova's parser reads of a flavor."""

    def __init__(self, extra_specs):
        super().__init__(extra_specs=extra_specs)
        self.extra_specs = extra_specs


def judges():
    """What can be asked, with who judges it."""
    from nova import objects
    from nova.api.openstack.compute.schemas import flavor_access, flavors, flavors_extraspecs
    from placement.schemas import resource_class, trait

    objects.register_all()
    return {
        "POST /v3/domains": by_schema(keystone("domain")),
        "POST /v3/projects": by_schema(keystone("project")),
        "POST /flavors": by_nova(flavors.create_v255),
        "POST /flavors/{id}/os-extra_specs": by_nova(flavors_extraspecs.create),
        "POST /flavors/{id}/action": by_nova(flavor_access.add_tenant_access),
        "extra spec": extra_spec,
        "aliases": aliases,
        "resource class": by_schema(resource_class.PUT_RC_SCHEMA_V1_2["properties"]["name"]),
        "trait": by_schema(trait.CUSTOM_TRAIT),
    }


def main():
    asked = json.load(sys.stdin)
    known, answers = judges(), []
    for kind, value in asked:
        try:
            known[kind](value)
            answers.append(None)
        except Exception as error:  # every service has exceptions of its own; all of them are a refusal
            answers.append("{0}: {1}".format(type(error).__name__, str(error)[:300]))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
