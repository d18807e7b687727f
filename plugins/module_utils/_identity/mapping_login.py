# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails at a login although the mapping's evaluation was accepted, as far as that needs no database to know.

Keystone's processor hands on what the rules say without asking whether a login can be made of it. The code after it
then meets a domain that is None, or a group that is no dictionary.

Source: keystone/auth/plugins/mapped.py, keystone/auth/plugins/core.py (BaseUserInfo) and
keystone/federation/utils.py, transform_to_group_ids (Keystone 30.0.0).
"""

from __future__ import annotations

# id: (exception that the login ends with, what to do about it)
LOGIN_PROBLEMS = {
    "group_not_object": ("TypeError", "give each group as JSON with name and domain, or none of them a 'name'"),
    "group_without_name": ("KeyError", "give the group a name"),
    "group_domain_not_object": ("AttributeError", "write the group's domain as an object with id or name"),
    "group_domain_empty": ("DomainNotFound", "give the group's domain an id or a name"),
    "user_without_name": ("Unauthorized", "give the user a name or an id"),
    "user_domain_missing": ("TypeError", "give the user a domain, or the last item of the last matching rule's local"),
    "user_domain_empty": ("KeyError", "give the user's domain an id or a name"),
    "project_domain_missing": ("TypeError", "give the project a domain, or the item of local that it is in"),
    "project_domain_empty": ("KeyError", "give the project's domain an id or a name"),
    "local_user_without_name": ("ValidationError", "give the local user an id, or a name and a domain"),
    "local_user_without_domain": ("ValidationError", "give the local user's domain an id or a name"),
    "local_user_domain_missing": ("AttributeError", "give the local user a domain with an id or a name"),
}


def login_problems(evaluation):
    """Return what a login with these claims ends with after the mapping, in the order in which Keystone looks. Pure.

    Args:
        evaluation: an Evaluation of mapping_engine.

    Returns:
        A list, empty when refused or when nothing is known to fail, of dictionaries: ``id`` (a key of
        LOGIN_PROBLEMS), ``exception`` (its class), ``certain`` (False where the web server may still give a name
        as REMOTE_USER) and ``message`` (a sentence with what to do).
    """
    if not evaluation.accepted:
        return []
    user = evaluation.user
    found = [_group_problem(group) for group in evaluation.group_names]
    if user["type"] == "local":
        found.append(_local_user_problem(user))
    else:
        found.append(_user_problem(user))
        found.append(_domain_problem("user", user))
        found += [_domain_problem("project", project) for project in evaluation.projects]
    return [_described(one, subject) for one, subject in filter(None, found)]


def _described(one, subject):
    exception, advice = LOGIN_PROBLEMS[one]
    message = "{0!r}: the login ends with {1}; {2}".format(subject, exception, advice)
    return {"id": one, "exception": exception, "certain": one != "user_without_name", "message": message}


def _group_problem(group):
    if not isinstance(group, dict):
        return "group_not_object", group
    if "name" not in group:
        return "group_without_name", group
    domain = group["domain"]
    if not isinstance(domain, dict):
        return "group_domain_not_object", group
    if not domain.get("id") and not domain.get("name"):
        return "group_domain_empty", group
    return None


def _user_problem(user):
    return None if user.get("id") or user.get("name") else ("user_without_name", user)


def _domain_problem(kind, subject):
    domain = subject.get("domain", {"id": "the identity provider's"})
    if domain is None:
        return kind + "_domain_missing", subject
    if "id" not in domain and "name" not in domain:
        return kind + "_domain_empty", subject
    return None


def _local_user_problem(user):
    if not user.get("name"):
        # An id alone is enough, and its domain is not looked at.
        return None if user.get("id") else ("local_user_without_name", user)
    domain = user.get("domain", {})
    if domain is None:
        return "local_user_domain_missing", user
    return None if domain.get("id") or domain.get("name") else ("local_user_without_domain", user)
