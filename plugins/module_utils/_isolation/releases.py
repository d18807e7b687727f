# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One release of Kata Containers or several in one call; for ``_core/host_module.py``."""

from __future__ import annotations

from .._core import host_list
from . import release, release_tarball

_SHARED = ("directory", "keep", "verify", "configuration", "ca_path", "url_username", "url_password", "timeout",
           "images", "charts")


def together(items):
    """Return what cannot be right about several releases, a sentence each. Pure."""
    found = []
    for flavour in release_tarball.FLAVOURS:
        current = [index for index, one in enumerate(items) if (one["flavour"], one["state"]) == (flavour, "current")]
        deciding = [index for index, one in enumerate(items)
                    if one["flavour"] == flavour and one["state"] in ("current", "rolled_back")]
        if len(current) > 1:
            found.append("releases: {0} of {1} are to be the current one ({2}); say state=present for the "
                         "others".format(len(current), flavour,
                                         ", ".join("releases[{0}]".format(index) for index in current)))
        elif len(deciding) > 1:
            found.append("releases: {0} of {1} decide which one is current ({2}); say state=current of the one that "
                         "is to be, or go back from one alone".format(
                             len(deciding), flavour, ", ".join("releases[{0}]".format(index) for index in deciding)))
    return found


DOMAIN = host_list.OneOrMany(release, "releases", ("version", "flavour"), _SHARED, together)
