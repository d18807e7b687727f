# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API server with an etcd of its own on loopback, asked the way kubectl asks it."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

READY_SECONDS = 180
# Where objects live; all others are in /api/v1.
PLACES = {
    "RuntimeClass": "/apis/node.k8s.io/v1/runtimeclasses",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{namespace}/pods",
}
# What kubectl sends for --dry-run=server --validate=strict.
STRICT = "fieldValidation=Strict"
DRY_RUN = STRICT + "&dryRun=All"


class Denied(Exception):
    """The API server did not take it.

    Attributes:
        status: HTTP status.
        message: what it says.
    """

    def __init__(self, status, message):
        self.status, self.message = status, message
        super().__init__(f"{status}: {message}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ApiServer:
    """Started by `with`; ends with it, and with this process."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.token, self.port, self.context, self.running = secrets.token_hex(16), free_port(), None, []

    def __enter__(self):
        etcd = f"http://127.0.0.1:{free_port()}"
        peer = f"http://127.0.0.1:{free_port()}"
        key = self.folder / "sa.key"
        key.write_bytes(rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()))
        (self.folder / "tokens.csv").write_text(f"{self.token},admin,1,system:masters\n", encoding="utf-8")
        self._start("etcd", f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={etcd}",
                    f"--advertise-client-urls={etcd}", f"--listen-peer-urls={peer}",
                    f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}", "--unsafe-no-fsync")
        self._start("kube-apiserver", f"--etcd-servers={etcd}", "--bind-address=127.0.0.1",
                    "--advertise-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={self.folder}",
                    "--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount",
                    f"--token-auth-file={self.folder / 'tokens.csv'}", "--service-account-issuer=https://localhost",
                    f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}")
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        for child in reversed(self.running):
            child.terminate()
        for child in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            child.kill()
            child.wait()

    def _start(self, name, *arguments):
        with open(self.folder / f"{name}.log", "wb") as log:
            # Whatever becomes of the tests, the servers go with them.
            self.running.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(self.programs / name), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _wait(self):
        end = time.monotonic() + READY_SECONDS
        certificate = self.folder / "apiserver.crt"
        while time.monotonic() < end and all(child.poll() is None for child in self.running):
            if certificate.exists() and not self.context:
                with contextlib.suppress(ssl.SSLError):
                    self.context = ssl.create_default_context(cafile=str(certificate))
            with contextlib.suppress(OSError, Denied):
                if self.context and self.request("GET", "/readyz") == "ok":
                    return
            time.sleep(0.3)
        logs = "\n".join((self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                         for name in ("etcd", "kube-apiserver"))
        raise RuntimeError(f"the API server is not ready:\n{logs}")

    def request(self, method, path, body=None, content="application/json"):
        """What the server answers: data, or text where it is none. Denied for everything from 400 on."""
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content})
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as reply:
                text = reply.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            with contextlib.suppress(ValueError, KeyError):
                text = json.loads(text)["message"]
            raise Denied(error.code, text) from None
        return json.loads(text) if text.startswith("{") else text

    def create(self, body, namespace="default", query=STRICT):
        """What becomes of an object that is created."""
        place = PLACES[body["kind"]].format(namespace=namespace)
        return self.request("POST", f"{place}?{query}", body)

    def try_out(self, body, namespace="default"):
        """What would become of it: a dry run."""
        return self.create(body, namespace, DRY_RUN)

    def apply(self, body):
        """Server-side apply, as `kubectl apply --server-side` does it."""
        path = f"{PLACES[body['kind']]}/{body['metadata']['name']}?fieldManager=test&force=true&{STRICT}"
        return self.request("PATCH", path, body, "application/apply-patch+yaml")

    def patch(self, kind, name, body, namespace="default"):
        """A merge patch."""
        path = f"{PLACES[kind].format(namespace=namespace)}/{name}?{STRICT}"
        return self.request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, kind, name, namespace="default"):
        return self.request("DELETE", f"{PLACES[kind].format(namespace=namespace)}/{name}")
