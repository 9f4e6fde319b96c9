"""What went otherwise in a conversation, for whoever wrote it: file and line, what should and what did come, and in what they differ."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pilotbot.sandbox.chatfile import answer_lines
from pilotbot.testing.answers import Difference
from pilotbot.testing.play import Outcome, Played
from pilotbot.testing.wording import printable

GUTTER = 6


def told(outcome: Outcome, *, name: str | None = None) -> str:
    """A conversation that was not as its file says; empty for one that was. `name` is what the file is called."""
    called = name or _relative(outcome.script.path)
    steps = ("\n".join(_step(outcome, played, called)) for played in outcome.played if not played.passed)
    return printable("\n\n".join(steps))


def summary(outcome: Outcome, *, name: str | None = None) -> str:
    """The first thing that went otherwise, in a line."""
    failed = next(played for played in outcome.played if not played.passed)
    what = failed.problem or (failed.differences[0].text if failed.differences else "")
    return printable(f"{name or _relative(outcome.script.path)}:{line_of(outcome, failed)}: {what}")


def line_of(outcome: Outcome, played: Played) -> int:
    """The line of the file that a failure is about."""
    step = played.step
    if step is None:
        return max(1, len(outcome.script.lines))
    if played.differences and step.answers is not None:
        wanted = next((each.expected for each in played.differences if each.expected is not None), None)
        if wanted is not None:
            return step.answers[wanted].line.at
        if step.answers:
            return step.answers[-1].lines[-1].end
    return step.nothing_at or step.at if played.differences else step.at


def _step(outcome: Outcome, played: Played, name: str) -> Iterator[str]:
    lines, step = outcome.script.lines, played.step
    yield f"{name}:{line_of(outcome, played)}: {_head(played)}"
    if step is not None:
        yield from _numbered(lines, step.at, step.end)
    if played.problem is not None:
        yield f"{'':>{GUTTER}}   {played.problem}"
    if step is not None and step.nothing_at is not None and played.differences:
        yield from _numbered(lines, step.nothing_at, step.nothing_at, "-")
    if played.differences:
        yield from _compared(lines, played)


def _compared(lines: Sequence[str], played: Played) -> Iterator[str]:
    """What should come, each with what came in its place; then what came beside."""
    awaited = (played.step.answers or ()) if played.step is not None else ()
    for at, one in enumerate(awaited):
        found = [each for each in played.differences if each.expected == at]
        for line in one.lines:
            yield from _numbered(lines, line.at, line.end, "-" if found else " ")
        yield from _came(played, sorted({each.seen for each in found if each.seen is not None}))
        yield from (_sentence(each) for each in found)
    for difference in played.differences:
        if difference.expected is None:
            yield from _came(played, [difference.seen] if difference.seen is not None else [])
            yield _sentence(difference)


def _head(played: Played) -> str:
    if played.problem is not None:
        return "this could not be done" if not played.problem.startswith("the bot failed") else "the bot failed here"
    kinds = {each.kind for each in played.differences}
    if kinds == {"missing"}:
        return "an answer is missing"
    if kinds == {"extra"}:
        return "the bot said more than it should"
    return "the answers came in another order" if kinds == {"order"} else "the bot answered otherwise"


def _numbered(lines: Sequence[str], first: int, last: int, mark: str = " ") -> Iterator[str]:
    return (f"{number:>{GUTTER}} {mark} {lines[number - 1]}" for number in range(first, last + 1))


def _came(played: Played, places: Sequence[int]) -> Iterator[str]:
    return (f"{'':>{GUTTER}} + {line}" for place in places for line in answer_lines(played.rows[place]))


def _sentence(difference: Difference) -> str:
    return f"{'':>{GUTTER}}   {difference.text}"


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
