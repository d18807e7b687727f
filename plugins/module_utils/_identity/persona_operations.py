# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators ask about when they ask who may do what: one operation a line.

Each line: name, what it is in words, the rules that must all allow it, the kinds of thing that it is asked about
(``own`` and ``other`` mostly; ``any`` where the thing belongs to nobody), and what the target is told besides.
"""

from __future__ import annotations

BOTH = ("own", "other")
# Keystone answers a domain-scoped caller with what is in that domain only, whatever policy would allow:
# keystone/api/{users,projects,domains,role_assignments}.py 30.0.0.
FILTERED = ("own", "filtered")
MINE = ("self", "own", "other")
ANY = ("any",)
OWN = ("own",)

KEYSTONE = (
    ("list_users", "List users", ("identity:list_users",), FILTERED, {}),
    ("create_user", "Create a user", ("identity:create_user",), BOTH, {}),
    ("update_user", "Change a user, such as the password", ("identity:update_user",), MINE, {}),
    ("delete_user", "Delete a user", ("identity:delete_user",), BOTH, {}),
    ("create_group", "Create a group", ("identity:create_group",), BOTH, {}),
    ("add_user_to_group", "Put a user into a group", ("identity:add_user_to_group",), BOTH, {}),
    ("list_projects", "List projects", ("identity:list_projects",), FILTERED, {}),
    ("create_project", "Create a project", ("identity:create_project",), BOTH, {}),
    ("delete_project", "Delete a project", ("identity:delete_project",), BOTH, {}),
    ("create_domain", "Create a domain", ("identity:create_domain",), ANY, {}),
    ("list_domains", "List domains", ("identity:list_domains",), FILTERED, {}),
    ("grant_member", "Give away the role member", ("identity:create_grant",), BOTH, {}),
    ("grant_admin", "Give away the role admin", ("identity:create_grant",), BOTH, {"target.role.name": "admin"}),
    ("revoke_member", "Take away the role member", ("identity:revoke_grant",), BOTH, {}),
    ("list_role_assignments", "List role assignments", ("identity:list_role_assignments",), FILTERED, {}),
    ("create_role", "Create a role", ("identity:create_role",), ANY, {}),
    ("create_application_credential", "Create an application credential for oneself",
     ("identity:create_application_credential",), ("self", "other"), {}),
    ("list_application_credentials", "List a user's application credentials",
     ("identity:list_application_credentials",), MINE, {}),
    ("list_identity_providers", "List identity providers", ("identity:list_identity_providers",), ANY, {}),
    ("create_identity_provider", "Create an identity provider", ("identity:create_identity_provider",), ANY, {}),
    ("create_mapping", "Create a mapping", ("identity:create_mapping",), ANY, {}),
    ("create_registered_limits", "Set a limit for every project", ("identity:create_registered_limits",), ANY, {}),
    ("create_endpoint", "Change the catalogue", ("identity:create_endpoint",), ANY, {}),
)

_SERVERS = "os_compute_api:servers:"
NOVA = (
    ("create_server", "Create a server", (_SERVERS + "create",), OWN, {}),
    ("create_server_on_host", "Create a server on a host by name",
     (_SERVERS + "create", _SERVERS + "create:forced_host"), OWN, {}),
    ("list_servers", "List the project's servers", (_SERVERS + "index",), OWN, {}),
    ("list_all_servers", "List the servers of all projects", (_SERVERS + "index:get_all_tenants",), ANY, {}),
    ("show_server", "Show a server", (_SERVERS + "show",), BOTH, {}),
    ("stop_server", "Stop a server", (_SERVERS + "stop",), BOTH, {}),
    ("delete_server", "Delete a server", (_SERVERS + "delete",), BOTH, {}),
    ("console_output", "Read a server's console log", ("os_compute_api:os-console-output",), BOTH, {}),
    ("instance_actions", "See what was done to a server", ("os_compute_api:os-instance-actions:list",), BOTH, {}),
    ("migrate", "Migrate a server", ("os_compute_api:os-migrate-server:migrate",), BOTH, {}),
    ("live_migrate", "Live-migrate a server", ("os_compute_api:os-migrate-server:migrate_live",), BOTH, {}),
    ("live_migrate_to_host", "Live-migrate a server to a host by name",
     ("os_compute_api:os-migrate-server:migrate_live", "os_compute_api:os-migrate-server:migrate_live:host"), BOTH, {}),
    ("evacuate", "Evacuate a server from a dead host", ("os_compute_api:os-evacuate",), BOTH, {}),
    ("create_keypair", "Create a key pair", ("os_compute_api:os-keypairs:create",), ("self", "other"), {}),
    ("list_flavors", "List flavors and their extra specs", ("os_compute_api:os-flavor-extra-specs:index",), ANY, {}),
    ("create_flavor", "Create a flavor", ("os_compute_api:os-flavor-manage:create",), ANY, {}),
    ("flavor_access", "Give a project access to a flavor", ("os_compute_api:os-flavor-access:add_tenant_access",), ANY,
     {}),
    ("list_hypervisors", "List hypervisors", ("os_compute_api:os-hypervisors:list-detail",), ANY, {}),
    ("list_services", "List compute services", ("os_compute_api:os-services:list",), ANY, {}),
    ("disable_service", "Disable a compute service", ("os_compute_api:os-services:update",), ANY, {}),
    ("create_aggregate", "Create a host aggregate", ("os_compute_api:os-aggregates:create",), ANY, {}),
    ("show_quota", "Show a project's quota", ("os_compute_api:os-quota-sets:show",), BOTH, {}),
    ("update_quota", "Change a project's quota", ("os_compute_api:os-quota-sets:update",), BOTH, {}),
    ("usage_of_all", "See the usage of all projects", ("os_compute_api:os-simple-tenant-usage:list",), ANY, {}),
)

PLACEMENT = (
    ("list_providers", "List resource providers", ("placement:resource_providers:list",), ANY, {}),
    ("create_provider", "Create a resource provider", ("placement:resource_providers:create",), ANY, {}),
    ("update_inventory", "Change an inventory", ("placement:resource_providers:inventories:update",), ANY, {}),
    ("list_traits", "List traits", ("placement:traits:list",), ANY, {}),
    ("create_trait", "Create a trait", ("placement:traits:update",), ANY, {}),
    ("allocation_candidates", "Ask where something would fit", ("placement:allocation_candidates:list",), ANY, {}),
    ("project_usage", "See what a project uses", ("placement:usages",), BOTH, {}),
)

GLANCE = (
    ("list_images", "List images", ("get_images",), OWN, {}),
    ("create_image", "Create an image", ("add_image",), OWN, {}),
    ("create_public_image", "Create a public image", ("add_image", "publicize_image"), OWN, {}),
    ("create_community_image", "Create a community image", ("add_image", "communitize_image"), OWN, {}),
    ("show_image", "Show a private image", ("get_image",), BOTH, {}),
    ("download_image", "Download a private image", ("download_image",), BOTH, {}),
    ("download_public_image", "Download a public image", ("download_image",), BOTH, {"visibility": "public"}),
    ("update_image", "Change an image", ("modify_image",), BOTH, {}),
    ("delete_image", "Delete an image", ("delete_image",), BOTH, {}),
    ("share_image", "Share an image with a project", ("add_member",), BOTH, {}),
    ("deactivate_image", "Stop downloads of an image", ("deactivate",), BOTH, {}),
)

# The attribute has its old name in the API still.
_SHARE = ("create_rbac_policy", "create_rbac_policy:target_tenant")
NEUTRON = (
    ("create_network", "Create a network", ("create_network",), BOTH, {}),
    ("create_shared_network", "Create a network for all projects", ("create_network", "create_network:shared"), OWN,
     {}),
    ("create_external_network", "Create an external network", ("create_network", "create_network:router:external"), OWN,
     {}),
    ("create_provider_network", "Create a network on a VLAN by number",
     ("create_network", "create_network:provider:segmentation_id"), OWN, {}),
    ("show_network", "Show a network", ("get_network",), BOTH, {}),
    ("delete_network", "Delete a network", ("delete_network",), BOTH, {}),
    ("create_router", "Create a router", ("create_router",), BOTH, {}),
    ("create_floatingip", "Create a floating IP", ("create_floatingip",), BOTH, {}),
    ("create_security_group_rule", "Open a port in a security group", ("create_security_group_rule",), BOTH, {}),
    ("create_rbac_policy", "Share something with a project", _SHARE, BOTH, {"target_tenant": "another-project"}),
    ("share_with_all", "Share something with all projects", _SHARE, BOTH, {"target_tenant": "*"}),
    ("see_segmentation", "See a network's VLAN or tunnel number",
     ("get_network", "get_network:provider:segmentation_id"), BOTH, {}),
    # Neutron asks these about the caller's project, whichever is meant: neutron/extensions/quotasv2.py 29.0.0.
    ("show_network_quota", "Show any project's network quota", ("get_quota",), ANY, {}),
    ("update_network_quota", "Change any project's network quota", ("update_quota",), ANY, {}),
)

OPERATIONS = {"keystone": KEYSTONE, "nova": NOVA, "placement": PLACEMENT, "glance": GLANCE, "neutron": NEUTRON}
