# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a service in Keystone's catalogue, and saying well why it is not there. Imports no library."""

from __future__ import annotations

from . import errors


def endpoint(catalogue, service, interface, region):
    """Return the URL of a service.

    Args:
        catalogue: service catalogue of keystoneauth.
        service: service type, such as ``compute``; its aliases count.
        interface: ``public``, ``internal`` or ``admin``.
        region: name of the region, or None for any.

    Raises:
        ServiceMissing: with the regions that have the service, and the nearest name.
    """
    found = _endpoints(catalogue, service, interface, region)
    if found:
        return found[0].catalog_url
    regions = sorted({str(one.region_name) for one in _endpoints(catalogue, service, interface, None)})
    if not regions:
        raise errors.ServiceMissing("the catalogue has no {0} service ({1} interface)".format(service, interface))
    close = errors.nearest(region, regions)
    raise errors.ServiceMissing(
        "the catalogue has no {0} service in region {1!r}; it has one in: {2}{3}".format(
            service, region, ", ".join(regions), "; did you mean {0!r}?".format(close) if close else ""
        )
    )


def _endpoints(catalogue, service, interface, region):
    found = catalogue.get_endpoints_data(service_type=service, interface=interface, region_name=region)
    return [one for endpoints in found.values() for one in endpoints]
