# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several Keystones' answers to a list of cases, asked once and kept by content in the cache of the tools."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cache

ORACLE = Path(__file__).parent / "oracle.py"
# How each Keystone is asked: as it is, and so that nothing depends on a hash seed.
# Order, hash seed, and whether structures are judged as well.
MODES = {"natural": ("natural", "0", "structures"), "ordered": ("ordered", "0", "-")}
# Those of a few corpora, nine files for each.
KEPT = 36


@dataclass(frozen=True)
class Keystone:
    """One release: an environment with its package, and the interpreter that has what it depends on."""

    series: str
    environment: Path
    python: Path

    @property
    def packages(self) -> Path:
        """The directory with the package."""
        return next(self.environment.glob("lib/python*/site-packages"))


def installed() -> list[Keystone]:
    """The Keystones that the step of the tests prepared, oldest first; the region's own is the last."""
    *others, region = map(Path, os.environ["KEYSTONES"].split(os.pathsep))
    python = region / "bin" / "python"
    found = [Keystone(path.name.split("-")[1], path, python) for path in others]
    newest = next(region.glob("lib/python*/site-packages/keystone-*.dist-info"))
    return [*found, Keystone(newest.name.split("-")[1].split(".")[0], region, python)]


def kept() -> Path:
    """Where questions and answers are kept."""
    path = cache.root() / "mapping-answers"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def keep(path: Path, content: bytes) -> None:
    """Writes a file that is never seen half written."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as new:
        new.write(gzip.compress(content, compresslevel=5))
    os.replace(new.name, path)


def answers(questions) -> dict[str, dict[str, dict]]:
    """{series: {mode: what oracle.py writes}} for every Keystone."""
    asked = json.dumps({"cases": questions.cases, "structures": questions.structures}).encode("ascii")
    content = hashlib.sha256(asked).hexdigest()
    wanted = [(keystone, mode) for keystone in installed() for mode in MODES]
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(lambda one: _answer(content, asked, *one), wanted))
    _prune()
    together = {}
    for (keystone, mode), answer in zip(wanted, found):
        together.setdefault(keystone.series, {})[mode] = answer
    return together


def _answer(content: str, asked: bytes, keystone: Keystone, mode: str) -> dict:
    # The environments' names hold the hashes of their locks.
    key = hashlib.sha256("\0".join((content, str(keystone.environment), str(keystone.python), *MODES[mode],
                                    ORACLE.read_text(), (ORACLE.parent / "canonical.py").read_text())).encode())
    path = kept() / f"{keystone.series}-{mode.replace(' ', '-')}-{key.hexdigest()[:32]}.json.gz"
    if not path.exists():
        keep(path, _ask(asked, keystone, *MODES[mode]))
    os.utime(path)
    return json.loads(gzip.decompress(path.read_bytes()))


def _ask(asked: bytes, keystone: Keystone, order: str, seed: str, structures: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        question, answer = Path(directory, "question.json"), Path(directory, "answer.json")
        question.write_bytes(asked)
        done = subprocess.run(
            [keystone.python, "-W", "ignore", str(ORACLE), str(question), str(answer), order, structures],
            cwd=directory,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(keystone.packages)},
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"Keystone {keystone.series} gave no answers\n{done.stderr[-3000:]}")
        return answer.read_bytes()


def _prune() -> None:
    newest_first = sorted(kept().glob("*.json.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[KEPT:]:
        path.unlink(missing_ok=True)
