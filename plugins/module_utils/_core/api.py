# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one region of one cloud: retried where that is safe, counted, and with one clear error each."""

from __future__ import annotations

import time

from . import catalogue, errors
from .failures import Told, guarded
from .replies import (
    MICROVERSIONS,
    SAFE_METHODS,
    error_for,
    following_query,
    retry_after,
    rows_of,
    versioned,
)
from .secrets import split

# Waits in seconds between tries when the server names none; their number is the number of retries.
WAITS = (0.5, 1.0, 2.0, 4.0)
# A reply with one of these says that the request was not carried out, so even a POST may be sent again.
NOT_CARRIED_OUT = (429, 503)
# For requests that change nothing a gateway's failure may be tried again too.
TRANSIENT = (429, 500, 502, 503, 504)
# A proxy may redirect once or twice, to https or to a canonical host; more is a loop.
MOST_REDIRECTS = 3


class Cloud:
    """Requests to one region of one cloud.

    Attributes:
        calls: HTTP requests sent so far, retries and authentication included.
        server_time: seconds since the epoch on the server's clock at its last reply, or None.
        agent: who asks, for the servers' logs.
    """

    def __init__(self, session, region, timeout, sleep=time.sleep):
        self.calls = 0
        self.server_time = None
        self.agent = "sovereign.region"
        self._session = session
        self._region = region
        self._timeout = timeout
        self._endpoints = {}
        self._sleep = sleep
        self._count_calls()

    def _count_calls(self):
        http = self._session.session
        send = http.send

        def counted(request, **kwargs):
            self.calls += 1
            kwargs["timeout"] = self._timeout
            return send(request, **kwargs)

        http.send = counted

    # -- who we are -----------------------------------------------------------------------------------------------
    @property
    def region_name(self):
        """The region that requests go to, or None when the cloud names none."""
        return self._region.region_name or None

    @property
    def user_id(self):
        """The id of the user of the token."""
        return self._access().user_id

    @property
    def project_id(self):
        """The id of the project that the token is scoped to, or None."""
        return self._access().project_id

    def require_free_scope(self):
        """Raise CloudConfigError when the credentials are bound to their own project: ask before anything is made."""
        access = self._access()
        if getattr(access, "application_credential_id", None) or "application_credential" in self._methods(access):
            raise errors.CloudConfigError(
                "an application credential is bound to its own project; use a password, or another plugin of Keystone, "
                "where work in another project is asked for"
            )

    def scoped(self, project_id):
        """Return a Cloud of the same user in another project. Its calls count here too.

        Raises:
            CloudConfigError: the credentials are bound to their own project.
        """
        from keystoneauth1 import identity, session

        self.require_free_scope()
        access = self._access()
        url = self._auth_url()
        kind = identity.v3.Token if url.rstrip("/").endswith("/v3") else identity.Token
        ours = self._session
        other = session.Session(
            auth=kind(url, token=access.auth_token, project_id=project_id),
            session=ours.session, verify=ours.verify, cert=ours.cert, redirect=MOST_REDIRECTS,
        )
        cloud = Cloud(other, self._region, self._timeout, self._sleep)
        cloud.agent = self.agent
        return cloud

    @staticmethod
    def _methods(access):
        return ((getattr(access, "_data", None) or {}).get("token") or {}).get("methods") or []

    def _access(self):
        """Return what Keystone says about us. Asking for a token changes nothing: it is tried again like a GET."""
        url = self._auth_url()
        waits = list(WAITS)
        while True:
            try:
                return guarded(self._token, "authentication at {0}".format(url), url, self._told())
            except (errors.ServiceFailed, errors.ServiceUnreachable, errors.RateLimited) as error:
                if not waits:
                    raise
                reply = getattr(error.__cause__, "response", None)
                wait = waits.pop(0)
                self._sleep(wait if reply is None else retry_after(reply.headers, wait))

    def _token(self):
        try:
            return self._session.auth.get_access(self._session)
        except (AttributeError, KeyError, TypeError) as error:
            # keystoneauth trusts a reply with status 200 to be Keystone's.
            raise errors.ServiceFailed(
                "authentication at {0}: the reply holds no token; something else may be listening there".format(
                    self._auth_url()
                )
            ) from error

    def has(self, service):
        """Whether the catalogue has ``service`` in this region."""
        try:
            self._endpoint(service)
        except errors.ServiceMissing:
            return False
        return True

    def elsewhere(self, service):
        """Return the names of the other regions in the catalogue that have ``service``."""
        interface = self._region.get_interface(service) or "public"
        names = catalogue.regions_of(self._access().service_catalog, service, interface)
        return [name for name in names if name != self.region_name] if self.region_name else []

    # -- requests -------------------------------------------------------------------------------------------------
    def get(self, service, path, query=None):
        """Return the decoded reply of a GET."""
        return self.request("GET", service, path, query=query)

    def list(self, service, path, key, query=None):
        """Return every item of a collection, all pages.

        Args:
            service: service type, such as ``identity``.
            path: path below the versioned endpoint, such as ``/projects``.
            key: the collection's name in the reply, such as ``projects``.
            query: mapping of query parameters for the first page.
        """
        items, seen, what = [], [], "GET {0} {1}".format(service, path)
        while True:
            reply = self.request("GET", service, path, query=query)
            rows = rows_of(reply, key, what)
            items.extend(rows)
            if reply.get("truncated"):
                raise errors.CloudError(
                    "{0} cut the list {1} at its list_limit; what it left out cannot be judged: "
                    "raise list_limit in the service".format(service, path)
                )
            # Only the query of the link is used: behind a proxy its host and prefix are often not those of the
            # catalogue, and a token is sent to no other place than the catalogue names.
            query = following_query(reply, key)
            if not query or not rows:
                return items
            if query in seen:
                raise errors.ServiceFailed("{0}: the pages of the list lead in a circle".format(what))
            seen.append(query)

    def any(self, service, path, key, query):
        """Whether the first page of a collection has an item. A reply that is no such list is an error, not a no."""
        reply = self.request("GET", service, path, query=query)
        return bool(rows_of(reply, key, "GET {0} {1}".format(service, path)))

    def post(self, service, path, body=None):
        """Send a POST and return the decoded reply."""
        return self.request("POST", service, path, body)

    def created(self, service, path, body, key):
        """Send a POST that creates an object and return the object, which is below ``key`` in the reply."""
        made = (self.post(service, path, body) or {}).get(key)
        if not isinstance(made, dict) or not made.get("id"):
            raise errors.ServiceFailed(
                "POST {0} {1}: the reply does not say what was created; something else may be listening there".format(
                    service, path
                )
            )
        return made

    def put(self, service, path, body=None):
        """Send a PUT and return the decoded reply."""
        return self.request("PUT", service, path, body)

    def patch(self, service, path, body=None):
        """Send a PATCH and return the decoded reply."""
        return self.request("PATCH", service, path, body)

    def delete(self, service, path):
        """Send a DELETE. An object that is gone already is no error: that is what was asked for."""
        try:
            return self.request("DELETE", service, path)
        except errors.NotFound:
            return None

    def request(self, method, service, path, body=None, query=None):
        """Send one request and return the decoded reply, or None for an empty one.

        Args:
            method: HTTP method.
            service: service type.
            path: path below the versioned endpoint.
            body: object to send as JSON.
            query: query parameters, a mapping or a list of pairs.

        Raises:
            CloudError: one of its children, with the service's own words.
        """
        what = "{0} {1} {2}".format(method, service, path)
        self._access()
        url = self._endpoint(service) + path
        headers = {"Accept": "application/json"}
        if service in MICROVERSIONS:
            headers["OpenStack-API-Version"] = "{0} {1}".format(service, MICROVERSIONS[service])
        waits = list(WAITS)
        while True:
            try:
                reply = guarded(lambda: self._send(method, url, body, query, headers), what, url, self._told())
            except errors.ServiceUnreachable:
                if method not in SAFE_METHODS or not waits:
                    raise
                self._sleep(waits.pop(0))
                continue
            if reply.status_code < 300:
                return self._decoded(reply, what)
            if reply.status_code < 400:
                raise errors.CloudError(
                    "{0}: {1} redirects to {2}, after {3} redirects at most; correct the endpoint in the "
                    "catalogue".format(what, url, reply.headers.get("Location"), MOST_REDIRECTS), reply.status_code
                )
            again = TRANSIENT if method in SAFE_METHODS else NOT_CARRIED_OUT
            if reply.status_code not in again or not waits:
                raise error_for(what, reply.status_code, self._clean(reply.text), len(WAITS) - len(waits))
            wait = waits.pop(0)
            self._sleep(retry_after(reply.headers, wait))

    def _send(self, method, url, body, query, headers):
        reply = self._session.request(
            url,
            method,
            json=body,
            params=query,
            headers=headers,
            authenticated=True,
            raise_exc=False,
            connect_retries=0,
            user_agent=self.agent,
        )
        self._note_time(reply)
        return reply

    def _note_time(self, reply):
        from email.utils import parsedate_to_datetime

        try:
            self.server_time = parsedate_to_datetime(reply.headers["Date"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return

    def _decoded(self, reply, what):
        if not reply.content:
            return None
        try:
            decoded = reply.json()
        except ValueError as error:
            raise errors.ServiceFailed(
                "{0}: the reply is no JSON ({1}); something else may be listening there".format(what, error),
                reply.status_code,
            ) from error
        if not isinstance(decoded, dict):
            raise errors.ServiceFailed("{0}: the reply is no JSON object".format(what), reply.status_code)
        return decoded

    def _clean(self, text):
        """Return a service's words without our own secrets: some echo the request that they refuse."""
        text = str(text)
        secrets = split(self._region.config.get("auth") or {})[0]
        token = getattr(getattr(self._session.auth, "auth_ref", None), "auth_token", None)
        for secret in sorted(secrets | {token or ""}, key=len, reverse=True):
            if secret:
                text = text.replace(secret, "********")
        return text

    def _told(self):
        return Told(self._auth_url(), self._timeout, self._clean)

    def _auth_url(self):
        return (self._region.config.get("auth") or {}).get("auth_url", "an unknown auth_url")

    def _endpoint(self, service):
        """Return the versioned base URL of a service, without a slash at the end."""
        if service not in self._endpoints:
            override = self._region.get_endpoint(service)
            self._endpoints[service] = versioned(service, override or self._from_catalogue(service))
        return self._endpoints[service]

    def _from_catalogue(self, service):
        interface = self._region.get_interface(service) or "public"
        return catalogue.endpoint(self._access().service_catalog, service, interface, self.region_name)
