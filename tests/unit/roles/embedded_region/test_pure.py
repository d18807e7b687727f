# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topology, ports, rendered configuration, cache directories, seeds, the log of requests and the watch."""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import socket
import sqlite3
import sys
from pathlib import Path

import pytest
import yaml
from embedded_region import SERVICES, EmbeddedRegionError, cache, config, passwords, ports, profiles, seed, topology
from embedded_region.layout import Layout, write_private
from embedded_region.profiles import fake
from embedded_region.requests_log import RequestsLog
from embedded_region.supervision import birth, configuration
from embedded_region.watch import CHANCES, Watch

ROLE = Path(__file__).resolve().parents[4] / "roles" / "embedded_region"
PORTS = {service: 21000 + number for number, service in enumerate(SERVICES)}
HOST = {"name": "gpu-a1", "site": "site-a", "model": "H200", "vendor_id": "10de", "product_id": "2335", "gpus": 8}


def rendered(directory, secrets=None):
    layout = Layout(directory)
    return layout, config.files(layout, PORTS, secrets or passwords.make(), topology.DEFAULT, "fake")


def parsed(text):
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return parser


class TestTopology:
    def test_role_defaults_specification_and_program_agree(self):
        declared = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
        specification = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())
        options = specification["argument_specs"]["main"]["options"]
        assert {name: option["default"] for name, option in options.items()} == declared
        assert topology.parse(declared["embedded_region_hosts"]) == topology.DEFAULT
        assert options["embedded_region_profile"]["choices"] == profiles.names()

    def test_names(self):
        host = topology.parse([{**HOST, "model": "RTX PRO 6000", "site": "site-a"}])[0]
        assert (host.alias, host.resource_class, host.site_trait) == (
            "rtx-pro-6000", "CUSTOM_GPU_RTX_PRO_6000", "CUSTOM_SITE_SITE_A")

    def test_sixteen_cards_of_one_model_on_two_hosts(self):
        assert sum(host.gpus for host in topology.DEFAULT if host.model == "H200") == 16
        assert len({host.site for host in topology.DEFAULT}) == 2

    def test_hosts_keep_their_identity(self):
        assert topology.DEFAULT[0].uuid == topology.parse([HOST])[0].uuid != topology.DEFAULT[1].uuid

    def test_dump_and_load(self, tmp_path):
        (tmp_path / "hosts").write_text(topology.dump(topology.DEFAULT))
        assert topology.load(tmp_path / "hosts") == topology.DEFAULT

    @pytest.mark.parametrize(("change", "message"), [
        ({"gpus": 0}, r"hosts\[0\].gpus is 0"), ({"gpus": 16}, "gpus is 16"), ({"vendor_id": "nvidia"}, "vendor_id"),
        ({"name": "GPU 1"}, "name"), ({"colour": "green"}, "must have exactly"), ({"site": "-"}, "site"),
    ])
    def test_wrong_hosts(self, change, message):
        with pytest.raises(EmbeddedRegionError, match=message):
            topology.parse([{**HOST, **change}])

    def test_two_hosts_of_one_name_or_one_model_of_two_identities(self):
        with pytest.raises(EmbeddedRegionError, match="two hosts are named gpu-a1"):
            topology.parse([HOST, HOST])
        with pytest.raises(EmbeddedRegionError, match="two PCI identities"):
            topology.parse([HOST, {**HOST, "name": "other", "product_id": "2336"}])

    def test_devices_of_a_host(self):
        found = fake.devices(topology.DEFAULT[0])
        assert [each["address"] for each in found] == [f"0000:{bus}0:00.0" for bus in "12345678"]
        assert [each["numa_node"] for each in found] == [0] * 4 + [1] * 4
        assert {(each["vendor_id"], each["product_id"]) for each in found} == {("10de", "2335")}


class TestPorts:
    def test_base_and_successors(self):
        assert ports.choose(21000) == PORTS

    def test_free_ones_are_five_different(self):
        assert len(set(ports.choose(0).values())) == len(SERVICES)

    @pytest.mark.parametrize("base", [1, 1023, 65535, -1])
    def test_impossible(self, base):
        with pytest.raises(EmbeddedRegionError, match=f"port {base}:"):
            ports.choose(base)

    def test_taken_one_is_named_with_its_process(self):
        with socket.socket() as holder:
            holder.bind((ports.ADDRESS, 0))
            holder.listen()
            port = holder.getsockname()[1]
            with pytest.raises(EmbeddedRegionError, match=rf"port {port} \(nova\) is taken by process {os.getpid()} "):
                ports.refuse_taken({"nova": port})
        ports.refuse_taken({"nova": port})

    def test_table_of_the_kernel(self):
        table = ("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                 "   0: 0100007F:5208 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n"
                 "   1: 0100007F:5208 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n")
        assert ports.listening_inodes(table, 21000) == {"4711"}
        assert ports.listening_inodes(table, 21001) == set()


