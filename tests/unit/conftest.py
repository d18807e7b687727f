# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of hypothesis for every test here."""

from __future__ import annotations

import os

import hypothesis

# ansible-test hands on no variable of the pipeline; this one is its own.
PIPELINE = os.environ.get("CI") == "true" or "ANSIBLE_CONTROLLER_MIN_PYTHON_VERSION" in os.environ
# A loaded machine is no failure, so there is no deadline. Developers get new examples each time; a pipeline gets the
# same ones, because what it finds must be about the change that it judges. print_blob: so that others can repeat it.
hypothesis.settings.register_profile("region", deadline=None, print_blob=True, derandomize=PIPELINE)
hypothesis.settings.load_profile("region")
