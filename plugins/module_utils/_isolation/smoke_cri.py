# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod through the Container Runtime Interface, with crictl as the client, and its way back.

Fields are those of the CRI's PodSandboxConfig and ContainerConfig (k8s.io/cri-api v1), as crictl 1.26 and later read
them from files. Every pod carries a label that says who made it, so that what a killed run left is found.
"""

from __future__ import annotations

import json
import time

from .._core.errors import HostError

LABEL = "sovereign-region/kata-smoke"
OWNER = "sovereign-region/kata-smoke-owner"
NAME = "kata-smoke"
# What only asks has this many seconds; what starts or stops something has the caller's.
ASK = 30
# crictl ends by itself when its own time is over; when it does not, it is killed a little later.
GRACE = 15
# When all has to end by some time, what stops a pod leaves so many seconds of it, or half, to what removes it.
RESERVE = 30
PAUSE = 1.0


class Cri:
    """crictl, for one endpoint.

    Args:
        host: Host.
        params: options of the module; ``crictl``, ``runtime_endpoint`` and ``timeout`` are used.
        directory: a private directory for the files that crictl reads.
    """

    def __init__(self, host, params, directory):
        self.host = host
        self.timeout = params["timeout"]
        self._directory, self._end = directory, None
        endpoint = params["runtime_endpoint"]
        self._argv = [params["crictl"], "--runtime-endpoint", endpoint, "--image-endpoint", endpoint]

    def call(self, *words, **options):
        """Run crictl and return what it printed. Raises HostError with crictl's own words.

        Args:
            words: its arguments.
            options: ``timeout`` in seconds, ASK when not given; ``changes``, whether it starts or stops something.
        """
        timeout, left = options.get("timeout", ASK), self.left()
        if left is not None:
            if self.is_over():
                raise HostError("{0} {1}: no time is left for it".format(self._argv[0], words[0]))
            timeout = max(1, int(min(timeout, left)))
        argv = self._argv + ["--timeout", "{0}s".format(timeout)] + list(words)
        finished = self.host.run(argv, timeout + GRACE, changes=options.get("changes", False))
        if not finished.ok:
            raise HostError("{0} {1}: {2}".format(self._argv[0], words[0], finished.words()))
        return finished.stdout

    def asked(self, *words):
        """Return what crictl printed as JSON; None when it is none. Raises HostError."""
        try:
            return json.loads(self.call(*words))
        except ValueError:
            return None

    def handlers(self):
        """Return the names of the runtime handlers that the runtime has loaded; None when it does not say."""
        return handler_names(self.asked("info"))

    def has_image(self, image):
        """Whether the image is there; it is never pulled."""
        found = self.asked("images", "--output", "json", image)
        return bool(found and found.get("images"))

    def sandboxes(self, *selectors):
        """Return the sandboxes with those labels, ready or not, as crictl lists them."""
        words = [word for one in selectors for word in ("--label", one)]
        found = self.asked("pods", "--output", "json", *words)
        return (found or {}).get("items") or []

    def containers(self, sandbox):
        """Return the ids of the containers of a sandbox, in whatever state."""
        return self.call("ps", "--all", "--quiet", "--pod", sandbox).split()

    def start_sandbox(self, handler, pod):
        """Start a sandbox with a runtime handler from a PodSandboxConfig; return its id. Raises HostError."""
        path = self._write("pod.json", pod)
        return _identifier(self.call("runp", "--runtime", handler, path, timeout=self.timeout, changes=True))

    def start_container(self, sandbox, pod, container):
        """Start a container in a sandbox from a ContainerConfig; return its id. The image is not pulled."""
        paths = [self._write("container.json", container), self._write("pod.json", pod)]
        printed = self.call("create", "--no-pull", sandbox, *paths, timeout=self.timeout, changes=True)
        identifier = _identifier(printed)
        self.call("start", identifier, timeout=self.timeout, changes=True)
        return identifier

    def execute(self, container, command):
        """Return what a command in a container printed. Raises HostError."""
        return self.call("exec", "--sync", container, *command, timeout=self.timeout, changes=True)

    def namespaces(self, sandbox):
        """Return the paths of the network namespaces of a sandbox, where the runtime tells them."""
        return network_namespaces(self.asked("inspectp", sandbox))

    def remove(self, sandbox):
        """Stop and remove a sandbox with its containers; what is gone already is no error. Raises HostError."""
        problem = None
        for words in (("stopp", sandbox), ("rmp", "--force", sandbox)):
            if problem is not None and self.is_over():
                break
            left, timeout = self.left(), self.timeout
            if left is not None and words[0] == "stopp":
                timeout = min(timeout, max(left - RESERVE, left / 2))
            try:
                self.call(*words, timeout=timeout, changes=True)
                problem = None
            except HostError as error:
                problem = error
        if problem is not None and (self.is_over() or any(one.get("id") == sandbox for one in self.sandboxes())):
            raise problem

    def end_within(self, seconds):
        """From now on all calls together have so many seconds, or what is left of fewer."""
        left = self.left()
        self._end = self.now() + (seconds if left is None else min(seconds, left))

    def left(self):
        """Return the seconds that are left for all calls together; None when there is no end."""
        return None if self._end is None else self._end - self.now()

    def is_over(self):
        """Whether no time is left for another call."""
        return self._end is not None and self.left() < 2 * PAUSE

    def now(self):
        """Return the seconds of a clock that nobody sets."""
        return time.monotonic()

    def pause(self):
        """Wait a moment before looking again."""
        time.sleep(PAUSE)

    def _write(self, name, content):
        path = "{0}/{1}".format(self._directory, name)
        self.host.write_file(path, json.dumps(content, indent=1, sort_keys=True) + "\n", 0o600)
        return path


def pod_config(identifier, owner, annotations, privileged=False):
    """Return a PodSandboxConfig. Pure.

    Args:
        identifier: a name that no other pod has.
        owner: who makes it, as a label's value.
        annotations: mapping, such as those that a CDI specification is asked for with.
        privileged: whether a container in it may be; containerd refuses one in a sandbox that is not.
    """
    return {
        "metadata": {"name": "{0}-{1}".format(NAME, identifier), "uid": identifier, "namespace": NAME, "attempt": 0},
        "hostname": NAME,
        "labels": {LABEL: identifier, OWNER: owner},
        "annotations": dict(annotations),
        "linux": {"security_context": {"namespace_options": {}, "privileged": privileged}},
    }


def container_config(image, devices, privileged):
    """Return a ContainerConfig of a container that waits to be asked. Pure.

    Args:
        image: its name.
        devices: list of mappings of ``node`` and ``cdi``; with a name of CDI the node is not handed over by path.
        privileged: whether it may do everything, in its own kernel.
    """
    return {
        "metadata": {"name": NAME, "attempt": 0},
        "image": {"image": image},
        "command": ["/bin/sh", "-c", "sleep 86400"],
        "CDI_devices": [{"name": one["cdi"]} for one in devices if one["cdi"]],
        "devices": [{"host_path": one["node"], "container_path": one["node"], "permissions": "rwm"}
                    for one in devices if not one["cdi"]],
        "linux": {"security_context": {"privileged": privileged}, "resources": {}},
    }


def handler_names(info):
    """Return the runtime handlers in what ``crictl info`` prints, sorted; None when it names none. Pure.

    containerd prints its configuration (``config.containerd.runtimes``, 1.6 to 2.x); CRI 1.30 and later have
    ``runtimeHandlers``, which CRI-O fills too. The default handler has the empty name there.
    """
    info = info if isinstance(info, dict) else {}
    found = {one.get("name") for one in info.get("runtimeHandlers") or [] if isinstance(one, dict)}
    configuration = info.get("config") if isinstance(info.get("config"), dict) else {}
    runtimes = (configuration.get("containerd") or {}).get("runtimes")
    found |= set(runtimes) if isinstance(runtimes, dict) else set()
    return sorted(one for one in found if one) or None


def network_namespaces(inspected):
    """Return the paths of network namespaces in what ``crictl inspectp`` prints. Pure."""
    info = (inspected or {}).get("info") or {}
    specification = info.get("runtimeSpec") or {}
    spaces = (specification.get("linux") or {}).get("namespaces") or []
    return sorted({one["path"] for one in spaces if one.get("type") == "network" and one.get("path")})


def _identifier(printed):
    words = printed.split()
    if len(words) != 1:
        raise HostError("crictl printed {0!r} where an id was expected".format(printed.strip()[:200]))
    return words[0]
