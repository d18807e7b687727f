# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rules and claims are made of: names, values, texts with fields, and what is wrong on purpose."""

from __future__ import annotations

import json

CLAIMS = ("OIDC-sub", "OIDC-email", "OIDC-groups", "OIDC-preferred_username", "MELLON_openstack_roles", "Shib-eppn",
          "HTTP_OIDC_ISS", "REMOTE_USER", "openstack_projects", "Prénom", "所属", "a claim", "", "name", "0")

WORDS = ("alice", "bob", "climate-users", "gpu-users", "admin", "staff", "Zoë", "日本", "Ünïcödé ß", "user@uni.example",
         "eve@uni.example.evil.org", "x", "two words", " padded ", "UPPER", "0", "42", "None", "True", "e\u0301", "é",
         "\u2028", "𝔘", "\ud800", "tab\there", "line\nbreak", "nul\x00", "it's", 'say "hi"', "back\\slash", "{0}",
         "{", "%s", "$HOME", "<b>", "username", "domainname", "name", "domain", "name of a domain", "JSON:",
         "", "")
# What Keystone reads as Python where groups and group ids are made of it.
LITERALS = ("['a', 'b']", '["a", "b"]', "['a']", "[]", "['a', 'a']", "['a', 1]", "[1, True, 1.0]", "('a', 'b')",
            "{'a'}",
            "{'a': 1}", "[['a']]", "[{}]", "{[]}", "{[]: 1}", "{{}: 1}", "[None]", " ['a']", "['a'] ", "['a'", "1",
            "1.5",
            "b'a'", "[b'a']", "'a'", "...", "lambda: 1", "a.b", "[*'ab']", "['name']", "['name', 'domain']", "[-1]",
            "[1+2j]",
            "['username', 1]", "'name'", "['a' 'b']", "# name", "['a', ('name',)]", "['name', None]", "[['name']]",
            "[{'name': 'a', 'domain': 'b'}]", "[{'name': 'a'}]", "['name', 'JSON:5']", "['name', 'JSON:null']",
            "f'{0}'", "['\\x41']", "\n['a']", "['a'\n]", "['é']", "[" * 300)
# Groups as JSON, which Keystone knows by their prefix, and which it takes off letter by letter.
GROUPS_JSON = ('JSON:{"name": "g", "domain": {"name": "d"}}', 'JSON:{"name": "g"}', "JSON:{name", 'JSON:["name"]',
               'JSON:"name"', 'JSON:["name", "domain"]', 'JSON:"name domain"', "JSON:name",
               'JSON:{"name": "ü", "domain": 1}',
               'JSON:JSON:{"name": "g", "domain": "d"}', 'JSON:N{"name": 1, "domain": 2}', 'json:{"name": 1}',
               'JSON: {"domain": {"id": "name"}}', 'JSON:{"name": NaN, "domain": 0}', '["JSON:{\\"name\\": \\"g\\"}"]',
               "['JSON:{\"name\": \"a\", \"domain\": {\"id\": \"b\"}}', 'name-domain']",
               "['JSON:{\"name\": \"a\", \"domain\": {\"id\": \"b\"}}', 'JSON:{\"name\": \"c\"}']",
               "['name', 'JSON:5']", "['name', 'JSON:null']", "['JSON:true', 'name']", "['JSON:[1]', 'name']")
# What is nested more deeply than Python reads, or has more digits.
DEEP = ("-" * 9000 + "1", "JSON:" + "[" * 20_000 + '"name', 'JSON:{"name": ' + "1" * 5000 + "}")
# Projects as JSON, schema 3.0; a value with a semicolon is split before it is read.
PROJECTS_JSON = tuple(json.dumps(value, ensure_ascii=False) for value in (
    [{"name": "climate", "roles": [{"name": "member"}]}],
    [{"name": "a", "roles": [{"name": "member"}, {"name": "reader"}]}, {"name": "b", "roles": []}],
    [{"name": "a", "roles": [{"name": "reader"}], "domain": {"name": "research"}}],
    [{"name": "a", "roles": [], "domain": {"id": "d1", "name": "research"}}, {"name": "b", "roles": [], "domain": {}}],
    [{"name": "a", "roles": []}, {"name": "a", "roles": [{"name": "ü"}]}], [], [{"name": "{0}", "roles": []}],
    [{"name": "a"}], [{"roles": []}], [{"name": 1, "roles": []}], [{"name": "a", "roles": {}}], ["a"], {}, None, 5, "a",
    [{"name": "a", "roles": ["member"]}], [{"name": "a", "roles": [{"name": 1}]}], [{"name": "a", "roles": [{}]}],
    [{"name": "a", "roles": [{"name": "m", "id": "1"}]}], [{"name": "a", "roles": [], "more": 1}],
    [{"name": "a", "roles": [], "domain": "research"}], [{"name": "a", "roles": [], "domain": {"name": 1}}],
    [{"name": "a", "roles": [], "domain": {"other": "x"}}], [{"name": "a", "roles": [], "domain": None}], [[]], True,
    {"name": "a", "roles": []}, [None], [{"name": None, "roles": []}], [{"name": "a", "roles": None}], "",
)) + ("", "not json", "[", "[{'name': 'a', 'roles': []}]", "NaN", "[1,]", "\ufeff[]", ' [{"name": "a", "roles": []}] ',
      '[{"name": "a", "name": "b", "roles": []}]', '[{"name": "a", "roles": []}];[{"name": "b", "roles": []}]',
      '[{"name": "a;b", "roles": []}]', "[] []", "[];[]", *("[" * 20_000, "[" + "1" * 5000 + "]") * 4)