class TestConfiguration:
    def test_every_path_is_below_the_directory_or_the_environment(self, tmp_path):
        """Else a service would read what another region, or a real one, has in /etc."""
        _layout, files = rendered(tmp_path / "a region")
        for path, text in files.items():
            assert path.is_relative_to(tmp_path / "a region")
            if path.suffix != ".conf":
                continue
            for section in parsed(text).values():
                for value in section.values():
                    where = value.removeprefix("sqlite:///")
                    if where.startswith("/"):
                        assert where.startswith((str(tmp_path / "a region"), sys.prefix)), value

    def test_keystone_names_every_key_repository(self, tmp_path):
        layout, files = rendered(tmp_path)
        keystone = parsed(files[layout.etc / "keystone.conf"])
        for section in ("fernet_tokens", "fernet_receipts", "credential"):
            assert keystone[section]["key_repository"].startswith(str(tmp_path))

    def test_bursts_succeed_and_scopes_are_enforced(self, tmp_path):
        layout, files = rendered(tmp_path)
        placement = parsed(files[layout.etc / "placement.conf"])["placement"]
        assert placement["allocation_candidates_generation_strategy"] == "breadth-first"
        assert int(placement["max_allocation_candidates"]) > 0
        for service in ("keystone", "nova"):
            policy = parsed(files[layout.etc / f"{service}.conf"])["oslo_policy"]
            assert (policy["enforce_scope"], policy["enforce_new_defaults"]) == ("true", "true")
        nova = parsed(files[layout.etc / "nova.conf"])
        assert nova["keystone_authtoken"]["service_token_roles_required"] == "true"
        assert nova["service_user"]["send_service_user_token"] == "true"
        assert nova["DEFAULT"]["compute_driver"] == "fakegpu.GpuDriver"
        assert "PciPassthroughFilter" in nova["filter_scheduler"]["enabled_filters"]

    def test_pci_section_has_each_model_once(self):
        found = config.pci(topology.DEFAULT)
        classes = [json.loads(each)["resource_class"] for each in found["device_spec"]]
        assert classes == ["CUSTOM_GPU_H200", "CUSTOM_GPU_L40S"]
        assert [json.loads(each)["name"] for each in found["alias"]] == ["h200", "l40s"]

    def test_rendering(self):
        text = config.render({"pci": {"alias": ["a", "b"], "on": True, "path": "/a $b/c"}})
        assert "[pci]\nalias = a\nalias = b\non = true\npath = /a $$b/c\n" in text

    def test_clouds(self, tmp_path):
        secrets = passwords.make()
        layout, files = rendered(tmp_path, secrets)
        clouds = yaml.safe_load(files[layout.clouds])["clouds"]
        assert set(clouds) == {"embedded-admin", "embedded-member", "embedded-auditor"}
        assert clouds["embedded-auditor"]["auth"]["system_scope"] == "all"
        assert {each["region_name"] for each in clouds.values()} == {"embedded"}
        assert all(len(each["auth"]["password"]) >= 20 for each in clouds.values())

    def test_passwords_are_read_back_from_what_was_written(self, tmp_path):
        secrets = passwords.make()
        layout, files = rendered(tmp_path, secrets)
        layout.make()
        assert passwords.stored(layout) == {}
        for path, text in files.items():
            write_private(path, text)
            assert path.stat().st_mode & 0o777 == 0o600
        assert passwords.stored(layout) == secrets

    def test_supervisor_starts_each_service_and_holds_no_path(self, tmp_path):
        parser = parsed(configuration())
        assert set(parser.sections()) == {"supervisord", "program:watch", *(f"program:{name}" for name in SERVICES)}
        assert parser["program:nova"]["command"].endswith("-m embedded_region.launcher nova")


