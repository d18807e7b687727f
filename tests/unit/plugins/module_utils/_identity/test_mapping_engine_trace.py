# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a rule matched or did not: sentences that an operator can act on."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._identity.mapping_engine import (
    evaluate,
    structure_problems,
)

CLAIMS = {"sub": "ada", "mail": "ada@corp.example", "groups": "students;gpu-users;students"}


def rule(remote, *local):
    return {"remote": remote, "local": list(local)}


def user(**fields):
    return {"user": fields}


def named(*remote, text="{0}"):
    """A rule that shows the remote values as the user's name."""
    return [rule(list(remote), user(name=text))]


def asking(operator, *wanted, **more):
    return dict({"type": "groups", operator: list(wanted)}, **more)


def outcome(rules, version="1.0", claims=CLAIMS):
    assert structure_problems(rules, version) == []
    return evaluate(rules, version, claims)


def test_the_trace_says_why():
    rules = [
        rule([{"type": "sub"}, asking("any_one_of", "staff"), {"type": "mail"}], {}),
        rule(
            [
                {"type": "sub"},
                asking("any_one_of", "^stu", "^x", regex=True),
                asking("not_any_of", "staff"),
                asking("whitelist", "students", "gpu-users"),
                asking("blacklist", "students"),
            ],
            {},
        ),
        rule([{"type": "phone"}], {}),
        rule([asking("not_any_of", "gpu-users")], {}),
        rule([asking("any_one_of", "x$", regex=True)], {}),
        rule([asking("not_any_of", "^x", regex=True), {"type": "Phone"}], {}),
    ]
    trace = outcome(rules).trace
    assert [(one.index, one.matched) for one in trace] == [
        (0, False),
        (1, True),
        (2, False),
        (3, False),
        (4, False),
        (5, False),
    ]
    assert [
        [(one["path"], one["operator"], one["passed"], one["why"]) for one in two.requirements] for two in trace
    ] == [
        [
            ("rules[0].remote[0]", "present", True, "sub is [ada]; the value is {0} in local"),
            (
                "rules[0].remote[1]",
                "any_one_of",
                False,
                "groups has no value of [staff]; it has [students, gpu-users, students]",
            ),
        ],
        [
            ("rules[1].remote[0]", "present", True, "sub is [ada]; the value is {0} in local"),
            (
                "rules[1].remote[1]",
                "any_one_of",
                True,
                "groups has [students, students], which [^stu, ^x] asks for",
            ),
            (
                "rules[1].remote[2]",
                "not_any_of",
                True,
                "groups has no value of [staff]; it has [students, gpu-users, students]",
            ),
            (
                "rules[1].remote[3]",
                "whitelist",
                True,
                "groups keeps [students, gpu-users] of [students, gpu-users, students] by whitelist "
                "[students, gpu-users]; the text of a list of 2 values is {1} in local",
            ),
            (
                "rules[1].remote[4]",
                "blacklist",
                True,
                "groups keeps [gpu-users] of [students, gpu-users, students] by blacklist [students]; "
                "the value is {2} in local",
            ),
        ],
        [("rules[2].remote[0]", "present", False, "phone is not among the claims")],
        [("rules[3].remote[0]", "not_any_of", False, "groups has [gpu-users], which [gpu-users] excludes")],
        [
            (
                "rules[4].remote[0]",
                "any_one_of",
                False,
                "groups has no value that matches a regular expression of [x$]; it has [students, gpu-users, students]",
            )
        ],
        [
            (
                "rules[5].remote[0]",
                "not_any_of",
                True,
                "groups has no value that matches a regular expression of [^x]; it has [students, gpu-users, students]",
            ),
            ("rules[5].remote[1]", "present", False, "Phone is not among the claims"),
        ],
    ]
    assert [(one["claim"], one["values"]) for one in trace[0].requirements] == [
        ("sub", ["ada"]),
        ("groups", ["students", "gpu-users", "students"]),
    ]
    assert trace[2].requirements[0]["values"] == []


def test_the_trace_names_claims_that_look_alike():
    for claim in ("oidc-sub", "OIDC_sub", "HTTP_OIDC_SUB", "OIDC-sob"):
        why = outcome(named({"type": "OIDC-sub"}), claims={claim: "ada", "x": "y"}).trace[0].requirements[0]["why"]
        assert why == "OIDC-sub is not among the claims; there is {0}".format(claim)


def test_the_trace_says_when_a_claim_is_no_text():
    why = outcome(named({"type": "sub"}), claims={"sub": ["ada"]}).trace[0].requirements[0]["why"]
    assert why == "sub is there as list, and Keystone sees texts only; join a list by ;"


def test_a_filter_that_keeps_nothing_says_what_becomes_of_it():
    why = outcome(named(asking("whitelist", "staff"))).trace[0].requirements[0]["why"]
    assert why == (
        "groups keeps none of [students, gpu-users, students] by whitelist [staff]; the rule goes on, "
        "and {0} is the text [] in local"
    )


def test_a_long_list_is_shortened():
    claims = {"sub": ";".join(map(str, range(40)))}
    why = outcome(named({"type": "sub"}), claims=claims).trace[0].requirements[0]["why"]
    assert why.startswith("sub is [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 40 in all]; the text of")
    twelve = outcome(named({"type": "sub"}), claims={"sub": ";".join(map(str, range(12)))}).trace[0]
    assert twelve.requirements[0]["why"].startswith("sub is [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]; ")


def test_a_refusal_ends_the_trace():
    rules = [
        rule([{"type": "sub"}], {}),
        rule([asking("whitelist", "(", regex=True), {"type": "sub"}], {}),
        rule([{"type": "sub"}], {}),
    ]
    found = outcome(rules)
    assert found.reason == "bad_expression"
    assert [(one.index, one.matched, len(one.requirements)) for one in found.trace] == [
        (0, True, 1),
        (1, False, 1),
        (2, False, 0),
    ]
    assert found.trace[1].requirements[0]["why"] == found.message
    assert found.matched_rules == [0]
    assert (found.user, found.group_ids, found.group_names, found.projects, found.result) == ({}, [], [], [], {})


def test_a_rule_whose_text_is_refused_matched():
    found = outcome([rule([{"type": "sub"}], user(name="{1}")), rule([{"type": "sub"}], {})])
    assert [(one.index, one.matched) for one in found.trace] == [(0, True), (1, False)]
    assert found.matched_rules == [0]


def test_requirements_are_looked_at_in_order_and_expressions_only_as_far_as_needed():
    assert outcome(named({"type": "phone"}, asking("whitelist", "(", regex=True))).reason == "no_rule_matched"
    assert outcome(named(asking("any_one_of", ".", "(", regex=True), {"type": "sub"})).accepted


def test_the_refusal_of_all_rules_says_why_of_the_first_three():
    rules = [rule([{"type": name}], {}) for name in "abcde"]
    assert outcome(rules).message == (
        "no rule matched: rules[0]: a is not among the claims; rules[1]: b is not among the claims; "
        "rules[2]: c is not among the claims; and 2 rules more"
    )
    assert outcome(rules[:3]).message.endswith("rules[2]: c is not among the claims")