# Patterns of `regex: true` with a value that they find and one that they do not.
PATTERNS = (("^admin$", "admin", "administrator"), ("admin", "not-admin-yet", "Admin"), ("@uni\\.example$",
            "a@uni.example",
            "a@uni.example.org"), (".*", "", "line"), ("^.+$", "x", ""), ("(?i)STAFF", "staff", "stuff"), ("^gpu-.*",
            "gpu-users", "x-gpu-"),
            ("\\d+", "a1", "a"), ("é", "Zoé", "Zoe"), ("^(staff|guest)$", "guest", "guests"), ("\\bcloud\\b",
            "a cloud", "clouds"),
            ("", "", "never"), ("a|b", "b", "c"), ("^\\w+$", "日本", "a b"), ("[^a]", "b", "a"), ("x$", "x\n", "xy"),
            ("(?P<n>a)(?P=n)", "aa", "ab"), ("\\ud83d", "no", "no"))
BROKEN_PATTERNS = ("[", "(", "*", "(?P<", "a{2,1}", "\\", "(?<=a+)b", "+a", "(?z)", "[z-a]",
                   "a{99999999999999999999}", "(" * 1500 + ")" * 1500)
# What is allowed in a list of values without being a text: a set takes the first line, a pattern none.
ODD_VALUES = (5, True, None, 1.5)
UNHASHABLE = (["a"], {"a": 1}, [], {})

# Texts with fields, by what becomes of them where {0} is one value, {1} may be several and {7} is none.
FIELDS = ("{0}", "{1}", "{0} {1}", "{0}@{1}", "{}", "{} {}", "{0!r}", "{0!s}", "{0!a}", "{0:>8}", "{0:.2}", "{{0}}",
          "{{{0}}}",
          "constant", "", "Zoë {0}", "{0}{0}", "{1}{0}", "{0:s}", "{0.__class__.__name__}", "{0[0]}", "{0:{1}}",
          "{0:^9}",
          "x{0}y", "{0!r:>9}", "{0!a:>9}", "{}{}", "name of {0}", "{0[1]}", "{0:_<6}",
          "JSON:{{\"name\": \"{0}\", \"domain\": \"d\"}}")
BAD_FIELDS = {
    "index": ("{7}", "{0} {9}", "{} {} {} {} {} {} {}", "{0[99]}", "{12}{0}"),
    "key": ("{name}", "{OIDC-sub}", "{-1}", "{ 0 }", "{0 }", "{0x0}", "{a.b}", "{a[0]}"),
    "value": ("{", "}", "{0", "{0}}", "{0!x}", "{0:d}", "{} {0}", "{0} {}", "{0[}", "{0!}", "{0.}", "{0!rr}", "{0]}",
    "{0:>}}",
              "{0:=5}", "{0:,}", "{[]}"),
    "attribute": ("{0.nothing}", "{0.__class__.nothing}", "{1.name}"),
    "type": ("{0[a]}", "{0[name]}", "{0[-1]}", "{1[x]}", "{0.__class__[0][0]}"),
}
PROJECTS_JSON_FIELDS = ("{0}", "{1}", "{2}", "{3}", "0", "1", "{0", "0}", "{0} and more", "{٠}", "{00}", "1{0}")
BAD_PROJECTS_JSON_FIELDS = ("{9}", "12", "", "x", "{}", "{{0}}", " {0}", "{name}", "{-1}", "{", "projects")
