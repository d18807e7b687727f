# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter: what is rendered, and mistakes as errors that Ansible shows."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sovereign.region.plugins.filter.kata_kubernetes import FilterModule, kata_kubernetes

DECLARED = {"kubernetes": "1.34", "namespaces": ["tenant-a"], "handlers": [{"name": "kata-qemu-runtime-rs"}]}


def test_it_is_known_by_its_name():
    assert FilterModule().filters() == {"kata_kubernetes": kata_kubernetes}


def test_it_renders():
    assert [one["kind"] for one in kata_kubernetes(DECLARED)["manifests"]][:2] == [
        "RuntimeClass", "ValidatingAdmissionPolicy"]


def test_mistakes_are_shown_all_at_once():
    with pytest.raises(AnsibleFilterError) as caught:
        kata_kubernetes({"kubernetes": "1.34", "handlers": [{"nam": "kata-qemu"}, {}]})
    assert "nearest: 'name'" in str(caught.value)
    assert "handlers[1].name: missing" in str(caught.value)


def test_what_ansible_hands_over_is_plain_data():
    class Text(str):
        """As ansible-core wraps what it has read."""

    wrapped = {Text("kubernetes"): Text("1.34"), Text("handlers"): [{Text("name"): Text("kata-qemu")}]}
    rendered = kata_kubernetes(wrapped)
    assert type(rendered["manifests"][0]["metadata"]["name"]) is str
