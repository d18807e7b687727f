# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that one of Kata's shims has and the other has under another name, in another unit, or not at all. Pure.

Source: ``docs/migrating-config-go-runtime-to-runtime-rs.md`` of 4.1.0, held against what the shims parse: a name is
only handed out where the table of the shim has it (``hotplug_vfio_on_root_bus`` is in that document and in 3.32, and no
longer in the code of 4.1).
"""

from __future__ import annotations

# Key of the Go shim, key of runtime-rs, and what else is different for who goes from Go to Rust, and back.
_PAIRS = (
    ("hypervisor.*.seccompsandbox", "hypervisor.*.seccomp_sandbox", "", ""),
    ("hypervisor.*.hypervisor_loglevel", "hypervisor.*.log_level",
     "with a word such as 'info' instead of a number", "with a number from 1 to 3 instead of a word"),
    ("hypervisor.*.hot_plug_vfio", "hypervisor.*.hotplug_vfio_on_root_bus",
     "true or false instead of the name of a port", "the name of a port instead of true or false"),
    ("hypervisor.*.remote_hypervisor_socket", "hypervisor.*.hypervisor_socket", "", ""),
    ("hypervisor.*.remote_hypervisor_timeout", "hypervisor.*.hypervisor_timeout", "", ""),
    ("runtime.guest_selinux_label", "hypervisor.*.selinux_label", "", ""),
    ("runtime.create_container_timeout", "agent.*.create_container_timeout", "also in seconds", "also in seconds"),
    ("runtime.experimental_force_guest_pull", "runtime.experimental", "a list that has 'force_guest_pull'",
     "true instead of 'force_guest_pull' in the list"),
    ("agent.*.dial_timeout", "agent.*.dial_timeout_ms",
     "in milliseconds, and it is the pause between two tries; how long it tries in all, what dial_timeout is, is "
     "reconnect_timeout_ms", "in seconds, and it is how long the shim tries in all"),
    ("agent.*.dial_timeout", "agent.*.reconnect_timeout_ms", "in milliseconds",
     "in seconds: how long the shim tries in all"),
    ("agent.*.cdh_api_timeout", "agent.*.cdh_api_timeout_ms", "in milliseconds instead of seconds",
     "in seconds instead of milliseconds"),
    ("factory.enable_template", "hypervisor.*.factory.enable_template", "", ""),
    ("factory.template_path", "hypervisor.*.factory.template_path", "", ""),
)
# Keys that one shim has and the other takes in another way.
_OTHER_WAYS = {
    "agent.*.policy": "the Go shim takes a policy only as the pod annotation io.katacontainers.config.agent.policy",
    "hypervisor.*.initdata":
        "the Go shim takes initdata only as the pod annotation io.katacontainers.config.hypervisor.cc_init_data",
    "hypervisor.*.enable_numa": "runtime-rs shows the guest no NUMA topology yet; leave it out",
    "hypervisor.*.numa_mapping": "runtime-rs shows the guest no NUMA topology yet; leave it out",
    "factory.vm_cache_number": "runtime-rs has no VM cache; leave it out",
    "factory.vm_cache_endpoint": "runtime-rs has no VM cache; leave it out",
}


def renamed(key, goes_to_rust, table):
    """Return the new name of a key in words, or None.

    Args:
        key: section and key with asterisks, such as ``agent.*.dial_timeout``.
        goes_to_rust: whether the shim that is configured is runtime-rs.
        table: KEYS of that shim.
    """
    for go, rust, to_rust, to_go in _PAIRS:
        old, new, words = (go, rust, to_rust) if goes_to_rust else (rust, go, to_go)
        section, unused, name = new.rpartition(".")
        if old == key and name in table.get(section, {}):
            return "there it is {0} in [{1}]{2}".format(name, section, ", " + words if words else "")
    return None


def other_way(key):
    """Return how else a key that only the other shim has is said, or None."""
    return _OTHER_WAYS.get(key)
