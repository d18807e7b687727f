# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated pages say what the specification says, in Markdown that cannot break."""

from __future__ import annotations

from pathlib import Path

import docs_markup
import docs_roles
import pytest
import yaml


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("Use O(cloud) or E(OS_CLOUD).", "Use `cloud` or `OS_CLOUD`."),
        ("V(a\\)b\\)) and RV(actions)", "`a)b)` and `actions`"),
        ("M(sovereign.region.region), B(bold), I(italic)", "`sovereign.region.region`, *bold*, *italic*"),
        ("L(the guide, https://example.org/a) and U(https://example.org)",
         "[the guide](https://example.org/a) and <https://example.org>"),
        (["Two", "parts\n over lines"], "Two parts over lines"),
        ("NOV(x) stays", "NOV(x) stays"),
        (None, ""),
    ],
)
def test_markup(markup, expected):
    assert docs_markup.text(markup) == expected


def test_options_of_options_follow_with_their_path():
    rows = docs_markup.options({
        "pools": {"type": "list", "elements": "dict", "required": True, "description": "a | b",
                  "options": {"mode": {"choices": ["vf", "mig"], "default": "vf", "description": ["How."]}}},
        "force": {"type": "bool", "default": False, "description": "No."},
    })
    assert rows == [
        "| `pools` | list of dict | required | a \\| b |",
        "| `pools[].mode` | str | `vf` | How. One of `vf`, `mig`. |",
        "| `force` | bool | `false` | No. |",
    ]


def role(**options):
    entry = {"short_description": "Do it", "description": ["All of it."], "options": options}
    return {"ns.name.thing": {"entry_points": {"main": entry}}}


def example(page):
    return yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])


def test_a_role_without_an_example_shows_what_one_has_to_write(tmp_path):
    known = role(thing_needed={"required": True, "description": "x"}, thing_other={"default": 1, "description": "y"})
    page = docs_roles.pages(known, tmp_path)["thing"]
    play = example(page)[0]
    assert play["roles"] == [{"role": "ns.name.thing", "vars": {"thing_needed": "{{ my_thing_needed }}"}}]


def test_a_roles_own_example_is_shown(tmp_path):
    meta = Path(tmp_path, "roles", "thing", "meta")
    meta.mkdir(parents=True)
    (meta / "example.yml").write_text("---\n- name: Mine\n  hosts: all\n")
    assert example(docs_roles.pages(role(), tmp_path)["thing"]) == [{"name": "Mine", "hosts": "all"}]
