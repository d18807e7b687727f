# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of the five services, rendered from the topology, the ports and the passwords. Pure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from embedded_region import REGION, profiles
from embedded_region.layout import Layout
from embedded_region.passwords import CLOUDS, ROUNDS
from embedded_region.ports import ADDRESS
from embedded_region.topology import Host, dump, models

Sections = dict[str, dict[str, object]]
PATHS = {"keystone": "/v3", "placement": "", "nova": "/v2.1", "glance": "", "neutron": ""}


def url(ports: dict[str, int], service: str) -> str:
    """The endpoint of a service as the catalogue has it."""
    return f"http://{ADDRESS}:{ports[service]}{PATHS[service]}"


def render(sections: Sections) -> str:
    """The text of an oslo.config file: a list becomes a repeated option, a dollar sign stays one."""
    lines = ["# Written by embedded_region at each start: changes made here are lost."]
    for section, options in sections.items():
        lines.append(f"\n[{section}]")
        for name, value in options.items():
            for each in value if isinstance(value, list) else [value]:
                text = str(each).lower() if isinstance(each, bool) else str(each)
                lines.append(f"{name} = {text.replace('$', '$$')}")
    return "\n".join(lines) + "\n"


def files(layout: Layout, ports: dict[str, int], passwords: dict[str, str], hosts: list[Host],
          profile: str) -> dict[Path, str]:
    """Every configuration file of the region: path and text."""
    return {
        layout.etc / "keystone.conf": render(keystone(layout, ports)),
        layout.etc / "placement.conf": render(placement(layout, ports, passwords)),
        layout.etc / "nova.conf": render(nova(layout, ports, passwords, hosts, profile)),
        layout.etc / "glance-api.conf": render(glance(layout, ports, passwords)),
        layout.etc / "neutron.conf": render(neutron(layout, ports, passwords)),
        layout.topology: dump(hosts),
        layout.clouds: clouds(ports, passwords),
    }


def clouds(ports: dict[str, int], passwords: dict[str, str]) -> str:
    """clouds.yaml: an administrator, a plain member of a project, and somebody who may read the whole system."""
    scopes = {
        "admin": {"project_name": "admin", "project_domain_id": "default"},
        "demo": {"project_name": "demo", "project_domain_id": "default"},
        "auditor": {"system_scope": "all"},
    }
    return "# Written by embedded_region: clouds of a SIMULATED region.\n" + yaml.safe_dump({
        "clouds": {
            cloud: {
                "region_name": REGION,
                "auth": {"auth_url": url(ports, "keystone"), "username": user, "user_domain_id": "default",
                         "password": passwords[user], **scopes[user]},
            }
            for user, cloud in CLOUDS.items()
        }
    }, sort_keys=False)


def _common(layout: Layout, database: str) -> Sections:
    return {
        "DEFAULT": {"use_stderr": True, "debug": False, "transport_url": "fake:///"},
        # A transaction is on disk when the operating system says so: nothing here outlives a power cut.
        "database": {"connection": layout.database_url(database), "sqlite_synchronous": False},
        "oslo_messaging_notifications": {"driver": "noop"},
        "oslo_concurrency": {"lock_path": layout.run / "locks"},
        "oslo_policy": {"enforce_scope": True, "enforce_new_defaults": True},
    }


def _user(ports: dict[str, int], passwords: dict[str, str], user: str) -> dict[str, object]:
    return {
        "auth_url": url(ports, "keystone"), "auth_type": "password", "username": user, "password": passwords[user],
        "user_domain_id": "default", "project_name": "service", "project_domain_id": "default",
        "region_name": REGION,
    }


def _token(ports: dict[str, int], passwords: dict[str, str], user: str) -> Sections:
    return {"keystone_authtoken": {
        **_user(ports, passwords, user), "www_authenticate_uri": url(ports, "keystone"),
        "service_token_roles": "service", "service_token_roles_required": True,
        # Tokens are looked up once; a service that asks Keystone for each request would double the work.
        "token_cache_time": 300,
    }}


def keystone(layout: Layout, ports: dict[str, int]) -> Sections:
    return {
        **_common(layout, "keystone"),
        "cache": {"enabled": False},
        "identity": {"password_hash_algorithm": "bcrypt", "password_hash_rounds": ROUNDS,
                     # What bcrypt takes in; a longer limit makes Keystone warn with each password.
                     "max_password_length": 72},
        "token": {"provider": "fernet", "expiration": 86400},
        "fernet_tokens": {"key_repository": layout.fernet},
        "fernet_receipts": {"key_repository": layout.fernet},
        "credential": {"key_repository": layout.credential},
    }


