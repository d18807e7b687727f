# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values of the authentication options are secret. Pure.

Ansible hides a ``no_log`` value wherever it appears, and it takes every value of a mapping for one: a project name in
``auth`` would turn ``create project demo`` into ``create project ********``. So only real secrets stay on its list.
"""

from __future__ import annotations

import re

_SECRET_KEY = re.compile(r"password|passcode|passphrase|secret|token|private|key$", re.IGNORECASE)
SHORTEST = 8


def split(options):
    """Return (secrets, plain values), each a set of strings, of nested options.

    Args:
        options: mapping of option to value; mappings and lists may be nested.
    """
    secrets, plain = set(), set()
    _walk(options, False, secrets, plain)
    return secrets, plain - secrets


def _walk(value, secret, secrets, plain):
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(inner, secret or bool(_SECRET_KEY.search(str(key))), secrets, plain)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _walk(inner, secret, secrets, plain)
    elif value is not None and not isinstance(value, bool):
        (secrets if secret else plain).add(str(value))


def problems(options):
    """Return a sentence when a secret is so short that hiding it would garble the results."""
    short = [value for value in split(options)[0] if 0 < len(value) < SHORTEST]
    if not short:
        return []
    return [
        "auth: a secret has fewer than {0} characters, and Ansible would hide these letters in every result; "
        "put it into clouds.yaml".format(SHORTEST)
    ]
