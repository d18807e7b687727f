# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The region as a running thing: what it survives, what it refuses, and that a GPU server boots in it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[2] / "roles" / "embedded_region" / "files"
PYTHON = os.environ.get("EMBEDDED_PYTHON", "")
SERVICES = ("keystone", "placement", "nova", "glance", "neutron")

pytestmark = pytest.mark.skipif(not PYTHON, reason="EMBEDDED_PYTHON names no interpreter with the services installed")


class Region:
    """A region driven through its command line, as a user drives it."""

    def __init__(self, directory):
        self.directory = directory

    def run(self, command, *arguments, check=True):
        result = subprocess.run(
            [PYTHON, "-m", "embedded_region", command, "--dir", str(self.directory), "--json", *arguments],
            env={**os.environ, "PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=240, check=False)
        if check:
            assert result.returncode == 0, result.stderr
        return result

    def json(self, command, *arguments):
        return json.loads(self.run(command, *arguments).stdout.splitlines()[-1])

    def status(self):
        return json.loads(self.run("status", check=False).stdout.splitlines()[-1])

    def processes(self):
        """Every process that works in this directory, however it calls itself."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.directory.resolve():
                    found.add(int(process.name))
            except OSError:
                continue
        return found


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    """In a path with a space and longer than a Unix socket's name may be."""
    directory = tmp_path_factory.mktemp("a region") / ("long" * 25) / "r"
    running = Region(directory)
    running.run("up", "--port", "0")
    yield running
    running.run("down")
    assert not running.processes()


def eventually(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)


def cloud(region, name):
    """A connection of the plain SDK, which the services' own environment has as well."""
    openstack = pytest.importorskip("openstack")
    return openstack.connection.from_config(
        cloud=name, options=None, config=openstack.config.OpenStackConfig(
            config_files=[str(region.directory / "clouds.yaml")], load_envvars=False).get_one(cloud=name))


def test_second_up_changes_nothing(region):
    before = region.processes()
    outcome = region.json("up")
    assert (outcome["changed"], outcome["kind"]) == (False, "running")
    assert region.processes() == before
    assert outcome["seconds"] < 5


@pytest.mark.parametrize("service", SERVICES)
def test_killed_child_comes_back(region, service):
    before = region.status()["services"][service]
    assert before["answers"]
    os.kill(before["pid"], signal.SIGKILL)

    def back():
        now = region.status()["services"][service]
        return now["answers"] and now["pid"] != before["pid"]

    eventually(back)


def test_taken_port_is_refused_by_name(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        result = Region(tmp_path / "other").run("up", "--port", str(port), check=False)
    assert result.returncode == 1
    assert f"port {port} (keystone) is taken by process {os.getpid()}" in result.stderr
    assert not (tmp_path / "other" / "region.json").exists()


def test_second_region_beside_it_shares_no_secret(region, tmp_path):
    other = Region(tmp_path / "beside")
    other.run("up", "--port", "0")
    try:
        assert region.status()["state"] == other.status()["state"] == "up"
        first, second = ((each.directory / "clouds.yaml").read_text() for each in (region, other))
        passwords = [{line for line in text.splitlines() if "password:" in line} for text in (first, second)]
        assert len(passwords[0]) == 3 and not passwords[0] & passwords[1]
        for name in ("fernet", "credential"):
            keys = [(each.directory / "etc" / name / "1").read_bytes() for each in (region, other)]
            assert keys[0] != keys[1]
        assert authenticate(region, region) == 201
        assert authenticate(other, region) == 401
    finally:
        other.run("down")
    assert not other.processes()


def authenticate(at, password_of):
    """Status of a login at one region with the administrator's password of another."""
    import yaml

    auth = yaml.safe_load((password_of.directory / "clouds.yaml").read_text())["clouds"]["embedded-admin"]["auth"]
    port = json.loads((at.directory / "region.json").read_text())["ports"]["keystone"]
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "domain": {"id": "default"}, "password": auth["password"]}}}}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v3/auth/tokens", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def boot(region, name="gpu-server"):
    """A server with two H200, booted by the plain member; the flavor is the administrator's."""
    admin, member = cloud(region, "embedded-admin"), cloud(region, "embedded-member")
    flavor = admin.compute.find_flavor("two-gpus") or admin.compute.create_flavor(
        name="two-gpus", vcpus=2, ram=1024, disk=1)
    admin.compute.create_flavor_extra_specs(
        flavor, {"pci_passthrough:alias": "h200:2", "trait:CUSTOM_SITE_SITE_A": "required"})
    image = member.image.find_image("gpu-canary")
    server = member.compute.create_server(name=name, flavor_id=flavor.id, image_id=image.id, networks="none")
    return admin, member, member.compute.wait_for_server(server, interval=1, wait=90)


