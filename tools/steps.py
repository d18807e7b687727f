# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of `make test`. To add one, add it to the function of its tier."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import containerd_packages
import kata_material
import kube_apiserver
from machine import debian
from step import CHECKOUT, LOGS, Command, Place, Step

TESTS = CHECKOUT / "tests"
INSIDE = Path("ansible_collections") / "sovereign" / "region"
REGION_LOCK = CHECKOUT / "roles" / "embedded_region" / "files" / "requirements.txt"
# Keystones whose mapping processors judge ours, oldest first; the last is the embedded region's own.
KEYSTONES = ("keystone-27", "keystone-28", "keystone-29", str(REGION_LOCK))
# How many embedded regions run at a time, and what begins first: it must not be what is waited for at the end.
REGIONS = 2
LONGEST = ("test_interruption.py", "test_verbs.py")
CORES = ("2.16", "2.17", "2.18", "2.19")
WITHOUT_ANSIBLE = ("simulator", "plugins/module_utils/_accelerators", "plugins/module_utils/_hardware")
# Where one core is enough, and for everything that runs playbooks.
MAIN = "core-2.19"


def every() -> list[Step]:
    """All steps that this checkout has, in the order in which they start when nothing holds them up."""
    return [*static(), *unit(), *contract(), *machine(), *embedded()]


def static() -> list[Step]:
    """What is judged by reading: linters, sanity, metadata, documentation, what is shipped."""
    steps = [
        Step("artefact", "static", MAIN, _artefact, fast=True),
        Step("ansible-lint", "static", "lint", _ansible_lint, fast=True, after=("artefact",)),
        Step("python-style", "static", "lint", _python_style, fast=True),
        Step("documentation", "static", "lint", _documentation, fast=True, after=("artefact",)),
        Step("repository", "static", MAIN, _repository, fast=True, after=("artefact",)),
        Step("galaxy-importer", "static", "importer", _importer, after=("artefact",)),
    ]
    for core in CORES:
        newest = core == CORES[-1]
        steps.append(Step(f"sanity-{core}", "static", f"core-{core}", _sanity, fast=newest, after=("artefact",)))
    return steps


def unit() -> list[Step]:
    """pytest without services, on every ansible-core that is supported."""
    if not _has_tests(TESTS / "unit"):
        return []
    steps = [Step(f"unit-{core}", "unit", f"core-{core}", _unit(core), fast=core == CORES[-1]) for core in CORES]
    steps.append(Step("units-ansible-test", "unit", MAIN, _ansible_test_units, after=("artefact",)))
    no_root = "" if os.getuid() == 0 else "a Debian trixie root (for Python 3.13) can only be made by root"
    steps.append(Step("unit-2.21-python3.13", "unit", MAIN, _trixie, hindered=no_root))
    return steps


def contract() -> list[Step]:
    """What is generated, judged by the real packages."""
    if not _has_tests(TESTS / "contract"):
        return []
    no_root = "" if os.getuid() == 0 else "a root with Debian's boot loader can only be made by root"
    no_kata = kata_material.hindrance() or ("" if shutil.which("zstd") else "there is no zstd to unpack Kata with")
    return [
        Step("contract", "contract", MAIN, _with_region("tests/contract"), fast=True, others=(str(REGION_LOCK),)),
        Step("mapping", "contract", MAIN, _mapping, fast=True, others=KEYSTONES, limit=2400),
        Step("mapping-mutation", "contract", "mutation", _mapping_mutation, others=KEYSTONES, after=("mapping",),
             limit=3600),
        Step("contract-grub", "contract", MAIN, _grub, hindered=no_root),
        Step("contract-containerd", "contract", MAIN, _containerd, hindered=containerd_packages.hindrance(),
             limit=2400),
        Step("contract-kata", "contract", MAIN, _kata_contract, hindered=no_kata, optional=True),
        # Not every site that runs these tests reaches Go's proxy; the others have it in the cache after the first run.
        Step("contract-kubernetes", "contract", MAIN, _kubernetes, hindered=kube_apiserver.hindrance(), optional=True,
             limit=3600),
    ]


def machine() -> list[Step]:
    """Real kernels: simulated hosts mounted by this machine's, and QEMU machines with devices on a real bus."""
    no_root = "" if os.getuid() == 0 else "only root may mount and make machines"
    no_fuse = no_root or ("" if Path("/dev/fuse").exists() else "this kernel has no FUSE")
    no_machine = debian.hindrance()
    return [
        Step("molecule-machine", "machine", "lint", _molecule_machine, hindered=no_machine, holds="machine",
             limit=3000),
        Step("machine", "machine", MAIN, _machine, hindered=no_machine, holds="machine", limit=3000),
        Step("kata", "machine", MAIN, _kata, hindered=no_machine or kata_material.hindrance(), optional=True,
             holds="machine", limit=3600),
        Step("fuse", "machine", MAIN, _pytest("fuse"), hindered=no_fuse),
    ]


def embedded() -> list[Step]:
    """Modules, roles and playbooks against a real Keystone, Placement and Nova on loopback."""
    steps, lock = [], (str(REGION_LOCK),)
    if (CHECKOUT / "extensions" / "molecule" / "embedded" / "config.yml").is_file():
        steps.append(Step("molecule", "embedded", "lint", _molecule, others=lock, holds="region-0", limit=2400))
    files = sorted((TESTS / "embedded").glob("test_*.py"), key=lambda path: (path.name not in LONGEST, path.name))
    for number, path in enumerate(files):
        name = f"embedded-{path.stem.removeprefix('test_').replace('_', '-')}"
        steps.append(Step(name, "embedded", MAIN, _with_region(f"tests/embedded/{path.name}"), after=("artefact",),
                          others=lock, holds=f"region-{number % REGIONS}", limit=3600))
    return steps


