# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options with which every OpenStack module finds its cloud; AUTH_SPEC in _core/cloud_module.py mirrors them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  cloud:
    description:
      - The name of a cloud in C(clouds.yaml), or a mapping with the content of such an entry.
      - Without it, the environment variable E(OS_CLOUD) names the cloud, and without that
        the C(OS_*) variables or O(auth) describe it, as for every user of openstacksdk.
    type: raw
  auth:
    description:
      - What the authentication plugin needs, such as V(auth_url), V(username), V(password) and V(project_name),
        or V(application_credential_id) and V(application_credential_secret).
      - Prefer C(clouds.yaml) with application credentials.
    type: dict
  auth_type:
    description: The authentication plugin, such as V(password), V(token) or V(v3applicationcredential).
    type: str
  region_name:
    description: The region in the service catalogue.
    type: str
  interface:
    description: Which endpoints of the service catalogue to use. Without it, those that the cloud's entry names.
    type: str
    choices: [public, internal, admin]
  validate_certs:
    description: Whether the certificates of the services are verified.
    type: bool
  ca_cert:
    description: The path of a bundle of certificate authorities to verify the services with.
    type: str
  client_cert:
    description: The path of a client certificate.
    type: str
  client_key:
    description: The path of the client certificate's key.
    type: str
  timeout:
    description: How many seconds a service may take for one request.
    type: int
requirements:
  - openstacksdk >= 4.0.1
notes:
  - Runs where it can reach the OpenStack API, usually on the controller.
"""
