# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of shell assignments: judged by sh itself."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._accelerators import shell
from hypothesis import example, given, settings
from hypothesis import strategies as st

PATH = "/etc/default/grub"


def of_sh(text, names):
    """What sh has in some variables after it sourced a text; None when it stopped."""
    script = "set -e\n" + text + "\n" + "".join('printf "%s\\0" "${0}"\n'.format(name) for name in names)
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False, env={}, stdin=subprocess.DEVNULL)
    return done.stdout.decode().split("\0")[:-1] if done.returncode == 0 else None


def ours(text):
    return shell.source([(PATH, text)])


TEXTS = [
    "A=plain",
    "A='single $B'; B=\"double $A\"",
    "A=\"a\" B='b'\nexport A",
    "export A=1 B=\"two three\"",
    "A=one\\\ntwo\nB=\"three\\\nfour\"",
    "A='one\\\ntwo'",
    "# A=no \\\nA=yes # B=no",
    "A=a#b",
    "A=a\\ b\\\"c B=\"a\\ b\\\"c\\\\d\\$e\"",
    "A=x\nA=\"$A y\"\nA=\"${A} z\"",
    "A=x\nB=\"${A:+$A }more\"\nA=\"${C:-${D:-deep}}\"",
    "A=\nB=\"${A-unset}${A:-empty}${C-unset}\"",
    "A=x; unset A; B=\"[$A]\"",
    "A=outer\nA=inner true\n",
    "A=$ B='$'\"$\"$",
    "A=''\"\"x''",
    "A=a\n\n\n  B=b\t# tail",
    "A=1 && true",
    "A=\"a\nb\"",
    "A=a;B=b;",
    "A=[x] B=a*b",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_sh_understands_is_understood_alike(text):
    expected = of_sh(text, "AB")
    assert expected is not None
    found = ours(text)
    assert [found.text("A"), found.text("B")] == expected
    assert not {"A", "B", "*"}.intersection(found.unclear)
    assert not found.broken


PIECE = st.one_of(
    st.sampled_from(["iommu=pt", "a.b=c", "quiet", "x", " ", "  "]).map(lambda one: "'" + one + "'"),
    st.sampled_from(["iommu=pt", "$A", "${B}", "${A:+$A }", "${C:-d}", "\\\"", "\\$", " ", "\\\\", "a\\b"]).map(
        lambda one: '"' + one + '"'),
    st.sampled_from(["iommu=pt", "$A", "${B:-x}", "\\ ", "\\\n", "a,b", "$"]),
)
LINE = st.tuples(st.sampled_from(["", "export ", "  "]), st.sampled_from("AB"),
                 st.lists(PIECE, max_size=4).map("".join), st.sampled_from(["", " # note", ";", " \\\n"])).map(
    lambda parts: "{0}{1}={2}{3}".format(*parts))


@settings(max_examples=150, deadline=None)
@example("A=$A\\\niommu=pt")
@example("A=$\\\nA")
@given(st.lists(LINE, min_size=1, max_size=5).map("\n".join))
def test_assignments_of_any_kind_are_read_as_sh_reads_them(text):
    expected = of_sh(text, "AB")
    if expected is not None:
        found = ours(text)
        for name, value in zip("AB", expected):
            assert name in found.unclear or found.text(name) == value


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="A=\"'`$(){}\\\n;&|<> #ifes")))
def test_garbage_never_raises(text):
    found = ours(text)
    for pieces in found.values.values():
        shell.words(pieces)


@pytest.mark.parametrize(("text", "line", "why"), [
    ("A=`date`", 1, "it is the output of a command"),
    ("\nA=\"x $(date)\"", 2, "it is the output of a command"),
    ("if true; then\nA=x\nfi", 2, "it is set under a condition"),
    ("test -e /x && A=x", 1, "it is set under a condition"),
    ("case x in a) A=1;; esac", 1, "it is set under a condition"),
    ("for A in 1 2; do A=x; done", 1, "it is set under a condition"),
    ("f() {\n  A=x\n}", 2, "it is set under a condition"),
    ("A=$$", 1, "$$ is only known to a shell that runs"),
    ("A=${B%x}", 1, "its expansion is more than is understood here"),
    ("B=`date`\nA=\"$B\"", 2, "$B is not clear"),
])
def test_what_only_a_shell_could_tell_is_not_guessed(text, line, why):
    assert ours(text).unclear["A"] == (PATH, line, why)


def test_an_assignment_after_all_makes_it_clear_again():
    found = ours("A=`date`\nA=x")
    assert (found.text("A"), found.unclear) == ("x", {})


@pytest.mark.parametrize("text", [". /etc/other", "source /etc/other", "eval \"$X\"", "cat <<END\nA=x\nEND"])
def test_what_may_set_anything_is_told(text):
    assert "*" in ours(text).unclear


@pytest.mark.parametrize(("text", "said"), [
    ("A=\"open\n", "a double quote is opened"), ("A='open\n", "a single quote is opened"),
    ("A=`open\n", "a backquote is opened"), ("A=${open\n", "a bracket is opened"), ("A+=x", "sh knows no '+='"),
])
def test_what_sh_would_stop_at_is_told(text, said):
    assert of_sh(text, "A") is None
    path, line, why = ours("\n" + text).broken[0]
    assert (path, line) == (PATH, 2)
    assert said in why


def test_return_ends_a_file_and_the_next_is_read():
    found = shell.source([("/a", "A=1\nreturn\nA=2"), ("/b", "B=\"$A b\"")])
    assert (found.text("A"), found.text("B")) == ("1", "1 b")


def test_every_word_knows_where_it_was_written():
    files = [("/a", "A=\"one\ntwo\""), ("/b", "# b\nA=\"$A three \"\"four five\"\nA=\"zero $A\"")]
    assert shell.words(shell.source(files).values["A"]) == [
        ("zero", "/b", 3), ("one", "/a", 1), ("two", "/a", 1), ("three", "/b", 2), ("four", "/b", 2), ("five", "/b", 2)]


def test_a_value_that_doubles_with_every_line_ends():
    found = ours("A=xxxxxxxxxxxxxxxx\n" + "A=\"$A$A\"\n" * 40)
    assert "A" in found.unclear
    assert len(found.text("A")) <= 65536
