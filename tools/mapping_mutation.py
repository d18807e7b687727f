# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing of the mapping engine: would Keystone's answers find a small mistake in it?

    tools/mapping_mutation.py [--again]

mutmut changes the engine in one place at a time and asks the part of the corpus that lies in
tests/contract/mapping/mutation/test_answers.py. It wants an ordinary package, so the engine's files are copied into one
outside the clone, with the part of _core that they import. Lines that only make sentences for people, and the trace of
an evaluation, are left as they are: Keystone has neither, and the unit tests hold them.

The result is kept by the content of engine, corpus, answers and tests, so that it is made again only when one of them
changes. Needs KEYSTONES (see tests/contract/mapping/keystones.py); SUMMARY names a file for the last lines.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cache

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "tests"))

from contract.mapping import corpus, keystones, questions

MODULES = CHECKOUT / "plugins" / "module_utils"
TESTS = CHECKOUT / "tests" / "contract" / "mapping"
START = MODULES / "_identity" / "mapping_engine.py"
CASES_EACH, STRUCTURES_EACH = 2500, 600
# Lines that matter to people alone: a text of several words, the trace, and what is called to shorten values in texts.
FOR_PEOPLE = (r'"[^"]* [^"]*"', r"\b(steps?|trace|why|RuleTrace|matched_rules)\b",
              r"\b(brief|listed|nearest|where|_sentence|_shown|_none)\(")
# What the tests must find of the mutants of the rest.
LEAST = 0.9
SETTINGS = """
[tool.mutmut]
source_paths = ["engine"]
pytest_add_cli_args_test_selection = ["tests"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-q"]
only_mutate = {only}
do_not_mutate_patterns = {patterns}
use_git_change_detection = false
timeout_multiplier = 10.0
timeout_constant = 5.0
"""


def engine_files() -> list[Path]:
    """The engine's modules and those that they import, found by following relative imports."""
    found, waiting = [], [START]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        for dots, module in re.findall(r"^from (\.+)([\w.]+) import", path.read_text(encoding="utf-8"), re.M):
            parent = path.parents[len(dots) - 1]
            waiting.append(parent.joinpath(*module.split(".")).with_suffix(".py"))
    return sorted(found)


def fingerprint(files: list[Path], content: dict) -> str:
    """Everything that the score depends on."""
    together = hashlib.sha256(json.dumps([content, SETTINGS, FOR_PEOPLE]).encode("ascii"))
    tests, lock = TESTS / "mutation" / "test_answers.py", CHECKOUT / "requirements" / "mutation.txt"
    others = [tests, TESTS / "canonical.py", lock]
    for path in [*files, *others]:
        together.update(path.read_bytes() + b"\0")
    return together.hexdigest()[:32]


def part_of_the_corpus(asked: questions.Questions) -> dict:
    """As many cases of each kind of answer as there are, up to a number; mixed, so that a mutant meets all soon."""
    newest = list(keystones.answers(asked).values())[-1]
    answers, verdicts = newest["ordered"]["cases"], newest["natural"]["structures"]
    chance, cases = random.Random("mutation"), []
    for version in corpus.VERSIONS:
        kinds = collections.defaultdict(list)
        for number in asked.numbers(version, generated=True):
            kinds[tuple(answers[number][1:]) if answers[number][0] == "refused" else "accepted"].append(number)
        for numbers in kinds.values():
            chance.shuffle(numbers)
        rare = {number for kind, numbers in kinds.items() if kind != "accepted" for number in numbers[:60]}
        chosen = list(rare) + kinds["accepted"][:CASES_EACH - len(rare)]
        cases += [[*asked.case(number), answers[number][:2]] for number in sorted(chosen)]
    structures = []
    for version in corpus.VERSIONS:
        numbers = [number for number, one in enumerate(asked.structures) if one[0] == version]
        refused = [number for number in numbers if verdicts[number]]
        accepted = [number for number in numbers if not verdicts[number]]
        for some in (refused, accepted):
            structures += [[*asked.structures[number], bool(verdicts[number])]
                           for number in chance.sample(some, min(len(some), STRUCTURES_EACH))]
    chance.shuffle(cases)
    chance.shuffle(structures)
    return {"cases": cases, "structures": structures}


