# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of identity_users, complete as a module gets them."""

from __future__ import annotations


def group(name, domain="Default", **fields):
    return dict({"name": name, "domain": domain, "description": None, "members": None, "state": "present"}, **fields)


def user(name, domain="Default", **fields):
    return dict({
        "name": name, "domain": domain, "description": None, "email": None, "enabled": None, "default_project": None,
        "password": None, "update_password": "on_create", "state": "present"}, **fields)


def params(groups=(), people=(), **options):
    base = {"owner": "sovereign.region", "adopt": False, "purge": False, "mappings": [], "pending": []}
    return dict(base, groups=list(groups), users=list(people), **options)
