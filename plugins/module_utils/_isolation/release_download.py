# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tarball from upstream or from a mirror: kept only when its digest is the declared one."""

from __future__ import annotations

import http.client
import os
import ssl
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

from ansible.module_utils.urls import open_url

from .._core import atomic
from .._core.errors import HostError
from . import release_files, release_manifest

# Between two pieces of an answer, in seconds; the whole download may take longer.
_SILENCE = 60
_ELSEWHERE = (301, 302, 303, 307, 308)
_REDIRECTS = 10


def fetch(host, params, path):
    """Download ``source`` to ``path``: beside it first, and under its name when the digest is right.

    Args:
        host: Host.
        params: options of the module; read are source, sha256, ca_path, url_username, url_password.
        path: on the host.

    Raises:
        HostError: no answer, an answer that ends early, or another content than the declared one.
    """
    above, name = os.path.split(path)
    beside = "{0}/{1}{2}".format(above, release_files.DOWNLOADING, name)
    host.make_directory(above, 0o700)
    real = release_files.real(host, beside)
    shown = release_manifest.public_source(params["source"])
    try:
        descriptor = os.open(real, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise release_files.problem(beside, "could not be written", error) from error
    if not release_files.lock(descriptor):
        os.close(descriptor)
        raise HostError("{0}: another run is downloading it; try again when it is done".format(beside))
    try:
        os.ftruncate(descriptor, 0)
        found, size, told = _take(params, descriptor, shown)
        if told is not None and size < told:
            raise HostError("{0}: the answer ended after {1} of {2} bytes; nothing of it is kept".format(
                shown, size, told))
        if found != params["sha256"].lower():
            raise HostError("{0}: the SHA-256 of what came is {1}, declared is {2}; nothing of it is kept".format(
                shown, found, params["sha256"].lower()))
        os.fsync(descriptor)
        os.rename(real, release_files.real(host, path))
        atomic.sync(os.path.dirname(real))
    except OSError as error:
        raise release_files.problem(path, "could not be written", error) from error
    finally:
        os.close(descriptor)
        if os.path.lexists(real):
            os.unlink(real)


def _take(params, descriptor, shown):
    """Return (sha256, size, size as the server told or None) of what came."""
    try:
        with _answer(params, shown) as answer:
            told = answer.headers.get("Content-Length")
            found, size = release_files.digest_of(answer, descriptor)
    except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as error:
        raise HostError("{0}: could not be downloaded: {1}".format(shown, error)) from error
    return found, size, int(told) if str(told).isdigit() else None


def _answer(params, shown):
    """Return the answer of the mirror, or of whom it sends us to; the password is told to the mirror alone."""
    place = params["source"]
    for _unused in range(_REDIRECTS + 1):
        own = _origin(place) == _origin(params["source"])
        try:
            return open_url(place, timeout=_SILENCE, ca_path=params["ca_path"], follow_redirects="none",
                            url_username=params["url_username"] if own else None,
                            url_password=params["url_password"] if own else None,
                            force_basic_auth=True, http_agent="sovereign.region")
        except HTTPError as error:
            if error.code not in _ELSEWHERE or not error.headers.get("Location"):
                raise
            place = urljoin(place, error.headers["Location"])
            error.close()
        if urlsplit(place).scheme not in ("http", "https"):
            raise HostError("{0}: could not be downloaded: it leads to {1!r}, which is neither http nor https".format(
                shown, release_manifest.public_source(place)))
    raise HostError("{0}: could not be downloaded: it led elsewhere more than {1} times".format(shown, _REDIRECTS))


def _origin(place):
    """Return (scheme, host and port) of a URL. Pure."""
    parts = urlsplit(place)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()
