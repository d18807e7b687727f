# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the linter of federation mappings can find. ids are stable; docs/mapping-findings.md shows all.

Severities: ``critical``, somebody gets in or gets rights that nobody meant to give, or logins fail; ``warning``, it
works until something around it changes, or does less than it says; ``info``, good to know.
"""

from __future__ import annotations

from collections import namedtuple

from .._core.errors import unknown_name

SEVERITIES = ("info", "warning", "critical")

# id, severity, what can happen, how to mend it.
Kind = namedtuple("Kind", "id severity risk fix")

CLAIMS = (
    Kind("header-claim", "critical",
         "Names that begin with HTTP_ are request headers. Apache removes forged ones only on the paths that it "
         "protects, and Keystone reads them on POST /v3/auth/tokens too: anybody can log in as anybody.",
         "Map the environment name, such as OIDC-email, and set OIDCPassClaimsAs environment."),
    Kind("request-claim", "critical",
         "The client writes this part of the request itself, so anybody can log in as anybody.",
         "Map a claim that the identity provider signs."),
    Kind("claim-outside-prefix", "critical",
         "Keystone only reads names that begin with assertion_prefix. The rule never matches.",
         "Map a name that begins with the prefix, or change assertion_prefix."),
    Kind("split-claim", "warning",
         "Keystone splits every claim at ';'. Who can choose their own name at the identity provider writes "
         "'x;gpu-users' and has both values.",
         "Decide on a claim that only the identity provider's administrators set, such as groups."),
    Kind("value-with-semicolon", "warning",
         "Keystone splits claims at ';' before it compares, so this value never equals any.",
         "List the parts as values of their own."),
    Kind("value-not-text", "critical",
         "Claims are text. Another type never equals one, so a refusal never refuses; as a regular expression it fails "
         "every login.",
         "Put the value in quotes."),
    Kind("empty-values", "warning",
         "An empty any_one_of never matches and an empty whitelist lets nothing through; an empty not_any_of or "
         "blacklist lets everything through.",
         "List the values, or remove the requirement."),
    Kind("non-ascii-value", "warning",
         "Before Keystone 30 (2026.2) claims in UTF-8 arrived garbled, so a value with other letters never matched, "
         "and starts to match with the upgrade.",
         "Compare with a value in ASCII, such as a group's id, or upgrade first."),
    Kind("unanchored-regex", "critical",
         "Keystone searches anywhere in the value: '@corp.example' matches 'eve@corp.example.evil.org'.",
         "Begin with ^ and end with $; write .* where anything may stand."),
    Kind("unanchored-exclusion", "info",
         "Keystone searches anywhere in the value, so more is excluded than is written.",
         "Begin with ^ and end with $; write .* where anything may stand."),
    Kind("loose-dot", "warning",
         "A dot stands for any character: 'corp.example' matches 'corpXexample'.",
         "Write \\. for a dot."),
    Kind("invalid-regex", "critical",
         "Keystone tries it first at login, and fails with HTTP 500 for everybody who has the claim.",
         "Correct the regular expression."),
    Kind("slow-regex", "warning",
         "The time that it takes doubles with each letter of a value, and a long value holds up a Keystone process.",
         "Repeat only once: a+ instead of (a+)+."),
)

RULES = (
    Kind("catch-all", "warning",
         "The rule asks for nothing that only some people have, so everybody whom the identity provider lets in gets "
         "the right.",
         "Add any_one_of with the values that shall have it, or give the right to nobody here."),
    Kind("filter-as-condition", "critical",
         "A whitelist or blacklist refuses nobody. It only chooses which values a text gets, and no text uses them.",
         "Use any_one_of or not_any_of to decide who matches."),
    Kind("blacklist-authorizes", "warning",
         "Every value that nobody thought of is let through, groups that are made tomorrow among them.",
         "List what is let through, with whitelist."),
    Kind("impossible-rule", "warning",
         "One requirement excludes all that another one asks for. The rule never matches.",
         "Remove one of both requirements."),
    Kind("duplicate-rule", "warning",
         "The rule is there already and changes nothing; who changes one of both is surprised.",
         "Remove one."),
    Kind("rule-without-effect", "warning",
         "The rule gives nothing: no user, no group, no project.",
         "Give local a user, groups or projects, or remove the rule."),
    Kind("index-out-of-range", "critical",
         "There is no claim with this number, and every login that the rule matches fails. any_one_of and not_any_of "
         "have no number.",
         "Count only the requirements without any_one_of and not_any_of, from 0."),
    Kind("index-shift", "info",
         "any_one_of and not_any_of have no number, so the numbers after them are lower than they look.",
         "Put any_one_of and not_any_of last."),
    Kind("invalid-template", "critical",
         "Python's str.format cannot read the text, and every login that the rule matches fails with HTTP 500.",
         "Use {0}, {1}; write {{ and }} for braces."),
    Kind("format-access", "warning",
         "str.format reaches into the value: {0.__class__} is a name in Python, {0[0]} the first letter or value.",
         "Use the number alone."),
)

USERS = (
    Kind("local-user", "critical",
         "The login becomes the real user of that name, with all rights and without password: the cloud's admin if "
         "the name is admin.",
         "Remove type, or set it to ephemeral, and give rights through groups."),
    Kind("privileged-user", "critical",
         "Everybody whom the rule matches has the name of an account that runs the cloud, in audit records and "
         "wherever names decide.",
         "Take the name from a claim, such as OIDC-sub."),
    Kind("shared-user", "warning",
         "Everybody whom the rule matches is the same user. Nobody can say later who did something.",
         "Take the name from a claim, or ask for one account with any_one_of."),
    Kind("mutable-user-name", "info",
         "Keystone makes the user's id from it. People change names and addresses, and an address that is given to "
         "somebody else takes its rights along.",
         "Use a claim that never changes, such as OIDC-sub, as name or id."),
    Kind("no-user", "warning",
         "Without a name Keystone takes REMOTE_USER, and refuses the login where the web server sets none.",
         "Give local a user with a name."),
    Kind("duplicate-user", "warning",
         "The first user wins, and Keystone drops the others without a word.",
         "Keep one, or let only one of the rules match."),
)

PLACES = (
    Kind("missing-domain", "critical",
         "Keystone looks into a domain that is not there, and the login fails (schema 2.0 and 3.0: \"argument of type "
         "'NoneType' is not iterable\").",
         "Give the user a domain, or the last element of local; and each project, or its element."),
    Kind("ignored-domain", "warning",
         "Schema 1.0 uses a domain beside groups only, and drops it elsewhere without a word.",
         "Give the user its own domain, or use schema 2.0."),
    Kind("empty-domain", "critical",
         "The domain has neither name nor id, and the login fails.",
         "Give it a name."),
    Kind("domain-from-claim", "warning",
         "The claim chooses the domain of a group or project: a group of that name in any domain, Default among them.",
         "Write the domain, or use whitelist with the domains that may be named."),
    Kind("unknown-domain", "critical",
         "Keystone answers 404 to everybody whom the rule matches.",
         "Correct the name, or declare the domain."),
    Kind("groups-without-domain", "critical",
         "Keystone refuses everybody whom the rule matches.",
         "Add domain to the same element."),
    Kind("group-id", "warning",
         "An id that Keystone does not know fails the login with HTTP 500, and a region that is built again has "
         "others.",
         "Use the group's name and domain."),
    Kind("unfiltered-group-ids", "critical",
         "The claim names any group of the whole cloud, the administrators' among them.",
         "Use groups with a whitelist and a domain."),
    Kind("unfiltered-groups", "warning",
         "The identity provider decides about every group of the domain, and with a value such as "
         "'JSON:{\"name\": …, \"domain\": …}' about groups of every other domain.",
         "Use whitelist with the groups that the identity provider may give."),
    Kind("unknown-group", "warning",
         "Keystone ignores a group that it does not know: people log in and have no rights.",
         "Correct the name, or declare the group."),
    Kind("group-named-name", "critical",
         "Keystone takes groups whose text holds 'name' for JSON, and refuses everybody who has such a group.",
         "Give the group another name, or give it with group instead of groups."),
)

PROJECTS = (
    Kind("admin-granted", "critical",
         "Who controls the identity provider, or the claim, controls the cloud.",
         "Give this role to named users of this Keystone."),
    Kind("role-from-claim", "critical",
         "The claim chooses any role, admin among them.",
         "Write one rule for each role, with any_one_of."),
    Kind("projects-from-claim", "warning",
         "The claim chooses projects and roles, admin among them; what does not exist is made.",
         "Let only the identity provider's administrators set it, and check assertions for it."),
    Kind("project-from-claim", "warning",
         "The claim chooses the project: who has the name of another one's project gets into it, and what does not "
         "exist is made.",
         "Use whitelist, or names that cannot be chosen."),
    Kind("unknown-project", "warning",
         "Keystone makes a project that it does not know at the first login, without quota, tags or owner.",
         "Correct the name, or declare the project."),
    Kind("unknown-role", "critical",
         "Keystone answers 404 to everybody whom the rule matches.",
         "Correct the name, or create the role first."),
    Kind("projects-overwritten", "warning",
         "Only the last element with projects counts; Keystone drops the others without a word.",
         "Put all projects into one element, or give rights through groups."),
    Kind("grants-never-revoked", "warning",
         "Schemas 1.0 and 2.0 give roles in projects and never take them back, whatever the identity provider says "
         "later.",
         "Give rights through groups, or use schema 3.0."),
    Kind("sync-removes-grants", "info",
         "Schema 3.0 takes away every role in a project that a user was given directly and the mapping does not name, "
         "at each login. Roles through groups stay.",
         "Give roles outside of the mapping to groups only."),
    Kind("sync-removes-all-grants", "warning",
         "Schema 3.0 without projects takes away every role in a project that a user was given directly, at each "
         "login.",
         "Use schema 2.0, or name the projects."),
)

SETTINGS = (
    Kind("unknown-schema-version", "critical",
         "Keystone answers HTTP 500.",
         "Use 1.0, 2.0 or 3.0, in quotes."),
    Kind("schema-needs-release", "critical",
         "Schema 3.0 is in Keystone 29 (2026.1) and later. An earlier one answers HTTP 500.",
         "Use schema 2.0, or correct keystone_release."),
    Kind("mapping-unused", "info",
         "No declared protocol uses the mapping.",
         "Name it in a protocol, or remove it."),
    Kind("unknown-mapping", "critical",
         "Keystone refuses a protocol with a mapping that it does not know.",
         "Correct the name, or declare the mapping."),
    Kind("empty-remote-ids", "critical",
         "Keystone then accepts every identity provider that the web server accepts as this one.",
         "List the issuers in remote_ids."),
    Kind("no-remote-id-attribute", "warning",
         "Unless keystone.conf sets one, Keystone does not compare remote ids, and accepts every identity provider "
         "that the web server accepts as this one.",
         "Set remote_id_attribute of the protocol, such as OIDC-iss."),
    Kind("header-remote-id", "warning",
         "A request header says which identity provider it was, and a client can forge it.",
         "Use the environment name, such as OIDC-iss."),
    Kind("long-remote-id", "critical",
         "Keystone refuses remote ids with more than 64 characters.",
         "Use a shorter claim, such as the tenant's id with remote_id_attribute OIDC-tid."),
    Kind("duplicate-remote-id", "critical",
         "Keystone refuses a remote id that another identity provider has, and does not say which.",
         "Give each identity provider remote ids of its own."),
    Kind("no-ttl", "warning",
         "Keystone's default is 0: memberships last as long as a token, and application credentials cannot be made. "
         "What the default of this region is, nobody has declared.",
         "Set authorization_ttl, in minutes, such as 60."),
    Kind("long-ttl", "warning",
         "Somebody who left the identity provider keeps groups and application credentials for that long.",
         "Set authorization_ttl to a day, 1440 minutes, or less."),
    Kind("k2k-sha1", "warning",
         "Keystone signs assertions for service providers with RSA-SHA1, which FIPS and RHEL 9 refuse, and which "
         "cannot be configured (27.0.0 to 30.0.0).",
         "Let the other region use the identity provider itself."),
)

KINDS = {kind.id: kind for kind in CLAIMS + RULES + USERS + PLACES + PROJECTS + SETTINGS}


def found(identifier, path, message, fix=None):
    """Return one finding.

    Args:
        identifier: id of the table.
        path: where it is, such as ``rules[0].remote[1].type``.
        message: one sentence about this place.
        fix: what to do at this place; the table's words when it is not given.
    """
    kind = KINDS[identifier]
    return {"id": identifier, "severity": kind.severity, "path": path, "message": message, "fix": fix or kind.fix}


def unknown(identifier, path, name, kind, candidates):
    """Return the finding for a name that is not declared, with the nearest one that is."""
    return found(identifier, path, unknown_name(path, name, kind, candidates)[len(path) + len(": "):])


def at_least(severity, floor):
    """Whether a severity is as high as another one."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)
