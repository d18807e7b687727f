# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc shows, on a planted one and on this host's; links lead nowhere outside the root."""

from __future__ import annotations

import os

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core import processes
from ansible_collections.sovereign.region.plugins.module_utils._core.host import Host

LINE = ["/venv/bin/python3", "/venv/bin/ansible-playbook", "site.yml"]
TREE = {
    50: (1, ["bash"], {3: "pipe:[1]"}, ""),
    100: (50, LINE, {0: "pipe:[9]", 1: "pipe:[9]", 3: "pipe:[7]", 4: "pipe:[7]", 5: "pipe:[6]", 6: "socket:[7]"}, ""),
    101: (100, LINE, {3: "pipe:[7]", 9: "pipe:[70]"}, ""),
    102: (101, ["/bin/sh", "-c", "/bin/sh -c 'python3 /home/ops/.ansible/tmp/AnsiballZ_x.py'"], {}, ""),
    103: (102, ["python3", "/home/ops/.ansible/tmp/ansible-tmp-1/AnsiballZ_x.py"], {0: "pipe:[71]"},
          "A=1\0SOVEREIGN_REGION_RUN=run-a\0"),
    104: (1, ["python3", "other"], {}, "SOVEREIGN_REGION_RUN=run-ab\0"),
}


@pytest.fixture()
def host(tmp_path):
    for pid, (parent, line, links, environ) in TREE.items():
        home = tmp_path / "proc" / str(pid)
        (home / "fd").mkdir(parents=True)
        fields = ["0"] * 17 + [str(pid * 10)] + ["0"] * 5
        (home / "stat").write_text("{0} (a b) c)) S {1} {2}\n".format(pid, parent, " ".join(fields)))
        (home / "cmdline").write_text("\0".join(line) + "\0")
        (home / "environ").write_text(environ)
        for number, link in links.items():
            (home / "fd" / str(number)).symlink_to(link)
    return Host(str(tmp_path))


def test_the_main_process_is_above_workers_shells_and_modules(host):
    assert processes.main_of(host, 103).pid == processes.main_of(host, 101).pid == 100
    assert processes.main_of(host, 103).start == 1000
    assert processes.main_of(host, 50) is None
    assert processes.main_of(host, 104) is None


def test_pipes_with_both_ends_beside_the_standard_streams(host):
    assert processes.queue_pipes(processes.descriptors(host, 100)) == [7]


@pytest.mark.parametrize(
    ("pipes", "run", "spared", "expected"),
    [
        ([7], "", (), [100, 101]),
        ([7], "run-a", (100,), [101, 103]),
        ([], "run-a", (), [103]),
        ([], "run-ab", (), [104]),
        ([], "", (), []),
    ],
)
def test_survivors(host, pipes, run, spared, expected):
    assert [one.pid for one in processes.survivors(host, pipes, run, spared)] == expected


@pytest.mark.parametrize("text", ["", "12", "12 (x) S", "12 (x) S 1 2 3", "x (y) S " + "0 " * 40])
def test_a_stat_that_cannot_be_read_is_no_process(text):
    assert processes.parse_stat(text) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (LINE, True),
        (["/usr/bin/ansible", "all"], True),
        (["python3", "-m", "ansible", "playbook"], True),
        (["/usr/bin/python3.11", "/usr/bin/ansible-playbook-3.11"], True),
        (["vim", "/etc/ansible/hosts"], False),
        (["python3", "AnsiballZ_ansible.py"], False),
        (["sshd: ansible"], False),
        ([], False),
    ],
)
def test_what_is_ansible(line, expected):
    assert processes.is_ansible(line) is expected


def test_this_process_on_this_host():
    here = Host()
    found = processes.process(here, os.getpid())
    assert (found.parent, found.ended) == (os.getppid(), False)
    assert processes.process(here, 2**22 + 1) is None
    assert here.readlink("/proc/self/ns/pid").startswith("pid:[")


def test_links_stay_below_the_root(tmp_path):
    outside = tmp_path / "secret"
    outside.write_text("outside")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "secret").write_text("inside")
    for name, target in (("absolute", "/secret"), ("above", "../../../secret"), ("chain", "absolute")):
        (root / "etc" / name).symlink_to(target)
        assert Host(str(root)).read_text("/etc/" + name) == "inside"
    assert Host(str(root)).read_text("/../../secret") == "inside"
    (root / "etc" / "round").symlink_to("round")
    with pytest.raises(OSError):
        Host(str(root)).read_text("/etc/round")
    assert Host(str(root)).readlink("/etc/above") == "../../../secret"
