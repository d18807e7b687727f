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
        CloudConfigError: no region is named, and there are several.
    """
    found = _endpoints(catalogue, service, interface, region)
    names = regions_of(catalogue, service, interface)
    # One Keystone often serves all regions at one address: then there is nothing to choose.
    if not region and len(names) > 1 and len({one.catalog_url for one in found}) > 1:
        raise errors.CloudConfigError(
            "the catalogue has the {0} service in several regions; name one of them with region_name: {1}".format(
                service, ", ".join(names)
            )
        )
    if found:
        return found[0].catalog_url
    regions = names
    if not regions:
        raise errors.ServiceMissing("the catalogue has no {0} service ({1} interface)".format(service, interface))
    close = errors.nearest(region, regions)
    raise errors.ServiceMissing(
        "the catalogue has no {0} service in region {1!r}; it has one in: {2}{3}".format(
            service, region, ", ".join(regions), "; did you mean {0!r}?".format(close) if close else ""
        )
    )


def regions_of(catalogue, service, interface):
    """Return the names of the regions that have a service."""
    return sorted({str(one.region_name) for one in _endpoints(catalogue, service, interface, None)})


def _endpoints(catalogue, service, interface, region):
    found = catalogue.get_endpoints_data(service_type=service, interface=interface, region_name=region)
    return [one for endpoints in found.values() for one in endpoints]
