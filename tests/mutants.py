"""Takes guards away one by one and sees whether the tests notice: `make mutants`, or `python -m tests.mutants [WORD ...]` for some.

The list is in `tests.guards`. Each is changed in a private copy of the tree, never in this one; the tests that are closest run first, then
the rest of the engine's, the model among them. One that no test notices is a promise that nobody keeps.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.guards import MUTANTS, ROOT, Mutant, misplaced

COPIED = ("pilotbot", "bots", "flows", "tests", "pyproject.toml", "README.md", "LICENSE")
AT_ONCE = 2
ENOUGH = 120  # seconds for one test
UNNOTICED = "no test notices"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests made of a mutant: `killed` by which test, or why it was not."""

    killed: bool
    by: str
    seconds: float


class Copy:
    """A private copy of the tree, in which one mutant at a time lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in COPIED:
            there = ROOT / name
            if there.is_dir():
                shutil.copytree(there, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif there.exists():
                shutil.copy2(there, folder / name)

    def judge(self, mutant: Mutant) -> Verdict:
        """Run a mutant's tests on it, until the first that fails, and that once more: it might have failed by chance."""
        place, began = self._folder / mutant.path, time.monotonic()
        text = place.read_text("utf-8")
        place.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        by_chance: list[str] = []
        try:
            while True:
                killed, by = self._noticed(*mutant.tests, *(f"--deselect={test}" for test in by_chance))
                if not killed or self._noticed(by)[0]:
                    return Verdict(killed, by, time.monotonic() - began)
                by_chance.append(by)
        finally:
            place.write_text(text, "utf-8")

    def fails(self, tests: Sequence[str]) -> str:
        """What fails with nothing changed; "" where nothing does."""
        _, what = self._noticed(*tests)
        return "" if what == UNNOTICED else what

    def _noticed(self, *arguments: str) -> tuple[bool, str]:
        """Whether a test failed, and which; or why none did."""
        environment = os.environ | {"PYTHONPATH": str(self._folder), "MODEL_EXAMPLES": "120", "MODEL_SEED": "1", "MODEL_SHRINK": "no"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n0",
            "--tb=line",
            "-p",
            "no:cacheprovider",
            f"--timeout={ENOUGH}",
            *arguments,
        ]
        done = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        if failed := re.search(r"^FAILED (.+?)(?: - .*)?$", done.stdout, re.MULTILINE):
            return True, failed[1]
        if done.returncode == 0:
            return False, UNNOTICED
        return False, "broken, not tested: " + (done.stdout + done.stderr).strip().splitlines()[-1]  # such as a script that is no Lua


def main(words: Sequence[str]) -> int:
    """Judge the mutants that all of these words are in; all without words. Returns 1 where one survives."""
    chosen = [mutant for mutant in MUTANTS if all(word in f"{mutant.file} {mutant.guards}" for word in words)]
    began, copies = time.monotonic(), SimpleQueue[Copy]()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(AT_ONCE):
            copies.put(Copy(Path(folder) / str(number)))

        def judged(mutant: Mutant) -> Verdict:
            copy = copies.get()
            try:
                verdict = copy.judge(mutant)
            finally:
                copies.put(copy)
            end = "killed  " if verdict.killed else "SURVIVED"
            _say(f"{end} {mutant.file}: {mutant.guards}  [{verdict.by}, {verdict.seconds:.0f} s]")
            return verdict

        copy = copies.get()
        wrong = copy.fails(sorted({test for mutant in chosen for test in mutant.tests}))
        copies.put(copy)
        if wrong:
            _say(f"with nothing changed a test fails already, so that no mutant can be judged: {wrong}")
            return 1
        verdicts = list(pool.map(judged, chosen))
    survived = sum(not verdict.killed for verdict in verdicts)
    _say(f"{len(verdicts) - survived} of {len(verdicts)} mutants were killed, in {time.monotonic() - began:.0f} s")
    return 1 if survived else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if lost := misplaced():
        sys.exit("\n".join(lost))
    sys.exit(main(sys.argv[1:]))
