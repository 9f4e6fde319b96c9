"""`pilotbot templates`: the definitions beside a bot and the platform's templates: compared, pushed, waited for, pulled."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand
from pilotbot.cli.platform import at_platform, listed, numbers_of, refusals
from pilotbot.platform import PilotStatus, TemplateInfo
from pilotbot.replies.catalogue import Definition
from pilotbot.replies.definitions import dump, read_definition
from pilotbot.replies.drift import Step, plan, pulled, there
from pilotbot.server.templates import folder, read_folder
from pilotbot.settings import NumberSettings, Settings
from pilotbot.target import load_bot, relative

LANGUAGE: Final = "pt_BR"
"""What is taken for a pulled template whose language the platform does not tell, unless PILOTBOT_LANGUAGE says another."""
FINAL: Final = frozenset({"REJECTED", "DISABLED"})
LOOK: Final = (2.0, 15.0)  # seconds between two looks at what waits for approval: at first, and at most
WAITS: Final = 3  # exit code


@dataclass(frozen=True, slots=True)
class Place:
    """The settings, the directory of a bot's definitions, and those."""

    settings: Settings
    home: Path
    catalogue: Mapping[str, Definition]


@told()
def list_templates(target: str, *, number: str | None, data: Path | None) -> None:
    """Print a line for each template that is defined here or there."""
    place = _place(target, data)
    for one, infos in asyncio.run(listed(place.settings, numbers_of(place.settings, number))):
        if len(place.settings.numbers) > 1:
            typer.echo(f"number {one.name}:")
        for line in table(plan(place.catalogue, infos), infos, meta=one.kind == "meta"):
            typer.echo(line)


@told()
def diff_templates(target: str, *, number: str | None, data: Path | None) -> None:
    """Print how the definitions differ from the platform's; exit code 1 where they do."""
    place = _place(target, data)
    drifted = False
    for one, infos in asyncio.run(listed(place.settings, numbers_of(place.settings, number))):
        steps = plan(place.catalogue, infos)
        for step in steps:
            for line in step.diff:
                typer.echo(line)
        drifted |= any(step.what != "same" for step in steps)
        for line in _notes(steps, infos):
            typer.echo(f"number {one.name}: {line}", err=True)
    if drifted:
        raise typer.Exit(1)


@told()
def push_templates(target: str, *, number: str | None, dry_run: bool, wait: bool, patience: float, data: Path | None) -> None:
    """Create what is missing on the platform and make new versions of what differs, and wait for the approval of both.

    `patience` is in seconds. Nothing is pushed where one cannot be. Exit code 1 where one was refused, 3 where one still waits.
    """
    place = _place(target, data)
    raise typer.Exit(asyncio.run(_push(place, numbers_of(place.settings, number), dry_run=dry_run, patience=patience if wait else 0.0)))


@told()
def pull_templates(target: str, *, number: str | None, force: bool, dry_run: bool, data: Path | None) -> None:
    """Write the platform's templates down beside the bot, where they are not as they are there; with `force` over other ones, too.

    What would not read back as a definition is not written: it would keep the bot from starting. Exit code 1 where anything is left out.
    """
    place = _place(target, data)
    numbers = numbers_of(place.settings, number)
    if len(numbers) > 1:
        raise Failed(f"each number has templates of its own: name one with --number, {' or '.join(one.name for one in numbers)}")
    ((_, infos),) = asyncio.run(listed(place.settings, numbers))
    found = pulled(place.catalogue, infos, language=place.settings.language or LANGUAGE)
    left_out = False
    for definition in found:
        _, flaws = read_definition(definition.name, text := dump(definition))
        if problem := next((flaw.text for flaw in flaws if flaw.sure), None):
            typer.echo(f"not written: {definition.name} cannot be defined here: {problem}", err=True)
            left_out = True
            continue
        path = Path(definition.file) if definition.file else place.home / f"{definition.name}.yaml"
        if definition.file and not force:
            typer.echo(f"kept {relative(str(path))}, which says something else than the platform: --force writes it anew", err=True)
            left_out = True
            continue
        typer.echo(f"{'would write' if dry_run else 'wrote'} {relative(str(path))}")
        if not dry_run:
            if not definition.file and path.exists():
                raise Failed(f"{relative(str(path))} is there, and defines another template: rename it")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if not found:
        typer.echo("nothing to write: all is here as it is there")
    if any(there(info).parts == ("body",) for info in infos):
        typer.echo("the platform tells only the bodies of some; their headers, footers and buttons stayed as they were", err=True)
    if left_out:
        raise typer.Exit(1)


def table(steps: Sequence[Step], infos: Sequence[TemplateInfo], *, meta: bool) -> list[str]:
    """A line for each template: the platform's name, language, category, how it stands there, how it compares, where it is defined."""
    known = {info.name: info for info in infos}
    words = {"same": "same", "create": "only here", "version": "differs", "refused": "differs"}
    rows = [("NAME", "LANGUAGE", "CATEGORY", "THERE", "COMPARED", "DEFINED")]
    rows += [
        (step.name, step.language, step.definition.category, _standing(known.get(step.name), meta=meta), words[step.what],
         step.definition.where(step.language))
        for step in steps
    ]  # fmt: skip
    ours = {step.name for step in steps}
    rows += [
        (info.name, info.meta_language or "-", info.category or "-", _standing(info, meta=meta), "only there", "-")
        for info in sorted(infos, key=lambda info: info.name)
        if info.name not in ours
    ]
    if len(rows) == 1:
        return ["no templates; define one in templates/NAME.yaml beside the bot"]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


