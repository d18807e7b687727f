# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that an operator can meet: one class for each thing they would do about it."""

from __future__ import annotations

import difflib


class RegionError(Exception):
    """Base of all errors of this collection. The message says what happened and what to do next."""


class DeclarationError(RegionError):
    """What was declared cannot be right. Raised before anything is touched.

    Args:
        problems: one sentence each, with path, value, what was expected and the nearest valid name.
    """

    def __init__(self, problems):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class Refused(RegionError):
    """The change is possible, but not safe now: something is in use, or not ours."""


class NotInEffect(RegionError):
    """A change was accepted, and reading back shows the old state."""


class HostError(RegionError):
    """A host did not do what was asked: the kernel refused, a program failed, a file could not be written.

    Args:
        message: one sentence for the operator.
        number: the errno, or None when there is none.
    """

    def __init__(self, message, number=None):
        self.number = number
        super().__init__(message)


class CloudError(RegionError):
    """An OpenStack service did not do what was asked.

    Args:
        message: one sentence for the operator.
        status: the HTTP status, or None when no reply came.
    """

    def __init__(self, message, status=None):
        self.status = status
        super().__init__(message)


class MissingLibrary(CloudError):
    """openstacksdk is not installed for the interpreter that runs the module."""


class CloudConfigError(CloudError):
    """clouds.yaml, environment or options do not describe a cloud."""


class AuthenticationFailed(CloudError):
    """401: wrong or expired credentials."""


class Forbidden(CloudError):
    """403: the user is known, the policy says no."""


class NotFound(CloudError):
    """404."""


class Conflict(CloudError):
    """409: the object exists already, or somebody changed it meanwhile."""


class RateLimited(CloudError):
    """429, still after the waits that the server asked for."""


class ServiceFailed(CloudError):
    """5xx, still after retries where a retry was safe."""


class ServiceUnreachable(CloudError):
    """No reply: refused, timed out or cut in the middle.

    Whether the request took effect is unknown; the next run observes and goes on.
    """


class TlsFailed(CloudError):
    """The certificate of a service, or ours, was not accepted."""


class ServiceMissing(CloudError):
    """The catalogue has no such service in this region."""


def nearest(value, candidates):
    """Return the candidate that the writer probably meant, or None.

    Args:
        value: what was written.
        candidates: valid names.
    """
    found = difflib.get_close_matches(str(value), [str(c) for c in candidates], n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {str(c).casefold(): str(c) for c in candidates}
    return folded.get(str(value).casefold())


def unknown_name(path, value, kind, candidates):
    """Return the sentence for a name that does not exist.

    Args:
        path: where it was written, such as ``flavors[2].access[0]``.
        value: the name that was written.
        kind: what it should name, such as ``project``.
        candidates: the names that exist.
    """
    names = sorted(str(c) for c in candidates)
    close = nearest(value, names)
    if close:
        hint = "the nearest is {0!r}".format(close)
    elif not names:
        hint = "there is none"
    else:
        hint = "known: {0}{1}".format(", ".join(names[:8]), ", …" if len(names) > 8 else "")
    return "{0}: {1!r} is no {2}; {3}".format(path, value, kind, hint)
