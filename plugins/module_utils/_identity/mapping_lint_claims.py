# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule asks of claims: whose word it takes, and what its values let through. Pure."""

from __future__ import annotations

import re

from .mapping_lint_regex import pattern_of
from .mapping_lint_table import found

# Parts of the WSGI environment that a client chooses. Source: PEP 3333, "environ Variables"; RFC 3875, section 4.1.
_REQUEST = frozenset((
    "CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING", "RAW_URI",
    "REMOTE_HOST", "REMOTE_IDENT", "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_NAME", "SERVER_NAME", "SERVER_PROTOCOL",
    "THE_REQUEST",
))
# Claims that most identity providers let people choose for themselves.
CHOSEN = re.compile(
    r"^(?:HTTP_)?(?:OIDC|MELLON|SHIB|SAML)?[-_.]?(?:name|username|user_name|preferred_username|nickname|given_name|"
    r"family_name|givenname|familyname|firstname|lastname|displayname|cn|sn|email|mail|profile|picture|website|address|"
    r"phone_number|title|description)$",
    re.IGNORECASE,
)
# The first release of Keystone that decodes UTF-8 once: 30.0.0.
_DECODES = (2026, 2)


def findings(rules, context):
    """Return the findings about requirements.

    Args:
        rules: list of Rule.
        context: Context.
    """
    found_here = []
    for rule in rules:
        granting = {id(source) for text in rule.texts if text.grants for source in rule.sources(text)}
        for remote in rule.remotes:
            found_here += _name(remote, context)
            if CHOSEN.search(remote.claim) and (remote.operator or id(remote) in granting):
                found_here.append(found("split-claim", remote.path, (
                    "{0!r} decides about rights, and people can often choose it".format(remote.claim))))
            if remote.operator:
                found_here += _values(remote, context)
    return found_here


def forgeable(name):
    """Whether an environment name is a request header."""
    return isinstance(name, str) and name.startswith("HTTP_")


def environment_name(header):
    """Return the name that mod_auth_openidc and mod_auth_mellon give to what arrives as a header."""
    bare = header[len("HTTP_"):]
    module, sign, rest = bare.partition("_")
    return "OIDC-{0}".format(rest.lower()) if module == "OIDC" and rest else bare


def _name(remote, context):
    path, claim = remote.path + ".type", remote.claim
    prefix = context.federation.get("assertion_prefix")
    if forgeable(claim):
        yield found("header-claim", path, "{0!r} is a request header, which a client can write".format(claim),
                    "Map {0!r}, and set OIDCPassClaimsAs environment.".format(environment_name(claim)))
    elif claim in _REQUEST:
        yield found("request-claim", path, "{0!r} is a part of the request, which the client writes".format(claim))
    if isinstance(prefix, str) and not claim.startswith(prefix):
        yield found("claim-outside-prefix", path, "{0!r} does not begin with assertion_prefix {1!r}".format(
            claim, prefix))


def _values(remote, context):
    path = "{0}.{1}".format(remote.path, remote.operator)
    if not remote.values:
        yield found("empty-values", path, "{0} of {1!r} lists nothing".format(remote.operator, remote.claim))
    for place, value in enumerate(remote.values):
        here = "{0}[{1}]".format(path, place)
        if not isinstance(value, str):
            yield found("value-not-text", here, "{0!r} is no text".format(value))
            continue
        if context.release is not None and context.release < _DECODES and not value.isascii():
            yield found("non-ascii-value", here, "{0!r} has letters beyond ASCII, and this is Keystone {1}.{2}".format(
                value, *context.release))
        if remote.regex:
            yield from _regex(remote, here, value)
        elif ";" in value:
            yield found("value-with-semicolon", here, "{0!r} holds a ';'".format(value))


def _regex(remote, path, value):
    pattern = pattern_of(value)
    if pattern.error is not None:
        yield found("invalid-regex", path, "{0!r} is no regular expression: {1}".format(value, pattern.error))
        return
    if not (pattern.begins and pattern.ends):
        where = "at the end" if pattern.begins else "at the beginning" if pattern.ends else "on either side"
        kind = "unanchored-regex" if remote.operator in ("any_one_of", "whitelist") else "unanchored-exclusion"
        yield found(kind, path, "{0!r} is not anchored {1}".format(value, where))
    if pattern.loose_dot:
        yield found("loose-dot", path, "in {0!r} a dot between letters stands for any character".format(value))
    if pattern.slow:
        yield found("slow-regex", path, "{0!r} repeats a repetition".format(value))
