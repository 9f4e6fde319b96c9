"""`pilotbot test`: play `.chat` files with their bots, and show what is otherwise."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, explain, told
from pilotbot.target import TargetError, relative
from pilotbot.testing.chatfile import ChatSyntaxError, read
from pilotbot.testing.collect import bot_of
from pilotbot.testing.junit import Result, junit
from pilotbot.testing.play import Outcome, play
from pilotbot.testing.report import summary
from pilotbot.testing.report import told as report
from pilotbot.testing.update import accept

MARKS = {
    "passed": ("✓", typer.colors.GREEN),
    "failed": ("✗", typer.colors.RED),
    "error": ("!", typer.colors.RED),
    "updated": ("↻", "yellow"),
}


@told()
def play_files(
    paths: Sequence[Path], *, bot: str | None, update: bool, report_to: Path | None, only: str | None, first: bool, whole: bool
) -> None:
    """Play the files; exit code 1 where one is otherwise, 2 where one cannot be read or played."""
    logs.set_up("CRITICAL")
    files = found(paths, only)
    results: list[Result] = []
    for path in files:
        result = run(path, bot, update=update, whole=whole)
        results.append(result)
        mark, colour = MARKS[result.ended]
        typer.secho(f"{mark} {relative(str(path))}  {typer.style(f'{1000 * result.seconds:.0f} ms', dim=True)}", fg=colour)
        if result.text:
            typer.echo(f"\n{result.text}\n")
        if first and result.ended in {"failed", "error"}:
            break
    if report_to is not None:
        _keep(report_to, junit(results))
    _end(results, len(files))


def found(paths: Sequence[Path], only: str | None) -> list[Path]:
    """The `.chat` files that are meant: files as they are, and those below directories, in the order of their names.

    Raises:
        Failed: a path does not exist, or nothing is left.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(path.rglob("*.chat"))
        elif path.is_file():
            files.append(path)
        else:
            raise Failed(f"{path}: there is no such file or directory")
    chosen = [path for path in dict.fromkeys(files) if only is None or only.casefold() in str(path).casefold()]
    if not chosen:
        named = f" whose name holds {only!r}" if only else ""
        raise Failed(f"no .chat file{named} in {', '.join(map(str, paths))}; `pilotbot record` or the phone page write one")
    return chosen


def run(path: Path, bot: str | None, *, update: bool = False, whole: bool = False) -> Result:
    """Play one file. `whole`: show the chats as they were, too."""
    began = time.perf_counter()
    try:
        script = read(path)
        outcome = asyncio.run(play(script, bot_of(script, bot)))
    except (ChatSyntaxError, TargetError, OSError) as error:
        return Result(path, "error", time.perf_counter() - began, str(error), f"  {error}")
    except Exception as error:
        text = explain(error)
        if text is None:
            raise
        return Result(path, "error", time.perf_counter() - began, text, f"  {text}")
    took = time.perf_counter() - began
    if outcome.passed:
        return Result(path, "passed", took)
    try:
        if update and accept(outcome):
            return Result(path, "updated", took, summary(outcome, name=relative(str(path))))
    except OSError as error:
        return Result(path, "error", took, str(error), f"  {path} cannot be written: {error.strerror}")
    return Result(path, "failed", took, summary(outcome, name=relative(str(path))), _text(outcome, path, whole=whole))


def _text(outcome: Outcome, path: Path, *, whole: bool) -> str:
    text = report(outcome, name=relative(str(path)))
    return f"{text}\n\n{outcome.transcript}" if whole else text


def _keep(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}") from None


def _end(results: Sequence[Result], planned: int) -> None:
    count = {name: sum(each.ended == name for each in results) for name in MARKS}
    words = {"passed": "passed", "failed": "failed", "error": "could not be played", "updated": "updated"}
    said = [f"{count[name]} {word}" for name, word in words.items() if count[name]]
    left = planned - len(results)
    said += [f"{left} not tried"] if left else []
    typer.echo(f"\n{', '.join(said)} in {sum(each.seconds for each in results):.1f} s")
    if count["failed"] and sys.stdout.isatty():
        typer.echo("Where the bot is right: pilotbot test --update. To see who took a message: --whole, or pilotbot explain.")
    if count["error"] or count["failed"]:
        raise typer.Exit(2 if count["error"] else 1)
