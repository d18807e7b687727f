# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenStack's replies mean. Pure: no library, no network."""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

from . import errors

SAFE_METHODS = ("GET", "HEAD")

# The lowest microversions that have what we use. Compute 2.86 (Ussuri): flavors with extra specs and description in
# one list, extra specs validated. Placement 1.36 (Ussuri): same_subtree, any-traits not needed.
# Sources: Nova and Placement "REST API Version History".
MICROVERSIONS = {"compute": "2.86", "placement": "1.36"}

# The version that paths here are written for, where a catalogue may name the bare service.
_VERSION_PATHS = {"identity": "/v3", "network": "/v2.0", "image": "/v2", "compute": "/v2.1"}
_VERSION = re.compile(r"/v\d+(\.\d+)?(/|$)")

_KINDS = {
    401: (errors.AuthenticationFailed, "the token was refused"),
    403: (errors.Forbidden, "the policy of the service does not allow it for this user"),
    404: (errors.NotFound, "not found"),
    409: (errors.Conflict, "conflict"),
    429: (errors.RateLimited, "too many requests"),
}
_LONGEST_WAIT = 60.0


def versioned(service, url):
    """Return a service's base URL with its version and without a slash at the end."""
    url = url.rstrip("/")
    if service in _VERSION_PATHS and not _VERSION.search(re.sub(r"^https?://[^/]+", "", url)):
        url += _VERSION_PATHS[service]
    return url


def next_link(reply, key):
    """Return the URL of the next page in the manner of Keystone, of Nova and Neutron, or of Glance; else None.

    Args:
        reply: decoded reply.
        key: the collection's name, such as ``flavors``.
    """
    links = reply.get("links")
    if isinstance(links, dict) and links.get("next"):
        return links["next"]
    for link in reply.get(key + "_links") or []:
        if link.get("rel") == "next":
            return link.get("href")
    return reply.get("next")


def following_query(reply, key):
    """Return the query of the link to the next page as a list of pairs, or None on the last page."""
    link = next_link(reply, key)
    return parse_qsl(urlsplit(link).query, keep_blank_values=True) if link else None


def rows_of(reply, key, what):
    """Return the rows of a list reply.

    Raises:
        ServiceFailed: the reply is no such list. Taken for an empty one, it would have everything made anew.
    """
    rows = (reply or {}).get(key)
    if not isinstance(rows, list):
        raise errors.ServiceFailed("{0}: the reply holds no list of {1}; something else may be listening there".format(
            what, key))
    return rows


def retry_after(headers, default):
    """Return the seconds to wait that a reply asks for, at most a minute; ``default`` when it names none.

    Both forms are read, seconds and date; a date counts from the server's own clock.
    """
    value = headers.get("Retry-After")
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        try:
            seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date"))).total_seconds()
        except (TypeError, ValueError, IndexError, AttributeError):
            return default
    # A comparison with NaN is false: it falls through to the default like a time in the past.
    return min(seconds, _LONGEST_WAIT) if seconds >= 0 else default


def message_of(text):
    """Return the service's own sentence from the body of an error.

    Keystone, Nova, Neutron, Glance and Placement each wrap it in another way; what is no JSON is shortened.
    """
    try:
        found = _sentence(json.loads(text))
    except (TypeError, ValueError):
        found = re.sub(r"<[^>]+>", " ", text or "")
    return " ".join(str(found or "no explanation in the reply").split())[:400]


def _sentence(body):
    if isinstance(body, dict):
        for key in ("message", "detail"):
            if isinstance(body.get(key), str):
                return body[key]
        for value in body.values():
            if isinstance(value, (dict, list)):
                found = _sentence(value)
                if found:
                    return found
    if isinstance(body, list):
        for value in body:
            found = _sentence(value)
            if found:
                return found
    return None


def error_for(what, status, text, retries):
    """Return the exception for a reply with an error status.

    Args:
        what: the request in words, such as ``POST compute /flavors``.
        status: HTTP status.
        text: body of the reply.
        retries: how often it was tried again.
    """
    kind, meaning = _KINDS.get(
        status, (errors.ServiceFailed, "the service failed") if status >= 500 else (errors.CloudError, "refused")
    )
    tried = " after {0} retries".format(retries) if retries else ""
    return kind("{0}: {1} ({2}){3}: {4}".format(what, status, meaning, tried, message_of(text)), status)