def placement(layout: Layout, ports: dict[str, int], passwords: dict[str, str]) -> Sections:
    common = _common(layout, "placement")
    return {
        **common,
        "placement_database": common.pop("database"),
        "api": {"auth_strategy": "keystone"},
        # Both together, and neither alone, let bursts for several GPUs of one host succeed: depth first, the first
        # host's permutations fill the answer, and the second server finds no other host in it.
        "placement": {"allocation_candidates_generation_strategy": "breadth-first", "max_allocation_candidates": 1000},
        **_token(ports, passwords, "placement"),
    }


def pci(hosts: list[Host]) -> dict[str, object]:
    """[pci] of nova.conf. All simulated computes share one file, so it names every model of the region."""
    return {
        "report_in_placement": True,
        "device_spec": [json.dumps({"vendor_id": host.vendor_id, "product_id": host.product_id,
                                    "resource_class": host.resource_class}) for host in models(hosts)],
        "alias": [json.dumps({"name": host.alias, "resource_class": host.resource_class, "device_type": "type-PCI",
                              "numa_policy": "preferred"}) for host in models(hosts)],
    }


def nova(layout: Layout, ports: dict[str, int], passwords: dict[str, str], hosts: list[Host], profile: str) -> Sections:
    common = _common(layout, "nova_cell1")
    user = _user(ports, passwords, "nova")
    common["DEFAULT"].update({
        "host": "embedded-control", "state_path": layout.data / "nova",
        # No random delays before the first run of a periodic task.
        "periodic_fuzzy_delay": 0, "report_interval": 10, "service_down_time": 60, "vif_plugging_is_fatal": False,
        "vif_plugging_timeout": 0, "max_concurrent_builds": 10, "my_ip": ADDRESS,
    })
    sections = {
        **common,
        "api_database": {"connection": layout.database_url("nova_api"), "sqlite_synchronous": False},
        "api": {"auth_strategy": "keystone"},
        "pci": pci(hosts),
        "filter_scheduler": {
            "enabled_filters": "ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,"
                               "ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,PciPassthroughFilter",
            "pci_in_placement": True, "track_instance_changes": False,
        },
        # Hosts are mapped to the cell while Nova starts, not by a periodic task.
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": -1},
        "conductor": {"workers": 1},
        "placement": user, "service_user": {**user, "send_service_user_token": True}, "neutron": user, "glance": {
            "region_name": REGION, "endpoint_override": url(ports, "glance"), "num_retries": 2},
        "barbican": {"auth_endpoint": url(ports, "keystone")},
        "workarounds": {"skip_cpu_compare_on_dest": True},
        **_token(ports, passwords, "nova"),
    }
    for section, options in profiles.load(profile).nova(hosts).items():
        sections[section] = {**sections.get(section, {}), **options}
    return sections


def glance(layout: Layout, ports: dict[str, int], passwords: dict[str, str]) -> Sections:
    common = _common(layout, "glance")
    common["DEFAULT"].update({"enabled_backends": "files:file", "enabled_import_methods": "[]",
                              "worker_self_reference_url": url(ports, "glance")})
    return {
        **common,
        "glance_store": {"default_backend": "files"},
        "files": {"filesystem_store_datadir": layout.images / "images"},
        "os_glance_tasks_store": {"filesystem_store_datadir": layout.images / "tasks"},
        "os_glance_staging_store": {"filesystem_store_datadir": layout.images / "staging"},
        "paste_deploy": {"flavor": "keystone", "config_file": Path(sys.prefix, "etc/glance/glance-api-paste.ini")},
        **_token(ports, passwords, "glance"),
    }


def neutron(layout: Layout, ports: dict[str, int], passwords: dict[str, str]) -> Sections:
    common = _common(layout, "neutron")
    common["DEFAULT"].update({
        "core_plugin": "ml2", "service_plugins": "router,segments", "rpc_workers": 0, "rpc_state_report_workers": 0,
        "api_workers": 0, "state_path": layout.data / "neutron", "notify_nova_on_port_status_changes": False,
        "notify_nova_on_port_data_changes": False, "auth_strategy": "keystone",
        "api_paste_config": Path(sys.prefix, "etc/neutron/api-paste.ini"),
    })
    user = _user(ports, passwords, "neutron")
    return {
        **common,
        "ml2": {"mechanism_drivers": "logger", "type_drivers": "geneve,local", "tenant_network_types": "geneve"},
        "ml2_type_geneve": {"vni_ranges": "1:1000", "max_header_size": 38},
        "nova": user, "placement": user,
        **_token(ports, passwords, "neutron"),
    }
