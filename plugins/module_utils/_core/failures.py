# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exceptions of keystoneauth and requests mean, in our own."""

from __future__ import annotations

from collections import namedtuple

from . import errors
from .replies import error_for

# What messages may say of a session: where it authenticates, the seconds that a reply may take, and a function that
# takes our own secrets out of a text.
Told = namedtuple("Told", "auth_url timeout clean")


def guarded(send, what, url, told):
    """Call ``send`` and turn every exception of the libraries into one of ours.

    Args:
        send: function without arguments.
        what: the request in words.
        url: where it goes.
        told: Told, what the messages may say.
    """
    import keystoneauth1.exceptions as ksa
    import requests.exceptions

    try:
        return send()
    except ksa.DiscoveryFailure as error:
        # keystoneauth guesses a version when Keystone does not answer, and reports the guess: tell the reason.
        cause = error.__context__
        if isinstance(cause, (ksa.ConnectionError, ksa.http.HttpError)):
            raise meaning(cause, what, url, told) from cause
        raise meaning(error, what, url, told) from error
    except (ksa.ClientException, requests.exceptions.RequestException) as error:
        raise meaning(error, what, url, told) from error


def meaning(error, what, url, told):
    """Return our exception for one of the libraries."""
    import keystoneauth1.exceptions as ksa
    import requests.exceptions

    text = told.clean(error)
    # Keystone answers 404 for an application credential that was deleted.
    gone = isinstance(error, ksa.http.NotFound) and "application credential" in text.casefold()
    if gone or isinstance(error, ksa.http.Unauthorized):
        return errors.AuthenticationFailed(
            "{0} refused the credentials ({1}): {2}; check user, password or application credential, "
            "their domain, and whether they have expired".format(
                told.auth_url, error.http_status, told.clean(error.message)
            ),
            error.http_status,
        )
    if isinstance(error, ksa.http.HttpError):
        return error_for("authentication at {0}".format(told.auth_url), error.http_status, text, 0)
    if isinstance(error, ksa.SSLError):
        return errors.TlsFailed(
            "{0}: TLS failed at {1}: {2}; check ca_cert and validate_certs".format(what, url, text)
        )
    if isinstance(error, ksa.ConnectTimeout):
        return errors.ServiceUnreachable(
            "{0}: no reply from {1} within {2:g} s; whether it took effect is not known".format(
                what, url, told.timeout
            )
        )
    if isinstance(error, (ksa.ConnectionError, requests.exceptions.RequestException)):
        return errors.ServiceUnreachable("{0}: the connection failed or was cut: {1}".format(what, text))
    if isinstance(error, ksa.InvalidResponse):
        return errors.ServiceFailed("{0}: the reply holds no token ({1})".format(what, text))
    return errors.CloudConfigError("{0}: {1}".format(what, text))
