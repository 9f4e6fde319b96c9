"""What a contact sees of a bot's messages, what was expected of them, and where the two differ: plain values, no I/O."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from pilotbot.testing.wording import differs_at, matches, pieces

Kind = Literal["missing", "extra", "order", "mode", "wording", "options", "template", "variables", "media"]

SHOWN = 60  # characters of a text in a sentence

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One message of the bot as the contact sees it.

    Attributes:
        mode: how it went: `text`, `buttons`, `list`, `carousel`, `flow`, `media` or `template`.
        text: its body; empty where it has none.
        options: the labels that can be tapped, in order.
        template: the template's name, where it went as one.
        variables: the template's variables.
        media_kind: `image`, `video`, `document`, `audio`, `voice` or `sticker`, also where it stands above the text; else None.
        media_url: where that file is.
        caption: the text under a file.
        header: a line of text above the body.
        footer: a line below it.
        id: the platform's id of the message.
        status: `QUEUED`, `SENT`, `DELIVERED`, `READ`, `FAILED` or `CANCELED`.
        error_code: why it failed.
        created_at: when it was sent, in business time.
    """

    mode: str
    text: str = ""
    options: tuple[str, ...] = ()
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    media_kind: str | None = None
    media_url: str | None = None
    caption: str | None = None
    header: str | None = None
    footer: str | None = None
    id: str = ""
    status: str = "DELIVERED"
    error_code: str | None = None
    created_at: datetime | None = None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """The answer that a message row of the sandbox shows."""
        header = row["header"] or {}
        on_top = header.get("type", "text") != "text"
        created = row["createdAt"]
        return cls(
            mode=row["mode"],
            text=row["text"] or "",
            options=tuple(str(button["label"]) for button in row["buttons"]),
            template=row["template"],
            variables={str(name): str(value) for name, value in (row["variables"] or {}).items()},
            media_kind=header["type"] if on_top else row["type"] if row["media"] else None,
            media_url=header.get("content") if on_top else row["media"],
            caption=row["caption"],
            header=None if on_top else header.get("content"),
            footer=row["footer"],
            id=row["id"],
            status=row["status"],
            error_code=row["errorCode"],
            created_at=datetime.fromisoformat(created) if created else None,
        )

    @property
    def wording(self) -> str:
        """All that there is to read: header, body or caption, footer."""
        return "\n\n".join(part for part in (self.header, self.text or self.caption, self.footer) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    r"""What one message should be. What is None is not looked at.

    Attributes:
        text: what it says, `*` standing for any text and `\*` for a star.
        mode: how it goes, as `Answer.mode`; `free` is any way but as a template.
        options: the labels, exactly these in this order, with `*` as in `text`.
        template: the template's name.
        variables: those of the template's variables that are looked at, with `*` as in `text`.
        media_kind: what kind of file comes with it; empty for none.
        alternatives: what it may be instead.
    """

    text: str | None = None
    mode: str | None = None
    options: tuple[str, ...] | None = None
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    media_kind: str | None = None
    alternatives: tuple["Expected", ...] = ()

    def accepts(self, answer: Answer) -> bool:
        """Whether an answer is this, or one of the alternatives."""
        return any(next(_faults(way, answer), None) is None for way in self.ways)

    @property
    def ways(self) -> tuple["Expected", ...]:
        """This and the alternatives."""
        return (self, *self.alternatives)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which what was seen is not what was expected.

    Attributes:
        kind: which sort of difference.
        text: a sentence that says it.
        expected: the place of what was expected in its list, from 0; None for an answer that nothing expects.
        seen: the place of the answer in its list, from 0; None for an answer that is missing.
    """

    kind: Kind
    text: str
    expected: int | None = None
    seen: int | None = None


def compare(expected: Sequence[Expected], seen: Sequence[Answer]) -> list[Difference]:
    """Name everything in which the answers differ from what was expected: the same number, in the same order, each as it should be."""
    if len(expected) == len(seen) and all(map(Expected.accepts, expected, seen)):
        return []
    if len(expected) == len(seen) and (order := _permuted(expected, seen)):
        came = ", ".join(f"{place + 1}" for place in order)
        return [Difference("order", f"these answers came in another order: {came}", 0, order[0])]
    return [difference for pair in _aligned(expected, seen) for difference in _of_pair(expected, seen, *pair)]


def _of_pair(expected: Sequence[Expected], seen: Sequence[Answer], wanted: int | None, came: int | None) -> Iterator[Difference]:
    """The differences of one expectation and one answer, either of which may be None."""
    if wanted is None and came is not None:
        yield Difference("extra", f"an answer that nothing expects: {describe(seen[came])}", None, came)
    elif wanted is not None and came is None:
        yield Difference("missing", "this answer did not come", wanted, None)
    elif wanted is not None and came is not None and not expected[wanted].accepts(seen[came]):
        closest = max(expected[wanted].ways, key=lambda way: _common(way, seen[came]))
        for kind, text in _faults(closest, seen[came]):
            yield Difference(kind, text, wanted, came)


def _faults(wanted: Expected, answer: Answer) -> Iterator[tuple[Kind, str]]:
    """In what an answer is not what was expected, each with a sentence."""
    went = _went(answer)
    if wanted.template is not None and answer.template != wanted.template:
        yield "template", f"it should go as the template {wanted.template}, but went as {went}"
    elif wanted.mode == "free" and answer.mode == "template":
        yield "mode", f"it should not go as a template, but went as {went}"
    elif wanted.mode not in {None, "free", answer.mode}:
        yield "mode", f"it should go as {wanted.mode}, but went as {went}"
    if wanted.media_kind is not None and wanted.media_kind != (answer.media_kind or ""):
        yield "media", f"{_a(wanted.media_kind)} should come with it, but {_a(answer.media_kind or '')} came"
    if wanted.text is not None and not _says(wanted.text, answer):
        yield "wording", _leaves(wanted.text, answer)
    if wanted.options is not None and not _offers(wanted.options, answer.options):
        yield "options", _options_differ(wanted.options, answer.options)
    for name, value in wanted.variables.items():
        if name not in answer.variables:
            yield "variables", f"its variable {name} is not there"
        elif not matches(value, answer.variables[name]):
            yield "variables", f"its variable {name} should be {short(value)}, but is {short(answer.variables[name])}"


def _says(pattern: str, answer: Answer) -> bool:
    body = answer.text or answer.caption or ""
    return matches(pattern, body) or (answer.wording != body and matches(pattern, answer.wording))


def _leaves(pattern: str, answer: Answer) -> str:
    should, does = differs_at(pattern, answer.text or answer.caption or "")
    if not does:
        return f"it ends where {short(should)} should follow"
    return f"it goes on with {short(does)} where {short(should)} should stand" if should else f"it should end before {short(does)}"


def _offers(wanted: Sequence[str], labels: Sequence[str]) -> bool:
    return len(wanted) == len(labels) and all(map(matches, wanted, labels))


def _options_differ(wanted: Sequence[str], labels: Sequence[str]) -> str:
    missing, extra = _unmatched(wanted, labels)
    said = [f"is missing {_labels(missing)}"] if missing else []
    said += [f"has {_labels(extra)} beside what was expected"] if extra else []
    return "it " + " and ".join(said) if said else f"its options are in another order: {_labels(labels)}"


def _unmatched(wanted: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels that are not offered, and those that should not be."""
    left, missing = list(labels), []
    for pattern in wanted:
        found = next((label for label in left if matches(pattern, label)), None)
        if found is None:
            missing.append(pattern)
        else:
            left.remove(found)
    return missing, left


def _permuted(expected: Sequence[Expected], seen: Sequence[Answer]) -> list[int] | None:
    """For each expectation the answer that is it, where all of them came in another order; None where some did not."""
    fits = [[place for place, answer in enumerate(seen) if wanted.accepts(answer)] for wanted in expected]
    taken: dict[int, int] = {}  # answer -> expectation

    def place(wanted: int, tried: set[int]) -> bool:
        for answer in fits[wanted]:
            if answer not in tried:
                tried.add(answer)
                if answer not in taken or place(taken[answer], tried):
                    taken[answer] = wanted
                    return True
        return False

    if not all(place(wanted, set()) for wanted in range(len(expected))):
        return None
    where = {wanted: answer for answer, wanted in taken.items()}
    return [where[wanted] for wanted in range(len(expected))]


def _aligned(expected: Sequence[Expected], seen: Sequence[Answer]) -> Iterator[tuple[int | None, int | None]]:
    """Expectations and answers side by side, in both their orders, so that they differ as little as can be.

    What should or did come alone counts 1, a pair counts up to 2, the less the more alike the two are.
    """
    rows, columns = len(expected), len(seen)
    alike = [[_distance(wanted, answer) for answer in seen] for wanted in expected]
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]  # of what is left from here on
    for row in range(rows, -1, -1):
        for column in range(columns, -1, -1):
            if row < rows or column < columns:
                cost[row][column] = min(_moves(cost, alike, row, column), key=_first)[0]
    row = column = 0
    while row < rows or column < columns:
        _, down, right = min(_moves(cost, alike, row, column), key=_first)
        yield (row if down else None), (column if right else None)
        row, column = row + down, column + right


