"""Accept what a bot says now: the `<` lines of a file that differ are written anew, all else stays as it is."""

from collections.abc import Sequence

from pilotbot.contacts import canonical
from pilotbot.sandbox.chatfile import answer_lines
from pilotbot.testing.answers import Answer
from pilotbot.testing.play import Outcome, Played
from pilotbot.testing.script import NAME, PHONE, Awaited, Turn


def accept(outcome: Outcome) -> bool:
    """Write what came into the file, at once or not at all; False, and nothing is written, where a step could not be done.

    Raises:
        OSError: it cannot be written.
    """
    if any(played.problem is not None for played in outcome.played):
        return False
    path = outcome.script.path
    before = path.read_bytes()
    text = updated(outcome)
    if b"\r\n" in before:
        text = text.replace("\n", "\r\n")
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes((b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b"") + text.encode())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


def updated(outcome: Outcome) -> str:
    """The text of the file with the answers that came. Answers that still hold keep their lines, wildcards, alternatives and comments."""
    lines = list(outcome.script.lines)
    for played in reversed(outcome.played):  # from the end, so that the numbers of earlier lines still hold
        if played.differences and played.step is None:
            lines += _left(outcome, played)
        elif played.differences:
            _replace(lines, played)
    return "\n".join([*lines, ""])


def _replace(lines: list[str], played: Played) -> None:
    step = played.step
    if step is None or step.answers is None:
        raise ValueError("a step that expects nothing has no answers to replace")
    if not step.answers:  # `< nothing`, or no line of its own
        first = step.nothing_at or step.end + 1
        lines[first - 1 : first - 1 + bool(step.nothing_at)] = _fresh(played)
        return
    first, last = step.answers[0].line.at, step.answers[-1].lines[-1].end
    lines[first - 1 : last] = _block(lines, step.answers, played) or ["< nothing"]


def _block(lines: Sequence[str], answers: Sequence[Awaited], played: Played) -> list[str]:
    """The answers that came, each with its old lines where one of these still says it; comments between them stay in their order."""
    block: list[str] = []
    at = 0
    written = answers[0].line.at - 1  # lines of the old block that are dealt with
    for row in played.rows:
        answer = Answer.read(row)
        fits = next((each for each in range(at, len(answers)) if answers[each].expected(played.values).accepts(answer)), None)
        if fits is None:
            block += answer_lines(row)
            continue
        for skipped in range(at, fits):
            block += _comments(lines, written, answers[skipped].lines[-1].end)
            written = answers[skipped].lines[-1].end
        block += lines[written : answers[fits].lines[-1].end]
        written, at = answers[fits].lines[-1].end, fits + 1
    return block + _comments(lines, written, answers[-1].lines[-1].end)


def _comments(lines: Sequence[str], first: int, last: int) -> list[str]:
    return [line for line in lines[first:last] if line.startswith("#")]


def _fresh(played: Played) -> list[str]:
    return [line for row in played.rows for line in answer_lines(row)] or ["< nothing"]


def _left(outcome: Outcome, played: Played) -> list[str]:
    """What nobody expected by the end, each chat's under an `@` line of its own where it is not the one that acts there."""
    turns = [step.doing for step in outcome.script.steps if isinstance(step.doing, Turn)]
    known = {canonical(turn.address): turn.name for turn in turns if turn.address} | {canonical(PHONE): NAME}
    current = turns[-1].name if turns else NAME
    lines: list[str] = []
    for row in played.rows:
        name = known.get(canonical(row["contact"]))
        if name is None:
            name = known[canonical(row["contact"])] = str(row["contactName"] or row["contact"])
            lines.append(f"@ {name} {row['contact']}")
        elif name != current:
            lines.append(f"@ {name}")
        current = name
        lines += answer_lines(row)
    return lines
