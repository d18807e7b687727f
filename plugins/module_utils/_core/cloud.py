# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One OpenStack session: the only file that imports openstacksdk.

The services are asked directly instead of through the SDK's resource classes: 1,000 projects cost
half a second more as objects, and a call that is not written in this collection is not made.
"""

from __future__ import annotations

import time

from . import errors
from .api import MOST_REDIRECTS, Cloud

DEFAULT_TIMEOUT = 60
# Auth types whose generic form asks Keystone for its versions first, one call more each time.
VERSION_3 = {"password": "v3password", "token": "v3token"}


def connect(params, sleep=time.sleep):
    """Return a Cloud for the authentication options of a module. Nothing is sent yet.

    Args:
        params: mapping with ``cloud``, ``auth``, ``auth_type``, ``region_name``, ``interface``, ``validate_certs``,
            ``ca_cert``, ``client_cert``, ``client_key`` and ``timeout``; each may be None. What is None comes from
            clouds.yaml and the OS_ environment, as openstacksdk reads them.
        sleep: function of seconds that waits between tries.

    Raises:
        MissingLibrary, CloudConfigError
    """
    try:
        import keystoneauth1.exceptions
        import openstack.config
        import openstack.exceptions
        import yaml
        from keystoneauth1 import loading
    except ImportError as error:
        raise errors.MissingLibrary(
            "openstacksdk is missing for this Python ({0}); install it: pip install openstacksdk".format(error)
        ) from error
    cloud = params.get("cloud")
    # Before 4.1 openstacksdk lets the errors of a clouds.yaml that is no YAML pass.
    known = (
        openstack.exceptions.SDKException,
        keystoneauth1.exceptions.ClientException,
        yaml.YAMLError,
        ValueError,
        TypeError,
    )
    options = {key: params[key] for key in ("auth", "auth_type", "region_name", "interface") if params.get(key)}
    options.update(_tls(params))
    try:
        if isinstance(cloud, dict):
            # A cloud given inline stands alone: environment and clouds.yaml must not leak into it.
            config = openstack.config.OpenStackConfig(load_yaml_config=False, load_envvars=False)
            region = config.get_one(**dict(cloud, **options))
        else:
            region = openstack.config.OpenStackConfig().get_one(cloud=cloud, **options)
        session = region.get_session()
        session.auth = _without_version_discovery(region.config, loading) or session.auth
    except known as error:
        raise errors.CloudConfigError(_config_message(cloud, error)) from error
    if not hasattr(session.auth, "get_access"):
        raise errors.CloudConfigError(
            "auth_type {0!r} gives no token and no service catalogue; use password, token, "
            "v3applicationcredential or another plugin of Keystone".format(region.config.get("auth_type"))
        )
    session.redirect = MOST_REDIRECTS
    return Cloud(session, region, _timeout(params, region), sleep)


def _timeout(params, region):
    """Return the seconds that a reply may take: the option, else the cloud's own setting."""
    given = params.get("timeout")
    given = region.config.get("api_timeout") if given is None else given
    try:
        seconds = float(DEFAULT_TIMEOUT if given is None else given)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise errors.CloudConfigError("timeout: {0!r} is no number of seconds above 0".format(given))
    return seconds


def _tls(params):
    """Return the TLS options in the words of openstacksdk."""
    names = {"validate_certs": "verify", "ca_cert": "cacert", "client_cert": "cert", "client_key": "key"}
    return {sdk: params[ours] for ours, sdk in names.items() if params.get(ours) is not None}


def _without_version_discovery(config, loading):
    """Return a Keystone v3 plugin when ``auth_url`` names version 3 anyway, else None."""
    auth = dict(config.get("auth") or {})
    kind = VERSION_3.get(config.get("auth_type") or "password")
    if not kind or not str(auth.get("auth_url", "")).rstrip("/").endswith("/v3"):
        return None
    loader = loading.get_plugin_loader(kind)
    if set(auth) - {option.dest for option in loader.get_options()}:
        return None
    return loader.load_from_options(**auth)


def _config_message(cloud, error):
    name = cloud if isinstance(cloud, str) else "given inline" if cloud else "from the environment"
    return (
        "the cloud {0!r} cannot be used: {1}; looked in OS_CLIENT_CONFIG_FILE, ./clouds.yaml, "
        "~/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml and OS_ variables".format(name, error)
    )