def _first(move: tuple[float, int, int]) -> tuple[float, int]:
    """The cheapest step comes first, and a pair before what costs the same: what is too much stands at the end."""
    cost, down, right = move
    return cost, -down - right


def _moves(cost: list[list[float]], alike: list[list[float]], row: int, column: int) -> Iterator[tuple[float, int, int]]:
    """What each next step costs with all that follows; a pair stands first where others cost the same."""
    if row < len(alike) and column < len(cost[0]) - 1:
        yield alike[row][column] + cost[row + 1][column + 1], 1, 1
    if row < len(alike):
        yield 1.0 + cost[row + 1][column] + 1e-9, 1, 0
    if column < len(cost[0]) - 1:
        yield 1.0 + cost[row][column + 1] + 1e-9, 0, 1


def _distance(wanted: Expected, answer: Answer) -> float:
    """0 for an answer that is what was expected, else 1 to 2: how little they have in common."""
    if wanted.accepts(answer):
        return 0.0
    return 2.0 - max(_common(way, answer) for way in wanted.ways)


def _common(wanted: Expected, answer: Answer) -> float:
    """How much of an expectation is in an answer, 0 to 1."""
    asked = _words([*pieces(wanted.text or ""), *(wanted.options or ()), wanted.template or "", *wanted.variables.values()])
    said = _words([answer.wording, *answer.options, answer.template or "", *answer.variables.values()])
    return len(asked & said) / len(asked | said) if asked or said else 0.0


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text.casefold())}


def describe(answer: Answer) -> str:
    """An answer in a few words."""
    parts = [_went(answer)]
    if answer.wording:
        parts.append(short(answer.wording))
    if answer.options:
        parts.append(_labels(answer.options))
    return " ".join(parts)


def short(text: str) -> str:
    """A text in quotes, on one line, cut where it is long."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= SHOWN else f"“{line[: SHOWN - 1].rstrip()}…”"


def _went(answer: Answer) -> str:
    if answer.mode == "template":
        return f"the template {answer.template}"
    return answer.media_kind or "media" if answer.mode == "media" else answer.mode


def _a(kind: str) -> str:
    return "no file" if not kind else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _labels(labels: Iterable[str]) -> str:
    return " ".join(f"[{label}]" for label in labels) or "no options"
