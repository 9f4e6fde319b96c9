"""The commands about contacts: what they decided, and what is to be written to them later.

What a command does is in the module of its name.
"""

# ruff: noqa: PLC0415 - imported when their command is used, so that `pilotbot --help` is quick

from typing import Annotated, Literal

import typer

from pilotbot.cli.options import BotData, group

handover = group("Chats that people have in place of the bot.\n\nExample: pilotbot handover list")
followup = group("Write to contacts later.\n\nExample: pilotbot followup list +5511987650001")
contact = group("See, note, export and erase what is known of contacts.\n\nExample: pilotbot contact show +5511987650001")

Phone = Annotated[str, typer.Argument(metavar="PHONE", help="The contact's, with country code.", show_default=False)]
NumberName = Annotated[str | None, typer.Option("--number", metavar="NAME", help="Which of our numbers, where there are several.")]
PurposeOption = Annotated[
    Literal["all", "marketing", "utility", "authentication"], typer.Option("--purpose", help="What it is about: all messages, or these.")
]
Evidence = Annotated[str, typer.Option("--evidence", metavar="TEXT", help="What shows it, for the ledger: an e-mail, a form, a call.")]


@followup.command("add")
def add_followup(
    phone: Phone,
    *,
    within: Annotated[str | None, typer.Option("--in", metavar="SPAN", help="After so long: 90m, 25h, 3d.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="At this time: 2026-12-01T09:00-03:00.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="What goes while the window is open.")] = None,
    template: Annotated[str | None, typer.Option(metavar="NAME", help="The template that goes while it is closed.")] = None,
    var: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable of the template; may be repeated.")] = None,
    unless_replied: Annotated[bool, typer.Option("--unless-replied", help="Not if the contact writes before.")] = False,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Names it: a second one with it replaces the first.")] = None,
    if_late: Annotated[
        Literal["run", "skip", "coalesce"], typer.Option(help="If no bot runs then: run late, skip, or let the latest stand for all.")
    ] = "run",
    number: NumberName = None,
    data: BotData = None,
) -> None:
    """Have a message sent later, in the mode that the window allows then.

    Give --in or --at, and --text, --template or both. It is sent by the running bot; the exit code is 1 where nothing is planned.

    Example: pilotbot followup add +5511987650001 --in 2d --text "How is it?" --template follow_up
    """
    from pilotbot.cli.followup import Wanted, add_follow_up

    add_follow_up(
        phone,
        Wanted(
            within=within, at=at, text=text, template=template, given=var or (), unless_replied=unless_replied, key=key, if_late=if_late
        ),
        number, data,
    )  # fmt: skip


@followup.command("list")
def list_followups(phone: Phone, *, number: NumberName = None, data: BotData = None) -> None:
    """List what waits to be sent to a contact, the soonest first.

    Example: pilotbot followup list +5511987650001
    """
    from pilotbot.cli.followup import list_follow_ups

    list_follow_ups(phone, number, data)


@followup.command("cancel")
def cancel_followup(
    phone: Phone,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="As `followup list` shows it; all without it.", show_default=False)
    ] = None,
    *,
    number: NumberName = None,
    data: BotData = None,
) -> None:
    """End a follow-up, or all of a contact. The exit code is 1 where there was none.

    Example: pilotbot followup cancel +5511987650001 care-4242
    """
    from pilotbot.cli.followup import cancel_follow_ups

    cancel_follow_ups(phone, key, number, data)


@handover.command("start")
def start_handover(
    phone: Phone,
    *,
    queue: Annotated[str, typer.Option(metavar="NAME", help="For whom it is, such as sales.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What they should know.")] = "",
    span: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="After so long the bot has it back: 90m, 12h, 3d; 12 hours without.")
    ] = None,
    number: NumberName = None,
    data: BotData = None,
) -> None:
    """Give a chat to a person: the bot is silent there, and keeps what the contact writes.

    What waits to be sent later is cancelled. A group is given by its id.

    Example: pilotbot handover start +5511987650001 --queue sales --note "wants 40 pieces"
    """
    from pilotbot.cli.handover import start

    start(phone, queue=queue, note=note, span=span, number=number, data=data)


@handover.command("end")
def end_handover(phone: Phone, *, number: NumberName = None, data: BotData = None) -> None:
    """Give a chat back to the bot. The exit code is 1 where the bot has it.

    Example: pilotbot handover end +5511987650001
    """
    from pilotbot.cli.handover import end

    end(phone, number, data)


@handover.command("list")
def list_handovers(
    *,
    queue: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this queue.")] = None,
    data: BotData = None,
) -> None:
    """List the chats that people have, those first that come back to the bot soonest. There is personal data in it.

    Example: pilotbot handover list --queue sales
    """
    from pilotbot.cli.handover import show

    show(queue, data)


@contact.command("show")
def show_contact(phone: Phone, *, data: BotData = None) -> None:
    """Show whether a contact may be written to, since when and by what evidence, and their window with each of our numbers.

    Example: pilotbot contact show +5511987650001
    """
    from pilotbot.cli.contact import show

    show(phone, data)


@contact.command("opt-out")
def opt_out(phone: Phone, *, evidence: Evidence, purpose: PurposeOption = "all", data: BotData = None) -> None:
    """Note that a contact wants nothing that they did not ask for, from none of our numbers. Answers still go.

    Example: pilotbot contact opt-out +5511987650001 --purpose marketing --evidence "asked on the phone"
    """
    from pilotbot.cli.contact import decide

    decide(phone, "out", purpose, evidence, data)


@contact.command("opt-in")
def opt_in(phone: Phone, *, evidence: Evidence, purpose: PurposeOption = "all", data: BotData = None) -> None:
    """Note that a contact wants our messages, again or for the first time. Marketing goes to nobody without it.

    Example: pilotbot contact opt-in +5511987650001 --purpose marketing --evidence "signed the form of 12 May"
    """
    from pilotbot.cli.contact import decide

    decide(phone, "in", purpose, evidence, data)


@contact.command("export")
def export_contact(phone: Phone, *, data: BotData = None) -> None:
    """Print all that is kept of a contact, as JSON: chats, states, decisions, messages, what waits. It is personal data.

    Example: pilotbot contact export +5511987650001 > theirs.json
    """
    from pilotbot.cli.contact import export

    export(phone, data)


@contact.command("forget")
def forget_contact(
    phone: Phone, *, sure: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False, data: BotData = None
) -> None:
    """Erase all that is kept of a contact, from Redis and its disk. That they opted out stays, without their name or number.

    Example: pilotbot contact forget +5511987650001
    """
    from pilotbot.cli.contact import forget

    forget(phone, data, sure=sure)
