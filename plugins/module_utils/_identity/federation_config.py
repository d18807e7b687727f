# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section ``[federation]`` of keystone.conf: its text, and what is wrong or doubtful about its values. Pure.

Who applies it writes the text to a file of its own in ``keystone.conf.d`` and restarts Keystone; nothing here does.
Sources: Keystone 30.0.0 ``keystone/conf/federation.py`` and ``keystone/api/auth.py`` (``_get_sso_origin_host``);
oslo.config's parser: a ``$`` begins a reference to another option, one pair of quotes around a value is dropped, spaces
around it too, and a list option is written by repeating it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from .._core.errors import unknown_name
from .federation_spec import VERSIONS, synchronises

# Name of the setting in the region document, option in keystone.conf, type. The order is that of the text.
_OPTIONS = (
    ("trusted_dashboards", "trusted_dashboard", list),
    ("assertion_prefix", "assertion_prefix", str),
    ("remote_id_attribute", "remote_id_attribute", str),
    ("default_authorization_ttl", "default_authorization_ttl", int),
    ("sso_callback_template", "sso_callback_template", str),
    ("attribute_mapping_default_schema_version", "attribute_mapping_default_schema_version", str),
)
SETTINGS = tuple(name for name, unused, unused_too in _OPTIONS)
_WORDS = {list: "a list of URLs", str: "a text", int: "a number"}
# Where Horizon takes the token, below the path at which it is installed.
_WEBSSO = "/auth/websso/"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def render(settings):
    """Return the text of the section; an empty one when nothing is declared.

    Args:
        settings: mapping of the names in SETTINGS to values; None and missing ones are left to Keystone's defaults.

    Raises:
        ValueError: a value that ``problems`` tells, and that cannot be written as such.
    """
    lines = []
    for name, option, kind in _OPTIONS:
        value = settings.get(name)
        if value is not None:
            lines += ["{0} = {1}".format(option, _written(one)) for one in (value if kind is list else [value])]
    return "[federation]\n{0}\n".format("\n".join(lines)) if lines else ""


def _written(value):
    """Return a value so that oslo.config reads the same one."""
    text = str(value)
    if not _one_line(text):
        raise ValueError("{0!r} is no single line".format(value))
    text = text.replace("$", "$$")
    if text != text.strip() or (text and text[0] == text[-1] and text[0] in "\"'"):
        text = '"{0}"'.format(text)
    return text


def _one_line(text):
    return text.isprintable()


def problems(settings, path="federation", keystone_release=None):
    """Return one sentence for each value that Keystone would not read as meant, or with which it would not work.

    Args:
        settings: mapping as for ``render``.
        path: where it is declared.
        keystone_release: OpenStack release such as ``2026.1``, or None when it is not known.
    """
    found = [unknown_name("{0}.{1}".format(path, name), name, "setting of [federation]", SETTINGS)
             for name in settings if name not in SETTINGS]
    for name, _unused, kind in _OPTIONS:
        value, where = settings.get(name), "{0}.{1}".format(path, name)
        if value is None:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            found.append("{0}: {1!r}; expected {2}".format(where, value, _WORDS[kind]))
            continue
        for index, one in enumerate(value if kind is list else [value]):
            at = "{0}[{1}]".format(where, index) if kind is list else where
            if kind is not int and (not isinstance(one, str) or not _one_line(one)):
                found.append("{0}: {1!r}; expected one line of text".format(at, one))
            elif kind is list:
                found += _dashboard_problems(at, one)
    ttl = settings.get("default_authorization_ttl")
    if isinstance(ttl, int) and not isinstance(ttl, bool) and ttl < 0:
        found.append("{0}.default_authorization_ttl: {1}; expected minutes, or 0 for no time at all".format(path, ttl))
    return found + _text_problems(settings, path, keystone_release)