def test_member_boots_gpu_server_and_restart_keeps_it(region):
    admin, member, server = boot(region)
    assert server.status == "ACTIVE"
    held = admin.placement.get(f"/allocations/{server.id}").json()["allocations"]
    assert sum(each["resources"].get("CUSTOM_GPU_H200", 0) for each in held.values()) == 2
    region.run("down")
    assert region.json("up")["kind"] == "warm"
    assert member.compute.get_server(server.id).status == "ACTIVE"
    member.compute.delete_server(server.id)
    member.compute.wait_for_delete(server, interval=1, wait=60)
    eventually(lambda: not admin.placement.get(f"/allocations/{server.id}").json()["allocations"])


def test_auditor_reads_and_does_not_write(region):
    auditor = cloud(region, "embedded-auditor")
    assert "admin" in {user.name for user in auditor.identity.users()}
    with pytest.raises(Exception, match="403|[Ff]orbidden|not authorized"):
        auditor.identity.create_project(name="not-allowed")


def test_hosts_have_their_gpus_and_sites(region):
    admin = cloud(region, "embedded-admin")
    providers = admin.placement.get("/resource_providers?required=CUSTOM_SITE_SITE_A",
                                    headers={"OpenStack-API-Version": "placement 1.39"}).json()["resource_providers"]
    assert {each["name"] for each in providers} == {"gpu-a1", "gpu-a2"}
    found = admin.placement.get("/resource_providers?resources=CUSTOM_GPU_L40S:1",
                                headers={"OpenStack-API-Version": "placement 1.39"}).json()["resource_providers"]
    assert len(found) == 8
    assert {(each.name, each.state) for each in admin.compute.hypervisors(details=True)} == {
        (name, "up") for name in ("gpu-a1", "gpu-a2", "gpu-b1", "gpu-b2")}


def test_snapshot_comes_back_quickly(region):
    admin = cloud(region, "embedded-admin")
    region.run("snapshot", "--name", "base")
    project = admin.identity.create_project(name="made-later")
    outcome = region.json("restore", "--name", "base")
    assert outcome["restarted"] is False
    assert admin.identity.find_project("made-later") is None
    _admin, member, server = boot(region, "after-restore")
    assert server.status == "ACTIVE", project.name
    outcome = region.json("restore", "--name", "base")
    assert outcome["restarted"] is True
    assert member.compute.find_server("after-restore") is None
    _admin, member, server = boot(region, "after-restart")
    assert server.status == "ACTIVE"
    member.compute.delete_server(server.id)
    member.compute.wait_for_delete(server, interval=1, wait=60)


def test_requests_are_logged_without_secrets(region):
    text = (region.directory / "log" / "requests-keystone.jsonl").read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    assert {"time", "service", "method", "path", "status", "user_agent", "duration", "request_id"} == set(entries[0])
    assert any(each["user_agent"].startswith("openstacksdk") and each["method"] == "POST" for each in entries)
    import yaml

    clouds = yaml.safe_load((region.directory / "clouds.yaml").read_text())["clouds"]
    secrets = [each["auth"]["password"].encode() for each in clouds.values()]
    allowed = {region.directory / "clouds.yaml"} | set((region.directory / "etc").glob("*.conf"))
    for path in region.directory.rglob("*"):
        if path.is_file() and path not in allowed:
            assert not [secret for secret in secrets if secret in path.read_bytes()], path
        elif path in allowed:
            assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_survives_a_killed_supervisor(region):
    assert len(region.processes()) == 7  # the supervisor, five services, and what watches them
    os.kill(region.status()["supervisor"], signal.SIGKILL)
    eventually(lambda: not region.processes(), 10)
    assert region.json("up")["changed"] is True
    assert region.status()["state"] == "up"


def test_nothing_survives_its_state_directory(region):
    before = region.processes()
    assert len(before) == 7
    aside = region.directory.with_name("aside")
    region.directory.rename(aside)
    try:
        eventually(lambda: not any(Path("/proc", str(pid)).exists() for pid in before), 60)
    finally:
        aside.rename(region.directory)
    assert region.json("up")["changed"] is True
