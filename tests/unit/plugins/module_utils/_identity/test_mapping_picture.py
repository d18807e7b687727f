# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trace as a picture: it shows what happened, can be read aloud, and holds nothing that a claim could smuggle in."""

from __future__ import annotations

import xml.etree.ElementTree as Xml

import pytest
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import evaluate
from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_picture import outcomes, svg, text

SVG = "{http://www.w3.org/2000/svg}"
RULES = [
    {"remote": [{"type": "sub"}, {"type": "groups", "whitelist": ["a", "b"]}],
     "local": [{"user": {"name": "{0}"}}, {"groups": "{1}", "domain": {"name": "research"}}]},
    {"remote": [{"type": "kind", "any_one_of": ["guest"]}],
     "local": [{"projects": [{"name": "p", "roles": [{"name": "reader"}]}], "domain": {"name": "research"}}]},
]
CLAIMS = {"sub": "8c1f", "groups": "a;c"}
ASSIGNMENTS = [
    {"persona": "member", "group": "research/a", "project": "research/climate"},
    {"role": "reader", "group": "research/a", "domain": "research"},
    {"persona": "auditor", "group": "research/a", "system": True},
    {"role": "admin", "group": "research/other", "project": "x"},
]


def words(drawn):
    return [one.text for one in Xml.fromstring(drawn).iter(SVG + "text")]


def test_the_tree():
    seen = evaluate(RULES, "2.0", CLAIMS)
    assert text(seen, CLAIMS, "one", ASSIGNMENTS).splitlines() == [
        "one",
        "claims",
        "├─ sub     8c1f",
        "└─ groups  a;c",
        "✔ rules[0] matched",
        "├─ ✔ present: " + seen.trace[0].requirements[0]["why"],
        "└─ ✔ whitelist: " + seen.trace[0].requirements[1]["why"],
        "✘ rules[1] did not match",
        "└─ ✘ any_one_of: kind is not among the claims",
        "result",
        "├─ user research/8c1f (ephemeral)",
        "└─ group research/a",
        "   ├─ member in research/climate",
        "   ├─ reader in domain research",
        "   └─ auditor in the whole system",
    ]


def test_projects_and_groups_without_rights():
    seen = evaluate(RULES, "2.0", {"sub": "x", "groups": "a", "kind": "guest"})
    lines = outcomes(seen, [])
    assert [one.text for one in lines] == ["user research/x (ephemeral)", "group research/a", "project research/p"]
    assert [one.follows for one in lines] == [[], ["no role that is declared"], ["role reader"]]
    assert outcomes(seen)[1].follows == []


def test_a_refusal():
    seen = evaluate(RULES, "2.0", {})
    assert [(one.kind, one.text) for one in outcomes(seen)] == [("refused", "refused: no_rule_matched")]
    assert "refused: no_rule_matched" in words(svg(seen, {}, "nobody"))


def test_a_rule_that_was_not_reached():
    broken = [{"remote": [{"type": "sub"}], "local": [{"user": {"name": "{7}"}}]}, RULES[0]]
    assert "○ rules[1] was not reached" in text(evaluate(broken, "1.0", CLAIMS), CLAIMS)


def test_the_svg_can_be_read_aloud_and_stands_alone():
    drawn = svg(evaluate(RULES, "2.0", CLAIMS), CLAIMS, "one", ASSIGNMENTS)
    tree = Xml.fromstring(drawn)
    assert tree.get("role") == "img"
    assert tree.get("aria-labelledby").split() == [tree.find(SVG + part).get("id") for part in ("title", "desc")]
    assert tree.find(SVG + "desc").text == text(evaluate(RULES, "2.0", CLAIMS), CLAIMS, "", ASSIGNMENTS)
    assert "prefers-color-scheme: dark" in tree.find(SVG + "style").text
    for elsewhere in ("href", "url(", "@import", "<script", "<image"):
        assert elsewhere not in drawn
    assert {"✔ rules[0] matched", "✘ rules[1] did not match", "→ member in research/climate"} <= set(words(drawn))


def test_everything_is_inside_of_the_picture():
    claims = {"sub": "x" * 500, "groups": "a;" + " ".join(["word"] * 200)}
    drawn = svg(evaluate(RULES, "2.0", claims), claims, "long")
    tree = Xml.fromstring(drawn)
    width, height = (int(one) for one in tree.get("viewBox").split()[2:])
    for box in tree.iter(SVG + "rect"):
        assert int(box.get("x", 0)) + int(box.get("width")) <= width
        assert int(box.get("y", 0)) + int(box.get("height")) <= height
    for line in tree.iter(SVG + "text"):
        assert int(line.get("x")) + 7.2 * len(line.text) <= width and int(line.get("y")) <= height


@pytest.mark.parametrize("claim", ["<script>alert(1)</script>", "]]>", "&amp;", "ä€😀"])
def test_claims_are_shown_and_never_markup(claim):
    claims = {"sub": claim, "groups": "a"}
    drawn = svg(evaluate(RULES, "2.0", claims), claims, claim)
    assert claim in words(drawn)
    assert Xml.fromstring(drawn).find(SVG + "title").text == claim


def test_it_is_the_same_every_time():
    first = svg(evaluate(RULES, "2.0", CLAIMS), CLAIMS, "one", ASSIGNMENTS)
    assert first == svg(evaluate(RULES, "2.0", CLAIMS), CLAIMS, "one", ASSIGNMENTS)