class TestCache:
    def test_named_and_private(self, tmp_path, monkeypatch):
        monkeypatch.delenv("SOVEREIGN_REGION_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache.root() == tmp_path / "sovereign-region"
        assert cache.root().stat().st_mode & 0o777 == 0o700

    def test_relative_name_is_not_taken(self, tmp_path, monkeypatch):
        monkeypatch.delenv("SOVEREIGN_REGION_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cache.root() == tmp_path / ".cache" / "sovereign-region"

    def test_directory_that_others_can_write_or_a_link_is_refused(self, tmp_path):
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        (tmp_path / "target").mkdir(mode=0o700)
        (tmp_path / "link").symlink_to(tmp_path / "target")
        for name in ("open", "link"):
            with pytest.raises(EmbeddedRegionError, match="only you can write"):
                cache.private(tmp_path / name)

    def test_directory_of_somebody_else_is_refused(self, tmp_path, monkeypatch):
        (tmp_path / "theirs").mkdir(mode=0o700)
        monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
        with pytest.raises(EmbeddedRegionError, match="only you can write"):
            cache.private(tmp_path / "theirs")


class TestSeed:
    def test_key_depends_on_hosts_and_profile(self):
        known = seed.key(topology.DEFAULT, "fake")
        assert known == seed.key(list(topology.DEFAULT), "fake")
        assert len({known, seed.key(topology.DEFAULT[:2], "fake"), seed.key(topology.DEFAULT, "other")}) == 3

    def test_settling_rewrites_paths_and_addresses(self, tmp_path):
        layout = Layout(tmp_path / "new place")
        layout.make()
        tables = {
            "nova_api": ["CREATE TABLE cell_mappings (name, database_connection)",
                         "INSERT INTO cell_mappings VALUES ('cell0', 'sqlite:////old/cell0'), ('cell1', 'x')"],
            "keystone": ["CREATE TABLE service (id, type)", "CREATE TABLE endpoint (service_id, url)",
                         "INSERT INTO service VALUES (1, 'identity'), (2, 'compute')",
                         "INSERT INTO endpoint VALUES (1, 'http://old'), (2, 'http://old'), (2, 'http://old')"],
            "glance": ["CREATE TABLE image_locations (id, value)",
                       "INSERT INTO image_locations VALUES (1, 'file:///old/place/images/abc')"],
        }
        for name, statements in tables.items():
            with contextlib.closing(sqlite3.connect(layout.database(name))) as database, database:
                for statement in statements:
                    database.execute(statement)
        seed.settle(layout, PORTS)

        def values(name, query):
            with contextlib.closing(sqlite3.connect(layout.database(name))) as database:
                return [row[0] for row in database.execute(query)]

        assert values("nova_api", "SELECT database_connection FROM cell_mappings") == [
            layout.database_url("nova_cell0"), layout.database_url("nova_cell1")]
        assert values("keystone", "SELECT url FROM endpoint") == [
            "http://127.0.0.1:21000/v3", "http://127.0.0.1:21002/v2.1", "http://127.0.0.1:21002/v2.1"]
        assert values("glance", "SELECT value FROM image_locations") == [f"file://{layout.images}/images/abc"]

    def test_shared_copy_lets_nobody_in(self, tmp_path):
        path = tmp_path / "keystone.sqlite"
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE password (password_hash)")
            database.execute("INSERT INTO password VALUES ('$2b$04$abcdefghijklmnopqrstuv')")
        passwords.forget_hashes(path)
        assert b"$2b$" not in path.read_bytes()

    def test_pruning_keeps_the_ones_used_last(self, tmp_path):
        for number in range(7):
            (tmp_path / str(number)).mkdir()
            os.utime(tmp_path / str(number), (number, number))
        seed.prune(tmp_path, keep=5)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "4", "5", "6"]


class TestRequestsLog:
    def ask(self, tmp_path, application):
        log = RequestsLog(application, "nova", tmp_path / "log")
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/servers", "QUERY_STRING": "a=b", "HTTP_USER_AGENT": "sdk",
                   "HTTP_X_AUTH_TOKEN": "very-secret"}
        body = log(environ, lambda status, headers, *rest: None)
        list(body)
        assert (tmp_path / "log").read_text() == ""
        body.close()
        return (tmp_path / "log").read_text()

    def test_one_line_without_the_token(self, tmp_path):
        def application(environ, start_response):
            start_response("202 Accepted", [("X-OpenStack-Request-Id", "req-1"), ("X-Subject-Token", "also-secret")])
            return [b"body"]

        text = self.ask(tmp_path, application)
        entry = json.loads(text)
        assert "secret" not in text and "body" not in text
        assert (entry["service"], entry["method"], entry["path"], entry["status"], entry["user_agent"],
                entry["request_id"]) == ("nova", "POST", "/servers?a=b", 202, "sdk", "req-1")


class TestWatch:
    def test_kills_only_what_answered_once_and_then_stayed_silent(self):
        answer, killed = {"nova": True}, []
        watch = Watch(lambda service: answer[service], killed.append)
        watch.look({"nova": 7})
        answer["nova"] = False
        for _round in range(CHANCES - 1):
            watch.look({"nova": 7})
        assert killed == []
        watch.look({"nova": 7})
        assert killed == [7]
        for _round in range(CHANCES + 1):
            watch.look({"nova": 8})
        assert killed == [7]


def test_a_process_is_known_by_number_and_birth():
    assert birth(os.getpid()) == birth(os.getpid())
    with pytest.raises(OSError):
        birth(2**22 + 1)