def _text_problems(settings, path, keystone_release):
    found = []
    template = settings.get("sso_callback_template")
    if isinstance(template, str) and not template.startswith("/"):
        found.append("{0}.sso_callback_template: {1!r}; expected an absolute path on Keystone's hosts".format(
            path, template))
    version = settings.get("attribute_mapping_default_schema_version")
    where = "{0}.attribute_mapping_default_schema_version".format(path)
    if isinstance(version, str) and version not in VERSIONS:
        found.append("{0}: {1!r}; expected one of {2}, since Keystone fails with 500 for any other".format(
            where, version, ", ".join(VERSIONS)))
    elif version == "3.0" and not synchronises(keystone_release):
        found.append("{0}: '3.0' needs Keystone 2026.1 or later; say so in keystone_release".format(where))
    prefix, attribute = settings.get("assertion_prefix"), settings.get("remote_id_attribute")
    if isinstance(prefix, str) and isinstance(attribute, str) and not attribute.startswith(prefix):
        found.append("{0}.remote_id_attribute: {1!r} does not begin with assertion_prefix {2!r}; Keystone drops every "
                     "other variable, so nobody could log in".format(path, attribute, prefix))
    return found


def _dashboard_problems(where, url):
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    if not host or parts.scheme not in ("http", "https"):
        return ["{0}: {1!r}; expected an http or https URL such as "
                "'https://dashboard.example.org/auth/websso/'".format(where, url)]
    if parts.username is not None:
        # Said without the value: it may hold a password.
        return ["{0}: a user name in the URL; expected the address alone".format(where)]
    return []


def findings(settings, path="federation"):
    """Return what works and is doubtful all the same.

    Args:
        settings: mapping as for ``render``, without problems.
        path: where it is declared.

    Returns:
        A list of dicts: id, severity (``critical``, ``warning`` or ``info``), path, message, fix.
    """
    found = []
    for index, url in enumerate(settings.get("trusted_dashboards") or []):
        found += _dashboard_findings("{0}.trusted_dashboards[{1}]".format(path, index), url)
    attribute = settings.get("remote_id_attribute") or ""
    if attribute.upper().startswith("HTTP_"):
        found.append(_finding(
            "header-remote-id", "critical", path + ".remote_id_attribute",
            "{0!r} is filled from a header, and who asks can send any header".format(attribute),
            "name the variable that the module of the web server sets, such as OIDC-iss or MELLON_IDP"))
    prefix = settings.get("assertion_prefix") or ""
    if prefix.upper().startswith("HTTP_"):
        found.append(_finding(
            "header-prefix", "critical", path + ".assertion_prefix",
            "{0!r} lets exactly those variables through that come from headers".format(prefix),
            "use the prefix of the variables that the module of the web server sets, such as OIDC-"))
    if settings.get("default_authorization_ttl") == 0:
        found.append(_finding(
            "no-authorization-ttl", "info", path + ".default_authorization_ttl",
            "group memberships of federated users end with their token, so application credentials cannot use them",
            "give the minutes for which a membership lasts after a login"))
    return found


def _dashboard_findings(where, url):
    parts, found = urlsplit(url), []
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        found.append(_finding(
            "dashboard-without-tls", "critical", where,
            "{0!r} receives tokens, and http carries them in the clear".format(url), "use https"))
    if not parts.path.strip("/"):
        found.append(_finding(
            "dashboard-without-path", "warning", where,
            "{0!r} has no path; Keystone compares the whole text with what the dashboard sends, which for Horizon ends "
            "with {1}".format(url, _WEBSSO),
            "write {0}://{1}{2}, with the path at which Horizon is installed before it".format(
                parts.scheme, parts.netloc, _WEBSSO)))
    elif not url.endswith(_WEBSSO):
        found.append(_finding(
            "dashboard-path", "info", where,
            "{0!r} does not end with {1}, which is what Horizon sends; Keystone compares the whole text".format(
                url, _WEBSSO),
            "compare it with the origin in the address to which the dashboard leads"))
    return found


def _finding(key, severity, path, message, fix):
    return {"id": key, "severity": severity, "path": path, "message": message, "fix": fix}
