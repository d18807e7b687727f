# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the databases of one service: python -m embedded_region.databases SERVICE DIR (in a process of its own).

The services' own migrations and, for Keystone, its own bootstrap code, without their command lines: nothing that a
process list could show, and one import where the commands need four.
"""

from __future__ import annotations

import json
import os
import sys
import uuid

from embedded_region import REGION, SERVICES
from embedded_region.config import url
from embedded_region.layout import Layout
from embedded_region.passwords import SERVICE_USERS, USERS
from embedded_region.passwords import make as make_passwords
from embedded_region.sqlite import prepare

TYPES = {"placement": ("placement", "placement"), "nova": ("nova", "compute"), "glance": ("glance", "image"),
         "neutron": ("neutron", "network")}


def keystone(layout: Layout) -> None:
    """Schema, then roles, projects, users, services and endpoints. The passwords are placeholders, changed at start."""
    from keystone import server
    from keystone.common import provider_api
    from keystone.common.sql import upgrades

    server.configure(config_files=[str(layout.etc / "keystone.conf")])
    upgrades.offline_sync_database_to_version()
    from keystone.cmd import bootstrap

    ports = json.loads(layout.start.read_text(encoding="utf-8"))["ports"]
    passwords = make_passwords()
    first = bootstrap.Bootstrapper()
    first.admin_password, first.admin_username, first.project_name = passwords["admin"], "admin", "admin"
    first.admin_role_name, first.service_name, first.region_id = "admin", "keystone", REGION
    first.public_url = first.internal_url = first.admin_url = url(ports, "keystone")
    first.immutable_roles = True
    first.bootstrap()
    api = provider_api.ProviderAPIs
    roles = {role["name"]: role["id"] for role in api.role_api.list_roles()}
    projects = {}
    for name in ("service", "demo"):
        project = {"id": uuid.uuid4().hex, "name": name, "domain_id": "default", "is_domain": False, "enabled": True,
                   "description": "", "parent_id": "default", "tags": [], "options": {}}
        projects[name] = api.resource_api.create_project(project["id"], project)["id"]
    users = {user: api.identity_api.create_user(
        {"name": user, "password": passwords[user], "domain_id": "default", "enabled": True})["id"]
        for user in USERS if user != "admin"}
    for user in SERVICE_USERS:
        for role in ("admin", "service"):
            api.assignment_api.add_role_to_user_and_project(users[user], projects["service"], roles[role])
    api.assignment_api.add_role_to_user_and_project(users["demo"], projects["demo"], roles["member"])
    api.assignment_api.create_system_grant_for_user(users["auditor"], roles["reader"])
    for service, (name, kind) in TYPES.items():
        identifier = uuid.uuid4().hex
        api.catalog_api.create_service(identifier, {"id": identifier, "name": name, "type": kind, "enabled": True})
        for interface in ("public", "internal", "admin"):
            endpoint = uuid.uuid4().hex
            api.catalog_api.create_endpoint(endpoint, {
                "id": endpoint, "service_id": identifier, "interface": interface, "url": url(ports, service),
                "region_id": REGION, "enabled": True})


def placement(layout: Layout) -> None:
    from oslo_config import cfg
    from placement import conf, db_api
    from placement.db.sqlalchemy import migration

    config = cfg.ConfigOpts()
    conf.register_opts(config)
    config([], project="placement", default_config_files=[str(layout.etc / "placement.conf")])
    db_api.configure(config)
    migration.upgrade("head")


def nova(layout: Layout) -> None:
    """The API database, cell0 and one cell, and the mappings between them."""
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    from nova import config, context, objects
    from nova.db import migration

    config.parse_args(["nova"], default_config_files=[str(layout.etc / "nova.conf")])
    objects.register_all()
    migration.db_sync(database="api")
    admin = context.get_admin_context()
    migration.db_sync()
    # The same schema: what took seconds to migrate is copied.
    from embedded_region.sqlite import copy

    copy(layout.database("nova_cell1"), layout.database("nova_cell0"))
    for identifier, name, transport in ((objects.CellMapping.CELL0_UUID, "cell0", "none:///"),
                                        (str(uuid.uuid4()), "cell1", "fake:///")):
        objects.CellMapping(
            admin, uuid=identifier, name=name, transport_url=transport, disabled=False,
            database_connection=layout.database_url("nova_" + name)).create()


def glance(layout: Layout) -> None:
    from glance.cmd import manage
    from glance.common import config

    config.CONF([], project="glance", default_config_files=[str(layout.etc / "glance-api.conf")])
    manage.DbCommands().sync()


def neutron(layout: Layout) -> None:
    """Neutron's migrations do not run on SQLite: its own unit tests make the tables from the models, as here."""
    import sqlalchemy
    from neutron.db.migration.models import head

    engine = sqlalchemy.create_engine(layout.database_url("neutron"))
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA synchronous=OFF")
        head.get_metadata().create_all(connection)


STREAMS = {"keystone": ("keystone",), "placement": ("placement",), "nova": ("nova_api", "nova_cell0", "nova_cell1"),
           "glance": ("glance",), "neutron": ("neutron",)}


def main() -> int:
    service, layout = sys.argv[1], Layout(sys.argv[2])
    sys.argv = [service]
    os.umask(0o077)
    for name in STREAMS[service]:
        prepare(layout.database(name))
    {"keystone": keystone, "placement": placement, "nova": nova, "glance": glance, "neutron": neutron}[service](layout)
    return 0


assert set(STREAMS) == set(SERVICES)

if __name__ == "__main__":
    sys.exit(main())