async def _push(place: Place, numbers: Sequence[NumberSettings], *, dry_run: bool, patience: float) -> int:
    async with at_platform(place.settings, numbers) as pairs:
        plans: list[tuple[NumberSettings, PilotStatus, list[Step]]] = []
        for number, client in pairs:
            with refusals(number, "its templates cannot be read"):
                plans.append((number, client, plan(place.catalogue, await client.templates())))
        refused = [
            f"{step.definition.where(step.language)}: {step.name} on number {number.name}: {step.problem}"
            for number, _, steps in plans for step in steps if step.what == "refused"
        ]  # fmt: skip
        if refused:
            raise Failed("nothing is pushed:\n  " + "\n  ".join(refused))
        pushed: list[Pushed] = []
        for number, client, steps in plans:
            for step in steps:
                if step.what == "same":
                    typer.echo(f"{step.name}: as it is there")
                elif dry_run:
                    typer.echo(f"{step.name}: would {'be created' if step.what == 'create' else 'get a new version'}")
                    typer.echo("\n".join(step.diff))
                else:
                    with refusals(number, f"{step.definition.where(step.language)}: {step.name} is refused"):
                        info = await _pushed(client, step)
                    pushed.append(Pushed(step.name, number, client, info))
                    typer.echo(f"{step.name}: {'created' if step.what == 'create' else 'a new version'}, {pushed[-1].state}")
        if patience and any(one.waits for one in pushed):
            await _approval(pushed, patience)
    return _code(pushed, waited=bool(patience))


async def _pushed(client: PilotStatus, step: Step) -> TemplateInfo:
    body, examples = step.wording.components(), {name: step.definition.examples[name] for name in step.wording.variables}
    if step.id is not None:
        return await client.update_template(step.id, body=body, language=step.language, examples=examples)
    return await client.create_template(step.name, category=step.definition.category, language=step.language, body=body, examples=examples)


@dataclass(slots=True)
class Pushed:
    """A template that was pushed, as it last stood."""

    name: str
    number: NumberSettings
    client: PilotStatus
    info: TemplateInfo
    task: TaskID | None = field(default=None, init=False)

    @property
    def state(self) -> str:
        """How it stands, in a word or a line."""
        return _standing(self.info, meta=self.number.kind == "meta")

    @property
    def waits(self) -> bool:
        """Whether approval is still to come."""
        return self.info.problem(meta=self.number.kind == "meta") is not None and not self.refused

    @property
    def refused(self) -> bool:
        """Whether approval will not come."""
        return self.info.meta_status in FINAL


async def _approval(pushed: Sequence[Pushed], patience: float) -> None:
    """Look until nothing waits for approval, `patience` seconds at most. A terminal shows how long each waits."""
    until, pause = time.monotonic() + patience, LOOK[0]
    with ExitStack() as stack:
        console = Console()
        progress = Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console)
        if console.is_terminal:
            stack.enter_context(progress)
        for one in pushed:
            one.task = progress.add_task(f"{one.name}: {one.state}", total=1, completed=0 if one.waits else 1)
        while (waiting := [one for one in pushed if one.waits]) and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, LOOK[1])
            for one in waiting:
                with refusals(one.number, f"{one.name} cannot be looked at"):
                    one.info = await one.client.template(one.name)
                if one.task is not None:
                    progress.update(one.task, description=f"{one.name}: {one.state}", completed=0 if one.waits else 1)
                if not one.waits and not console.is_terminal:
                    typer.echo(f"{one.name}: {one.state}")


def _code(pushed: Sequence[Pushed], *, waited: bool) -> int:
    """The exit code; what is not as wanted is told."""
    refused, waiting = ([one for one in pushed if one.refused], [one for one in pushed if one.waits])
    for one in refused:
        typer.echo(f"pilotbot: {one.name}: {one.state}: Meta will not have it so; the dashboard shows why", err=True)
    if waiting and waited:
        names = ", ".join(one.name for one in waiting)
        typer.echo(f"pilotbot: still waiting for approval: {names}; `pilotbot templates list` shows how they stand", err=True)
    return 1 if refused else WAITS if waiting and waited else 0


def _standing(info: TemplateInfo | None, *, meta: bool) -> str:
    if info is None:
        return "-"
    return info.meta_status or ("sendable" if info.problem(meta=meta) is None else "not sendable")


def _notes(steps: Sequence[Step], infos: Sequence[TemplateInfo]) -> list[str]:
    """What is no drift, and worth knowing."""
    ours = {step.name for step in steps}
    others = sorted(info.name for info in infos if info.name not in ours)
    notes = [f"only on the platform: {', '.join(others)}"] if others else []
    partly = sorted(info.name for info in infos if info.name in ours and there(info).parts == ("body",))
    if partly:
        notes.append(f"the platform tells only the body of {', '.join(partly)}; header, footer and buttons were not compared")
    return notes


def _place(target: str, data: Path | None) -> Place:
    """Raises TargetError, SettingsError, or Failed with the mistakes in the definitions."""
    bot = load_bot(target)
    settings = at_hand(data)
    logs.set_up("WARNING")
    home = folder(bot, settings.templates_dir)
    catalogue, flaws = read_folder(home, meta=any(number.kind == "meta" for number in settings.numbers))
    if wrong := [str(flaw) for flaw in flaws if flaw.sure]:
        raise Failed("the definitions of templates hold mistakes:\n  " + "\n  ".join(wrong))
    return Place(settings, home, catalogue)
