"""The page `docs/failures.md`, made of the table of codes: `python -m pilotbot.platform.failures_page > docs/failures.md`."""

from collections.abc import Iterable

from pilotbot.platform.codes import AT_POST, DONE_AT_POST, DONE_LATE, LATE, OF_THE_NUMBER, STATUSES, THROTTLED, UNKNOWN


def page() -> str:
    """The page of the documentation, in Markdown."""
    late = [*LATE.items(), ("META_RA…, …RATE_LIMIT…, …TOO_MANY…", THROTTLED), ("NUMBER_…", OF_THE_NUMBER), ("any other", UNKNOWN)]
    return "\n".join(
        (
            "# What may go wrong with a message",
            "",
            "Made of the table in `pilotbot/platform/codes.py`: `python -m pilotbot.platform.failures_page > docs/failures.md`.",
            "",
            "## At once: the platform refuses the post",
            "",
            "Each family is a subclass of `PlatformError`, which calls of the client raise; a bot never sees them, since the sender does",
            "what is right.",
            "",
            *_table(
                ("family", "exception", "what is done"),
                ((f"`{family}`", f"`{name}`", done) for family, (name, done) in DONE_AT_POST.items()),
            ),
            "",
            *_table(("code", "family", "what to do"), ((f"`{code}`", family, remedy) for code, (family, remedy) in AT_POST.items())),
            "",
            "A code of a rate limit (`META_RA…`, `…RATE_LIMIT…`, `…TOO_MANY…`) is `throttled`. Where the code is missing or new, the",
            "status decides; any other 5xx, and no answer at all, is `retry`. What does not look like the platform's answer is `blocked`:",
            "the set-up is wrong, not the message.",
            "",
            *_table(("status", "family", "what to do"), ((str(status), family, remedy) for status, (family, remedy) in STATUSES.items())),
            "",
            "## Later: the message was taken, and then failed",
            "",
            'The platform tells of it by `message.failed`; `@bot.status("failed")` finds code, meaning and remedy in `ctx.message`, and',
            "`pilotbot message ID` shows them.",
            "",
            *_table(("family", "what is done by machine"), ((f"`{family}`", done) for family, done in DONE_LATE.items())),
            "",
            *_table(
                ("code", "family", "what happened", "what to do"),
                ((f"`{code}`" if code != "any other" else code, *failure) for code, failure in late),
            ),
            "",
        )
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - its output is the page
