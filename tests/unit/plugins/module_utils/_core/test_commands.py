# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: no shell, no input, an end in time, and what they say in one sentence."""

from __future__ import annotations

import os
import sys
import time

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._core.commands import Finished, execute, search_path


def python(code):
    return [sys.executable, "-c", code]


def test_what_it_says_and_how_it_ended():
    done = execute(python("import sys; print('out'); sys.stderr.write('why\\n'); sys.exit(3)"), 10)
    assert (done.status, done.stdout, done.stderr, done.ok) == (3, "out\n", "why\n", False)
    assert done.words().endswith("ended with status 3: why")


def test_it_has_no_input_and_speaks_the_language_c():
    done = execute(python("import os, sys; print(repr(sys.stdin.read()), os.environ['LC_ALL'], os.getcwd())"), 10)
    assert done.stdout.split() == ["''", "C", "/"]


def test_what_is_no_text_is_replaced():
    assert execute(python("import os; os.write(1, b'a\\xffb')"), 10).stdout == "a\ufffdb"


def test_one_that_does_not_end_is_killed_with_all_that_it_started(tmp_path):
    mark = tmp_path / "child"
    code = ("import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
            "open({0!r}, 'w').write(str(p.pid)); print('begun', flush=True); time.sleep(60)".format(str(mark)))
    began = time.monotonic()
    done = execute(python(code), 2)
    assert time.monotonic() - began < 8
    assert done.status is None and not done.ok and "begun" in done.stdout
    assert "gave no answer within" in done.words()
    assert not alive(int(mark.read_text()))


def test_one_that_leaves_something_in_the_background_has_ended():
    done = execute(["sh", "-c", "sleep 20 & echo done"], 1)
    assert (done.status, done.stdout) == (0, "done\n")


def alive(pid):
    for _try in range(50):
        try:
            with open("/proc/{0}/stat".format(pid)) as stream:
                if stream.read().rpartition(")")[2].split()[0] == "Z":
                    return False
        except FileNotFoundError:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Finished(("/usr/bin/x",), 1, "out\nlast\n", ""), "x ended with status 1: last"),
        (Finished(("x",), 2, "out", "  \n"), "x ended with status 2: out"),
        (Finished(("x",), 0), "x ended with status 0 and wrote nothing"),
        (Finished(("x",), None, "", "", 20.2), "x gave no answer within 20 s"),
    ],
)
def test_words(done, words):
    assert done.words() == words


def test_administrators_programs_are_found_with_a_short_path():
    assert search_path({"PATH": "/opt/bin:relative:"})[:1] == ["/opt/bin"]
    assert "/usr/sbin" in search_path({"PATH": "/usr/bin"})
    assert search_path({}).count("/usr/bin") == 1
    assert os.pathsep.join(search_path({})).startswith("/usr/local/sbin")
