# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we send about users and groups is what Keystone's own schemas accept, and its tables keep our mark."""

from __future__ import annotations

import json
import os
import subprocess

from ansible_collections.sovereign.region.plugins.module_utils._tenancy import users
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_directory import MARK
from ansible_collections.sovereign.region.plugins.module_utils._tenancy.users_observe import Observed

JUDGE = """
import json, sys
import jsonschema
import keystone.conf
keystone.conf.configure()
from keystone.identity import schema
from keystone.identity.backends import sql_model
shapes = {"POST /users": schema.user_create_request, "PATCH /users": schema.user_update_request,
          "POST /groups": schema.group_create_request_body, "PATCH /groups": schema.group_update_request_body}
answers = []
for kind, body in json.load(sys.stdin):
    try:
        jsonschema.Draft202012Validator(shapes[kind]).validate(body)
        model = sql_model.User if "user" in body else sql_model.Group
        known = dict(body.get("user") or body["group"], id="1")
        known.pop("password", None)
        kept = model.from_dict(known).extra
        answers.append([None, kept])
    except Exception as error:
        answers.append([str(error)[:300], None])
json.dump(answers, sys.stdout)
"""


class Recorder:
    """Takes the requests of a performer and answers as if they had succeeded."""

    def __init__(self):
        self.sent = []

    def created(self, service, path, body, key):
        self.sent.append(["POST " + path, body])
        return {"id": "0" * 32}

    def patch(self, service, path, body):
        self.sent.append(["PATCH " + path.rpartition("/")[0], body])

    def put(self, service, path):
        """A membership has no body."""


def ask(questions):
    """Return [why it is refused or None, what is kept beside the columns] for each [kind, body]."""
    done = subprocess.run([os.environ["EMBEDDED_PYTHON"], "-W", "ignore", "-c", JUDGE], input=json.dumps(questions),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def whole(option, given):
    """Options of one object as Ansible hands them over."""
    return {name: given.get(name, part.get("default")) for name, part in option["options"].items()}


def test_every_request_about_people_is_accepted_and_the_mark_is_kept():
    spec, recorder = users.ARGUMENT_SPEC, Recorder()
    params = {
        "owner": "sovereign.region", "adopt": False, "purge": False, "mappings": [], "pending": [],
        "groups": [whole(spec["groups"], {"name": "crew", "description": "grüße", "members": ["ann"]})],
        "users": [
            whole(spec["users"], {"name": "ann", "description": "a", "email": "ann@example.org", "enabled": False,
                                  "default_project": "p", "password": "Planted-Halibut-7"}),
            whole(spec["users"], {"name": "kept", "email": "", "default_project": "", "enabled": True,
                                  "password": "Planted-Halibut-7", "update_password": "always"})],
    }
    assert users.validate(params) == []
    existing = users.ownership.Existing(
        "1", {"description": "", "email": "x@y", "enabled": False, "default_project": "Default/p"}, True)
    observed = Observed({"Default": "default"}, {}, {"Default/kept": existing}, local={"Default/kept": "1"},
                        projects={"Default/p": "2" * 32})
    perform = users.performer(recorder, params, observed)
    for action in users.decide(params, observed):
        perform(action)
    assert sorted({kind for kind, unused in recorder.sent}) == ["PATCH /users", "POST /groups", "POST /users"]
    answers = ask(recorder.sent)
    assert [why for why, unused in answers if why] == []
    assert all(kept[MARK] == "sovereign.region" for unused, kept in answers)


def test_the_judge_does_refuse():
    wrong = [["POST /users", {"user": {"name": ""}}], ["POST /groups", {"group": {"name": "x" * 256}}],
             ["PATCH /users", {"user": {"enabled": "perhaps"}}], ["PATCH /groups", {"group": {}}]]
    assert [one for one, (why, unused) in zip(wrong, ask(wrong)) if not why] == []