def _has_tests(directory: Path) -> bool:
    return any(directory.rglob("test_*.py"))


def _artefact(place: Place) -> list[Command]:
    return [Command(place.script("artefact.py", what, str(place.work))) for what in ("build", "sources")]


def _in_sources(place: Place, *argv: str) -> Command:
    """A linter, run where the sources lie as a collection does, with no other collection in sight."""
    root = place.work / "sources"
    return Command(list(argv), cwd=root / INSIDE, env={"ANSIBLE_COLLECTIONS_PATH": str(root)})


def _ansible_lint(place: Place) -> list[Command]:
    return [_in_sources(place, place.tool("ansible-lint"), "--offline", "--strict", "--profile", "production")]


def _python_style(place: Place) -> list[Command]:
    return [
        Command([place.tool("ruff"), "check", "--no-cache", "."]),
        # What managed hosts run, and no more: Python 3.9 has no match, slots= or zip(strict=).
        Command([place.tool("vermin"), "--quiet", "--violations", "--no-tips", "-t=3.9-", "plugins"]),
    ]


def _documentation(place: Place) -> list[Command]:
    return [
        _in_sources(place, place.tool("antsibull-docs"), "lint-collection-docs", "--plugin-docs",
                    "--validate-collection-refs=all", "--skip-rstcheck", "."),
        _in_sources(place, place.tool("antsibull-changelog"), "lint"),
        Command(place.script("docs.py", "--check")),
    ]


def _repository(place: Place) -> list[Command]:
    return [Command(place.pytest("tests/repository"), env={"SOVEREIGN_REGION_WORK": str(place.work)})]


def _importer(place: Place) -> list[Command]:
    directory = place.work / "importer"
    directory.mkdir(exist_ok=True)
    return [Command([place.python, "-m", "galaxy_importer.main", str(tarball)], cwd=directory)
            for tarball in place.work.glob("*.tar.gz")]


def _sanity(place: Place) -> list[Command]:
    return [Command(place.script("sanity.py", str(place.work / "artefact")))]


def _pytest(directory: str):
    return lambda place: [Command(place.pytest(f"tests/{directory}"))]


def _ansible_test_units(place: Place) -> list[Command]:
    """The same tests as ansible-test runs them: each in a process of its own, without our settings of pytest."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [_in_sources(place, place.tool("ansible-test"), "units", "--local", "--python", version, "--color", "no")]


def _unit(core: str):
    """Older cores leave out what never touches Ansible: the newest and ansible-test's run have it."""
    left_out = [] if core == CORES[-1] else [f"--ignore=tests/unit/{path}" for path in WITHOUT_ANSIBLE]
    return lambda place: [Command(place.pytest("tests/unit", *left_out))]


def _containerd(place: Place) -> list[Command]:
    return [Command(place.script("containerd_packages.py", *place.pytest("tests/contract/containerd")),
                    env=kata_material.crictl(place.work))]


def _kata_contract(place: Place) -> list[Command]:
    """Configuration of Kata's shims, held against the files in their tarballs and against the Go shim itself."""
    return [Command(place.pytest("tests/contract/kata_config"),
                    env={kata_material.VARIABLE: str(kata_material.location())})]


def _kubernetes(place: Place) -> list[Command]:
    return [Command(place.script("kube_apiserver.py", *place.pytest("tests/contract/kubernetes")))]


def _mapping(place: Place) -> list[Command]:
    """The mapping engine against Keystone's processors; answers are kept, so that only the first run takes minutes."""
    return [Command(place.pytest("tests/contract/mapping"), env=_keystones(place))]


def _mapping_mutation(place: Place) -> list[Command]:
    return [Command(place.script("mapping_mutation.py"), env=_keystones(place))]


def _keystones(place: Place) -> dict[str, str]:
    """Environments with a Keystone each, and where lines for the end of `make test` go."""
    return {"KEYSTONES": os.pathsep.join(map(str, place.others)), "SUMMARY": str(LOGS / f"{place.step}.summary")}


def _grub(place: Place) -> list[Command]:
    return [Command(place.script("grub_root.py", *place.pytest("tests/contract/grub")))]


def _trixie(place: Place) -> list[Command]:
    return [Command(place.script("trixie.py", place.step, "tests/unit"))]


def _region(place: Place) -> dict[str, str]:
    """The variables with which a test finds the region's programs, and the collection as it was built."""
    return {"EMBEDDED_PYTHON": str(place.others[0] / "bin" / "python"), "SOVEREIGN_REGION_WORK": str(place.work)}


def _with_region(path: str):
    return lambda place: [Command(place.pytest(path), env=_region(place))]


def _molecule(place: Place) -> list[Command]:
    return [_scenarios(place, "embedded", _region(place))]


def _molecule_machine(place: Place) -> list[Command]:
    return [_scenarios(place, "machine", _work(place))]


def _machine(place: Place) -> list[Command]:
    return [Command(place.pytest("tests/machine"), env=_work(place))]


def _kata(place: Place) -> list[Command]:
    material = {kata_material.VARIABLE: str(kata_material.location())}
    return [Command(place.pytest("tests/kata"), env={**_work(place), **material})]


def _work(place: Place) -> dict[str, str]:
    """A machine ends by itself when this directory is gone."""
    return {"SOVEREIGN_REGION_WORK": str(place.work)}


def _scenarios(place: Place, tier: str, env: dict[str, str]) -> Command:
    """Molecule's scenarios of one tier: its `default` brings up and down what the others work on."""
    directory = f"extensions/molecule/{tier}"
    return Command(
        [place.tool("molecule"), "-c", f"{directory}/config.yml", "test", "--all"],
        env={**env, "MOLECULE_GLOB": f"{directory}/*/molecule.yml",
             "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections")})