def lay_out(work: Path, files: list[Path], content: dict) -> None:
    """The package and its tests as mutmut wants them."""
    for path in files:
        target = work / "engine" / path.relative_to(MODULES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        (target.parent / "__init__.py").touch()
    (work / "engine" / "__init__.py").touch()
    tests = work / "tests"
    tests.mkdir()
    for path in (TESTS / "mutation" / "test_answers.py", TESTS / "canonical.py"):
        shutil.copy(path, tests)
    (tests / "part.json").write_text(json.dumps(content), encoding="ascii")
    own = [f"engine/{path.relative_to(MODULES)}" for path in files if path.parent == START.parent]
    (work / "pyproject.toml").write_text(
        SETTINGS.format(only=json.dumps(own), patterns=json.dumps(FOR_PEOPLE)), encoding="utf-8")


def mutated(work: Path) -> dict:
    """Runs mutmut there and returns counts and what survived."""
    program = str(Path(sys.executable).parent / "mutmut")
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONHASHSEED": "0"}
    started = time.monotonic()
    done = subprocess.run([program, "run", "--max-children", "2"], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.monotonic() - started
    listed = subprocess.run([program, "results", "--all", "true"], cwd=work, env=environment, capture_output=True,
                            text=True, check=False).stdout
    verdicts = dict(re.findall(r"^\s*(\S+__mutmut_\d+): (.+)$", listed, re.M))
    if not verdicts:
        raise SystemExit(f"mapping_mutation: mutmut gave no result\n{done.stdout[-4000:]}")
    alive = sorted(name for name, verdict in verdicts.items() if verdict not in ("killed", "timeout"))
    shown = {name: subprocess.run([program, "show", name], cwd=work, env=environment, capture_output=True, text=True,
                                  check=False).stdout for name in alive}
    return {"verdicts": dict(collections.Counter(verdicts.values())), "seconds": round(seconds), "alive": shown}


def report(result: dict) -> tuple[str, float]:
    """One line, and the share of mutants that the answers find."""
    counts = result["verdicts"]
    # What only the unit tests call, such as the joining of lists into claims.
    elsewhere = counts.get("no tests", 0)
    total = sum(counts.values()) - elsewhere
    found = counts.get("killed", 0) + counts.get("timeout", 0)
    return (f"mutation testing of the mapping engine: {found} of {total} mutants found by Keystone's answers, "
            f"{100 * found / total:.1f} % ({elsewhere} more in code that no answer reaches)"), found / total


def main() -> int:
    """Prints the score, made now unless it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="do not believe what is kept")
    again = parser.parse_args().again
    if "SUMMARY" in os.environ:
        Path(os.environ["SUMMARY"]).unlink(missing_ok=True)
    content, files = part_of_the_corpus(questions.gather()), engine_files()
    kept = cache.root() / "mapping-mutation" / f"{fingerprint(files, content)}.json"
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    if again or not kept.exists():
        with tempfile.TemporaryDirectory(prefix="mapping-mutation-") as directory:
            lay_out(Path(directory), files, content)
            result = mutated(Path(directory))
        kept.write_text(json.dumps(result, indent=1), encoding="utf-8")
    result = json.loads(kept.read_text(encoding="utf-8"))
    for name, diff in result["alive"].items():
        print(name, diff, sep="\n")
    line, share = report(result)
    print(f"{line}; took {result['seconds']} s; kept in {kept}")
    if share < LEAST:
        print(f"less than {LEAST:.0%}: give the corpus what the survivors above differ in")
        return 1
    if os.environ.get("SUMMARY"):
        Path(os.environ["SUMMARY"]).write_text(line + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
