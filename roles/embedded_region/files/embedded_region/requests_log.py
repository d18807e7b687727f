# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON line for each request that a service answered: what tests and benchmarks count.

Never a header with a token and never a body: only what is named below.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


class RequestsLog:
    """WSGI middleware that appends to a file after the last byte of each answer was handed out."""

    def __init__(self, application: Any, service: str, path: Path) -> None:
        self.application = application
        self.service = service
        # One write of one line with O_APPEND stays whole, whichever thread it comes from.
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        started = time.monotonic()
        entry = {
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
            "service": self.service,
            "method": environ["REQUEST_METHOD"],
            "path": environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            + ("?" + environ["QUERY_STRING"] if environ.get("QUERY_STRING") else ""),
            "status": 0,
            "user_agent": environ.get("HTTP_USER_AGENT", ""),
            "duration": 0.0,
            "request_id": "",
        }

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            entry["status"] = int(status.split(" ", 1)[0])
            for name, value in headers:
                if name.lower() in ("x-openstack-request-id", "x-compute-request-id"):
                    entry["request_id"] = value
            return start_response(status, headers, *rest)

        try:
            body = self.application(environ, start)
        except BaseException:
            entry["status"] = 500
            self.write(entry, started)
            raise
        return _Body(body, lambda: self.write(entry, started))

    def write(self, entry: dict[str, Any], started: float) -> None:
        entry["duration"] = round(time.monotonic() - started, 4)
        os.write(self.descriptor, (json.dumps(entry) + "\n").encode())


class _Body:
    """Hands a body on and calls back once, when the server closes it."""

    def __init__(self, body: Iterable[bytes], done: Any) -> None:
        self.body = body
        self.done = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            self.done()
