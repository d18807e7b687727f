# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generates the pages that have a source elsewhere: role READMEs, pages of modules, and the published schema.

    tools/docs.py           writes what differs
    tools/docs.py --check   writes nothing and fails when something differs

To be run with the Python of an environment that has ansible-core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import docs_modules
import docs_roles

CHECKOUT = Path(__file__).resolve().parent.parent
COLLECTION = "sovereign.region"
# Generators of their own, which know --check as well.
GENERATORS = ("region_schema.py", "mapping_findings.py", "mapping_picture.py")


def ansible_doc(kind: str, names: list[str]) -> dict:
    """What ansible-doc knows about plugins of this checkout, as data."""
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as home:
        variables = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_HOME": home,
        }
        program = Path(sys.executable).with_name("ansible-doc")
        command = [sys.executable, str(program), "--type", kind, "--json", *(f"{COLLECTION}.{name}" for name in names)]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise SystemExit(f"docs: ansible-doc failed\n{done.stderr}")
    return json.loads(done.stdout)


def pages() -> dict[Path, str]:
    """Every generated page and its content."""
    made = {}
    roles = sorted(path.parent.parent.name for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml"))
    for role, text in docs_roles.pages(ansible_doc("role", roles), CHECKOUT).items():
        made[CHECKOUT / "roles" / role / "README.md"] = text
    modules = sorted(path.stem for path in CHECKOUT.glob("plugins/modules/*.py") if path.stem != "__init__")
    for name, text in docs_modules.pages(ansible_doc("module", modules)).items():
        made[CHECKOUT / "docs" / "modules" / name] = text
    return made


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main() -> int:
    """Writes or compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    expected = pages()
    stale = [path for path in CHECKOUT.glob("docs/modules/*.md") if path not in expected]
    different = [path for path, text in expected.items() if _content(path) != text]
    for path in different + stale:
        doing = "out of date" if check else "writing" if path in expected else "removing"
        print(f"{doing}: {path.relative_to(CHECKOUT)}")
        if not check and path in expected:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected[path], encoding="utf-8")
        elif not check:
            path.unlink()
    failed = bool(check and (different or stale))
    for generator in GENERATORS:
        script = CHECKOUT / "tools" / generator
        if script.is_file():
            failed |= subprocess.call([sys.executable, str(script), *(["--check"] if check else [])], cwd=CHECKOUT) != 0
    if failed:
        print("docs: generated pages are out of date; make docs brings them up to date")
    else:
        print(f"docs: {len(expected)} generated pages are up to date")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
