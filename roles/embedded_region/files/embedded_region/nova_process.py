# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of Nova in one process: API, conductor, scheduler and one compute for each simulated host.

One process, because oslo.messaging's fake transport passes messages in memory: no broker is needed.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from embedded_region import EmbeddedRegionError, profiles, topology
from embedded_region.layout import Layout
from embedded_region.ports import ADDRESS
from embedded_region.sqlite import serialise_writers


def start(layout: Layout) -> Any:
    """Starts everything and returns the WSGI application; its port opens only when all hosts are there."""
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    serialise_writers()
    hosts = topology.load(layout.topology)
    asked = json.loads(layout.start.read_text(encoding="utf-8"))
    profiles.load(asked["profile"]).install(hosts)

    import os_vif
    from nova import context, objects, service
    from nova.api.openstack import wsgi_app
    from nova.compute import rpcapi
    from nova.objects import host_mapping

    objects.register_all()
    os_vif.initialize()
    application = wsgi_app.init_application("osapi_compute", "nova-api-os-compute")
    for name in ("conductor", "scheduler"):
        service.Service.create(binary=f"nova-{name}", topic=name, host="embedded-control").start()
    # A compute registers its host and GPUs in Placement when it starts, and tries again only after a minute.
    for needed in ("keystone", "placement"):
        _await(f"http://{ADDRESS}:{asked['ports'][needed]}/")
    failures: list[BaseException] = []

    def compute(host: topology.Host) -> None:
        try:
            service.Service.create(binary="nova-compute", topic=rpcapi.RPC_TOPIC, topic_alt=rpcapi.RPC_TOPIC_ALT,
                                   host=host.name).start()
        except BaseException as error:  # whatever it is, the process must not serve without this host
            failures.append(error)

    threads = [threading.Thread(target=compute, args=(host,), name=f"start {host.name}") for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    host_mapping.discover_hosts(context.get_admin_context())
    return application


def _await(url: str, seconds: float = 120) -> None:
    """Until a server answers, with whatever status."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise EmbeddedRegionError(f"{url} does not answer: {error}") from None
            time.sleep(0.1)
        else:
            return
