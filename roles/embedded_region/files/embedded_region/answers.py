# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service really answers over HTTP."""

from __future__ import annotations

import urllib.error
import urllib.request

from embedded_region.ports import ADDRESS

# Cheap to answer and, but for Keystone's, without asking a database.
ROOT_PATHS = {"keystone": "/v3", "placement": "/", "nova": "/", "glance": "/versions", "neutron": "/"}


def answers(port: int, path: str, seconds: float = 5) -> bool:
    """Whether a server answers over HTTP, with anything but a failure of its own."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(urllib.request.Request(
            f"http://{ADDRESS}:{port}{path}", headers={"User-Agent": "embedded-region"}), timeout=seconds).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True
