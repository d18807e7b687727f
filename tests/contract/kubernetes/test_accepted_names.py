# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever our schema accepts, Kubernetes' API server accepts: our rules for names and amounts are no looser."""

from __future__ import annotations

from ansible_collections.sovereign.region.plugins.module_utils._core.errors import DeclarationError
from ansible_collections.sovereign.region.plugins.module_utils._isolation import kubernetes, kubernetes_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def text(schema):
    """Texts that a part of the schema accepts, as far as length goes too."""
    found = st.from_regex(schema["pattern"], fullmatch=True).filter(lambda one: "\n" not in one)
    return found.filter(lambda one: len(one) <= schema.get("maxLength", 253))


NAME, POOL = text(kubernetes_schema.LABEL_NAME), text(kubernetes_schema.POOL_NAME)
OVERHEAD = st.fixed_dictionaries({"memory": text(kubernetes_schema.MEMORY), "cpu": text(kubernetes_schema.CPU)})


@st.composite
def declarations(draw):
    """A declaration with names and amounts from the edges of what is allowed."""
    pools = [{"name": name, "model": "MI300X", "vendor": "amd", "count": draw(st.integers(1, 256)),
              "resource": draw(text(kubernetes_schema.RESOURCE))}
             for name in draw(st.lists(POOL, max_size=2, unique=True))]
    handlers = [{"name": name, "overhead": draw(OVERHEAD), "handler": draw(NAME),
                 "pool": draw(st.sampled_from([None, *(one["name"] for one in pools)]))}
                for name in draw(st.lists(NAME, min_size=1, max_size=3, unique=True))]
    return {
        "kubernetes": "1.36", "handlers": handlers, "pools": pools,
        "namespaces": draw(st.lists(NAME, max_size=3, unique=True)),
        "annotations": draw(st.lists(text(kubernetes_schema.ANNOTATION), max_size=3, unique=True)),
        "nodes": [{"name": draw(text(kubernetes_schema.OBJECT_NAME)), "pool": one["name"]} for one in pools],
    }


@SLOW
@given(declarations())
def test_what_we_take_is_taken(api, declared):
    try:
        rendered = kubernetes.render(declared)
    except DeclarationError:
        return
    for one in rendered["manifests"]:
        # Beside what other tests have created there.
        one["metadata"]["name"] = "t" + one["metadata"]["name"][1:]
        try_out(api, one)
    for name, node in rendered["nodes"].items():
        api.try_out({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": node["labels"]},
                     "spec": {"taints": node["taints"]}})
    for number, limits in enumerate(rendered["resources"].values()):
        annotations = dict.fromkeys(declared["annotations"], "x")
        api.try_out({"apiVersion": "v1", "kind": "Pod",
                     "metadata": {"name": "pod-{0}".format(number), "annotations": annotations},
                     "spec": {"containers": [{"name": "a", "image": "b", "resources": {"limits": limits}}]}})


def try_out(api, manifest):
    """A dry run; the class itself may be a debugging one, which other tests' policies deny."""
    if manifest["kind"] != "RuntimeClass" or not manifest["metadata"]["name"].endswith(("-debug", "-devkit")):
        api.try_out(manifest)
