"""The commands of those who look after a running bot, with their options and help. What a command does is in the module of its name.

Those modules are imported when their command is used, so that `pilotbot --help` is quick.
"""

# ruff: noqa: PLC0415 - see above

from typing import Annotated

import typer

from pilotbot.cli.options import BotData, LetterId, ScheduleName, Target, group


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, for a monitor.")] = False,
    data: BotData = None,
) -> None:
    """See whether everything keeps what is promised.

    A line for each thing of Redis, clocks, platform and disk: ok, warn or bad, what was seen, what to change. Works beside a running bot,
    and changes nothing; exit code 1 where something is bad. What is promised is PILOTBOT_DURABILITY: safe, fast, or nothing.

    Example: pilotbot doctor
    """
    from pilotbot.cli.doctor import examine

    examine(data, as_json=as_json)


def message(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="The platform's id, the provider's (wamid...) or a correlation id.", show_default=False)
    ],
    *,
    show_text: Annotated[bool, typer.Option("--show-text", help="Show what it says, too; there may be personal data in it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    data: BotData = None,
) -> None:
    """Show what became of a sent message: how it went, when it was sent, delivered and read, why it failed and what to do.

    What the bot has no record of is asked of the platform.

    Example: pilotbot message cmn8outdemo0001
    """
    from pilotbot.cli.message import show_message

    show_message(name, data, show_text=show_text, as_json=as_json)


dead = group("Look after events and messages that failed for good.\n\nExample: pilotbot dead list")


@dead.command("list")
def list_letters(
    *,
    most: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Show so many at most, the oldest first.")] = 100,
    data: BotData = None,
) -> None:
    """List dead letters, without phone numbers and texts.

    Example: pilotbot dead list
    """
    from pilotbot.cli.dead import list_dead

    list_dead(most, data)


@dead.command("show")
def show_letter(name: LetterId, *, data: BotData = None) -> None:
    """Show all of a dead letter; there may be personal data in it.

    Example: pilotbot dead show 1c2f-7
    """
    from pilotbot.cli.dead import show_dead

    show_dead(name, data)


@dead.command("retry")
def retry_letter(name: LetterId, *, data: BotData = None) -> None:
    """Put a dead letter back, for the running bot to try again.

    Example: pilotbot dead retry 1c2f-7
    """
    from pilotbot.cli.dead import retry_dead

    retry_dead(name, data)


@dead.command("drop")
def drop_letter(name: LetterId, *, data: BotData = None) -> None:
    """Forget a dead letter.

    Example: pilotbot dead drop 1c2f-7
    """
    from pilotbot.cli.dead import drop_dead

    drop_dead(name, data)


schedule = group("See and steer what a bot does at its times.\n\nExample: pilotbot schedule list")


@schedule.command("list")
def list_times(*, data: BotData = None) -> None:
    """List schedules with their next and last times, in UTC.

    Example: pilotbot schedule list
    """
    from pilotbot.cli.schedule import list_schedules

    list_schedules(data)


@schedule.command("next")
def show_times(
    target: Target, *, most: Annotated[int, typer.Option("-n", metavar="N", min=1, max=1_000, help="Show so many times of each.")] = 5
) -> None:
    """Show the coming times of a bot's schedules, each in its time zone, with a mark where the clocks change. Needs no Redis.

    Example: pilotbot schedule next bots/orders.py
    """
    from pilotbot.cli.schedule import show_next

    show_next(target, most)


@schedule.command("run")
def run_schedule(name: ScheduleName, *, data: BotData = None) -> None:
    """Have a schedule run once more, now, paused or not; its times stay as they are.

    Example: pilotbot schedule run daily_report
    """
    from pilotbot.cli.schedule import run_now

    run_now(name, data)


@schedule.command("pause")
def pause(name: ScheduleName, *, data: BotData = None) -> None:
    """Have a schedule rest, until it is resumed.

    Example: pilotbot schedule pause daily_report
    """
    from pilotbot.cli.schedule import pause_schedule

    pause_schedule(name, data)


@schedule.command("resume")
def resume(name: ScheduleName, *, data: BotData = None) -> None:
    """Have a schedule go on with its next time; nothing of the pause is made up for.

    Example: pilotbot schedule resume daily_report
    """
    from pilotbot.cli.schedule import resume_schedule

    resume_schedule(name, data)
