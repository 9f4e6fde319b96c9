"""A rehearsed turn in words, for `pilotbot explain`: coloured where standard output is a terminal, plain otherwise."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
import typer

from pilotbot.bot import Bot
from pilotbot.contacts import State, StateError, Window, load, state_classes
from pilotbot.engine import ChatView, Item
from pilotbot.events import Inbound
from pilotbot.replies import Action, Ambiguous, Choice
from pilotbot.routing import Candidate, Check, Trace, Tried, explain
from pilotbot.server.inspection import states_of
from pilotbot.server.journal import TurnNote
from pilotbot.server.prepare import menus_of
from pilotbot.server.rehearsal import Decision, Line, Rehearsal
from pilotbot.server.saying import expects
from pilotbot.target import relative

SHOWN: Final = 300  # characters of a text
GREEN, RED, DIM = "green", "red", "bright_black"
SIGNS: Final = {"held": ("+", GREEN), "missed": ("-", DIM), "raised": ("!", RED)}
AFTERWARDS: Final = {
    "retried": "nothing of it is committed, and the event is tried again later",
    "buried": "nothing of it is committed, and the event becomes a dead letter",
}


PERSON: Final = {
    "asked for": "It is a word by which contacts come to a person: the bot confirms it and is silent from then on; no handler is tried.",
    "has it": "A person has this chat: the message is kept for them, and no handler is tried (see `pilotbot handover list`).",
    "gives it back": "A person has this chat, and it is a word by which contacts have the bot back; no handler is tried.",
}


def told_lines(rehearsal: Rehearsal, bot: Bot, stored: Mapping[str, bytes]) -> Iterator[str]:
    """The whole explanation, a line each. `stored` are the fields of the chat before the turn."""
    yield from _event(rehearsal, stored)
    yield ""
    if rehearsal.decided is not None:
        way = "out of" if rehearsal.decided.what == "out" else "into"
        yield f"It is a word by which contacts opt {way} what they did not ask for: the bot notes and confirms it; no handler is tried."
    elif rehearsal.person is not None:
        yield PERSON[rehearsal.person]
    elif isinstance(rehearsal.choice, Ambiguous) and rehearsal.trace is None:
        yield "It may mean several options: the bot asks which, and no handler is tried."
    elif rehearsal.trace is None:
        yield "It asks for more options: the bot shows the next page of them, and no handler is tried."
    else:
        yield from _routing(rehearsal.trace)
        if rehearsal.trace.ends is None:
            tried = [Tried(one.handler, one.reason) for one in rehearsal.trace.candidates]
            yield from ("", *"".join(explain(rehearsal.ctx, tried, bot=bot.name, reveal=True).partition("To handle it:")[1:]).splitlines())
    yield from _run(rehearsal, stored)


# --- what came --------------------------------------------------------------------------------------------------------------------


def _event(rehearsal: Rehearsal, stored: Mapping[str, bytes]) -> Iterator[str]:
    ctx = rehearsal.ctx
    event = ctx.event
    wrote = event.text if isinstance(event, Inbound) else ""
    tapped = isinstance(event, Inbound) and event.tap is not None
    yield _row("event", f"{event.name} ({type(event).__name__}{', a tap' if tapped else ''}): {_quoted(wrote)}")
    name = f" ({_plain(ctx.sender.name)})" if ctx.sender is not None and ctx.sender.name else ""
    yield _row("contact", f"{ctx.chat.address}{name}")
    yield _row("number", f"{ctx.chat.number}, {rehearsal.kind}")
    yield _row("window", _window(ctx.window))
    states, problems = states_of(ChatView(_now(rehearsal), stored, 0, 0, 0))
    for state, values in states.items():
        yield _row("state", f"{state} {_json(values)}{f' - {problems[state]}' if state in problems else ''}")
    for menu in menus_of(stored):
        yield _row("offered", ", ".join(_quoted(entry.label) for entry in menu.shown))
    yield from _choice(rehearsal.choice, tapped=tapped)


def _choice(choice: Choice | Ambiguous | None, *, tapped: bool) -> Iterator[str]:
    if isinstance(choice, Ambiguous):
        labels = list(dict.fromkeys(one.label for one in choice.candidates))
        excerpts = ", ".join(_quoted(one.excerpt) for one in choice.candidates)
        of = f", of {len(choice.candidates)} messages: {excerpts}" if len(labels) == 1 else ": not clear which"
        yield _row("option", f"{' or '.join(map(_quoted, labels))}{of}")
    elif choice is not None and choice.turned is not None:
        yield _row("option", f"{_quoted(choice.label)}: the next page of the options")
    elif choice is not None:
        problem = f"; {choice.problem}" if choice.problem else ""
        yield _row(
            "option", f"{_quoted(choice.label)}: {_action(choice.action) if choice.action is not None else 'a plain label'}{problem}"
        )
    elif tapped:
        yield _row("option", "none: the chat was not offered this label, so there is no action; --as PHONE takes a chat that was")


def _action(action: Action) -> str:
    values = ", ".join(f"{name}={_json(value)}" for name, value in action.model_dump(mode="json").items())
    return f"{type(action).__name__}({values})"


def _window(window: Window) -> str:
    match window.state:
        case "open":
            return f"open until {_time(window.closes_at)}"
        case "closed":
            return f"closed since {_time(window.closes_at)}" if window.closes_at else "closed by the platform's refusal"
        case "never":
            return "never opened, since the contact never wrote"
    return "none"


# --- who takes it -----------------------------------------------------------------------------------------------------------------


def _routing(trace: Trace) -> Iterator[str]:
    yield typer.style("Handlers, in the order in which they are tried:", bold=True)
    ends = trace.ends
    for one in trace.candidates:
        if one is ends:
            note = "takes it" if one.verdict == "held" else "a filter raises, and the turn fails"
        elif one in trace.also:
            note = "would take it too, but stands later"
        else:
            note = ""
        yield from _candidate(one, note)
    if trace.others:
        yield f"  and {trace.others} for other kinds of events"
    if ends is None:
        yield typer.style("Nobody takes it.", fg=RED, bold=True)


def _candidate(one: Candidate, note: str) -> Iterator[str]:
    sign, colour = SIGNS[one.verdict]
    name = typer.style(f"{sign} {one.handler.name}", fg=colour, bold=one.verdict == "held" or None)
    yield f"  {name}  {one.handler.where}  {one.handler.decorator}" + (typer.style(f"  <- {note}", fg=colour) if note else "")
    reasons = {check.reason for check in (*one.guards, *one.filters)}
    if one.reason and one.reason not in reasons:
        yield typer.style(f"      {_plain(one.reason)}", fg=colour)
    decided = False
    for number, check in enumerate((*one.guards, *one.filters)):
        what = "guard of its router: " if number < len(one.guards) else ""
        yield from _check(check, 6, what, " (not asked, after what decided)" if decided and check.verdict == "raised" else "")
        decided = decided or check.verdict != "held"
    for capture, value in (one.captures or {}).items():
        yield f"      {capture} = {_plain(repr(value))}"


def _check(check: Check, indent: int, what: str = "", note: str = "") -> Iterator[str]:
    sign, colour = SIGNS[check.verdict]
    # A reason begins with its filter, so it stands for both.
    text = check.reason if check.reason.startswith(check.filter) else f"{check.filter}{': ' if check.reason else ''}{check.reason}"
    if check.parts and check.verdict == "missed":
        text = check.filter
    yield " " * indent + typer.style(f"{sign} {what}{_plain(text)}{note}", fg=colour)
    for part in check.parts:
        yield from _check(part, indent + 4)


# --- what it would do -------------------------------------------------------------------------------------------------------------


def _run(rehearsal: Rehearsal, stored: Mapping[str, bytes]) -> Iterator[str]:
    note, trace = rehearsal.note, rehearsal.trace
    if trace is not None and trace.ends is None:
        return
    yield ""
    if note is None:
        yield "Nothing was run (--no-run)."
        return
    yield typer.style(f"Nothing was sent or stored.{' The code of the handler did run:' if note.handler is not None else ''}", bold=True)
    if not rehearsal.lines and note.error is None:
        yield "  it says nothing"
    for number, line in enumerate(rehearsal.lines, 1):
        yield from _line(number, line)
    yield from _error(note)
    changes = list(_changes(rehearsal, stored))
    yield from changes if note.end == "committed" else ()


def _error(note: TurnNote) -> Iterator[str]:
    if note.error is None:
        return
    yield typer.style(f"  It raised {_plain(note.error)}", fg=RED)
    if note.place:
        yield f"      at {relative(note.place)}"
    yield f"      {AFTERWARDS.get(note.end, 'an error handler settled it')}"


def _line(number: int, line: Line) -> Iterator[str]:
    said = line.said
    when = " before the commit" if said.emitted else ""
    yield f"  {number}. says{when}{f' to {said.to}' if said.to else ''}: {_quoted(said.shown.text)}"
    if said.dropped:
        yield "     dropped, since the handler failed"
        return
    if line.decision is None:
        yield f"     {expects(said.outcome)}"
        return
    options = [
        f"{_quoted(label)}{f' ({name}: {_json(values)})' if name else ''}" for item in line.items for label, name, values in _entries(item)
    ]
    if options:
        yield _row("options", ", ".join(options), 5)
    yield _row("rendered", _rendered(line.items), 5)
    yield _row("goes", _goes(line.decision, line.items), 5)


def _entries(item: Item) -> list[Any]:
    entries: list[Any] = orjson.loads(item.menu)["entries"] if item.menu else []
    return entries


def _rendered(items: tuple[Item, ...]) -> str:
    """The variants that there are: the free-form ones of all parts, the template that stands for them."""
    free = [_mode(orjson.loads(item.free)) for item in items if item.free]
    template = orjson.loads(items[0].template) if items[0].template else None
    ways = [", then ".join(free)] if free else []
    if template is not None:
        variables = ", ".join(f"{name}={_quoted(value)}" for name, value in template.get("variables", {}).items())
        ways.append(f"template {template['templateId']}({variables})")
    return "; or as ".join(ways) + ("" if template is not None else "; no template")


def _mode(body: Mapping[str, Any]) -> str:
    if "media" in body:
        return str(body["mediaType"])
    return "buttons" if "buttons" in body else "list" if "list" in body else "text"


def _goes(decision: Decision, items: tuple[Item, ...]) -> str:
    way = {
        "free": f"as {_mode(orjson.loads(items[0].free))}" if items[0].free else "",
        "template": "as the template",
        "defer": "not now: it waits until the contact writes (Policy(closed='defer'))",
        "skip": "not at all: it is skipped (Policy(closed='skip'))",
        "fail": "not at all: it becomes a dead letter" + (" (Policy(closed='fail'))" if items[0].free else ""),
    }[decision.way]
    return f"{way}. {_because(decision)}"


def _because(decision: Decision) -> str:
    """The inputs of a decision, in words."""
    window = decision.window
    match decision.why.code:
        case "no-window":
            return f"The number is {decision.kind}, which has no window."
        case "group":
            return "Groups and newsletters have no window."
        case "no-free-form":
            return "There is no free-form variant."
        case "never":
            return f"The number is {decision.kind}, and this contact never wrote to it."
        case "open":
            return f"The number is {decision.kind}, and the window is open until {_time(window.closes_at)} (24 h less the margin)."
    return f"The number is {decision.kind}, and the window is {_window(window)}."


def _changes(rehearsal: Rehearsal, stored: Mapping[str, bytes]) -> Iterator[str]:
    classes = {cls.state_name: cls for cls in state_classes()}
    now = _now(rehearsal)
    for name, raw in rehearsal.states.items():
        before, after = _values(classes[name], stored.get(f"state:{name}"), now), _values(classes[name], raw, now)
        changed = [f"{field}: {_json(before.get(field))} -> {_json(value)}" for field, value in after.items() if before.get(field) != value]
        yield f"  state {classes[name].__name__}  {', '.join(changed) or 'stored anew'}"


def _values(cls: type[State], raw: bytes | None, now: int) -> dict[str, Any]:
    try:
        return load(cls, raw, now).model_dump(mode="json", by_alias=False)
    except StateError:
        return {}


# --- words ------------------------------------------------------------------------------------------------------------------------


def _row(name: str, text: str, indent: int = 0) -> str:
    return f"{' ' * indent}{typer.style(f'{name:<9}', fg=DIM)} {text}"


def _quoted(text: str) -> str:
    """Text of a contact or of the bot on one line, without what a terminal would take for a command."""
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return f'"{_plain(shown)}"' + (f" ({len(text):,} characters)" if shown is not text else "")


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " / " if sign == "\n" else f"\\x{ord(sign):02x}" for sign in text)


def _json(value: object) -> str:
    return _plain(orjson.dumps(value).decode())


def _now(rehearsal: Rehearsal) -> int:
    return round(rehearsal.ctx.now.timestamp() * 1000)


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment is not None else "?"
