"""`pilotbot templates` with its options and help. What its commands do is in `templates`, imported when one is used."""

# ruff: noqa: PLC0415 - see above

from typing import Annotated

import typer

from pilotbot.cli.options import BotData, Target, group

Number = Annotated[
    str | None, typer.Option("--number", metavar="NAME", help="Which of our numbers, where there are several; all without it.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")]

templates = group(
    "Keep the templates that are defined beside a bot and the platform's the same.\n\n"
    "A definition is a YAML file in templates/ beside the bot's code; docs/templates.md says what is in it.\n\n"
    "Example: pilotbot templates diff bots/orders.py"
)


@templates.command("list")
def list_(target: Target, *, number: Number = None, data: BotData = None) -> None:
    """List the templates that are defined beside the bot or that the platform has, with how they stand and compare.

    Example: pilotbot templates list bots/orders.py
    """
    from pilotbot.cli.templates import list_templates

    list_templates(target, number=number, data=data)


@templates.command("diff")
def diff(target: Target, *, number: Number = None, data: BotData = None) -> None:
    """Show how the definitions differ from what the platform has; exit code 1 where they do.

    What only the platform has is told, and is no difference.

    Example: pilotbot templates diff bots/orders.py
    """
    from pilotbot.cli.templates import diff_templates

    diff_templates(target, number=number, data=data)


@templates.command("push")
def push(
    target: Target,
    *,
    number: Number = None,
    dry_run: DryRun = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for Meta's approval of what was pushed.")] = True,
    patience: Annotated[int, typer.Option("--timeout", metavar="SECONDS", min=1, max=86_400, help="Wait so long at most.")] = 600,
    data: BotData = None,
) -> None:
    """Create what the platform does not have, make a new version of what differs, and wait for approval. Nothing is deleted.

    Where one of them cannot be pushed, none is. The exit code is 0 where all can be sent, 1 where one was refused, 3 where one still
    waits for approval after the time.

    Example: pilotbot templates push bots/orders.py --timeout 1800
    """
    from pilotbot.cli.templates import push_templates

    push_templates(target, number=number, dry_run=dry_run, wait=wait, patience=patience, data=data)


@templates.command("pull")
def pull(
    target: Target,
    *,
    number: Number = None,
    force: Annotated[bool, typer.Option("--force", help="Write files anew that say something else here.")] = False,
    dry_run: DryRun = False,
    data: BotData = None,
) -> None:
    """Write the platform's templates down beside the bot, where they are not there yet.

    A file that says something else than the platform is kept, unless --force is given: then its comments are lost. Exit code 1 where one
    was kept, or cannot be written as a definition.

    Example: pilotbot templates pull bots/orders.py
    """
    from pilotbot.cli.templates import pull_templates

    pull_templates(target, number=number, force=force, dry_run=dry_run, data=data)
