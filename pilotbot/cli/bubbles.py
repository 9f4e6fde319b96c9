"""A bot's messages in the terminal, as a phone shows them. What anybody wrote is text, never markup of the terminal's."""

import re

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from pilotbot.testing import Answer
from pilotbot.testing.wording import printable

WIDTH = 64
FILES = {
    "image": "🖼  image",
    "video": "🎬 video",
    "audio": "🎵 audio",
    "voice": "🎤 voice note",
    "document": "📄 document",
    "sticker": "sticker",
}
STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}

# WhatsApp's marks hug what they mark, and stand at the edges of words.
_MARKED = re.compile(r"(?<!\w)(?:```(?P<code>.+?)```|(?P<mark>[*_~`])(?P<text>[^\s*_~`](?:[^\n]*?[^\s])??)(?P=mark))(?!\w)", re.DOTALL)


def message(answer: Answer) -> RenderableType:
    """A message that arrived, with its options numbered."""
    parts: list[RenderableType] = []
    if answer.media_kind:
        parts.append(Text(f"{FILES.get(answer.media_kind, answer.media_kind)}  {_short(answer.media_url or '')}", style="dim"))
    if answer.header:
        parts.append(Text(printable(answer.header), style="bold"))
    if answer.text or answer.caption:
        parts.append(marked(answer.text or answer.caption or ""))
    if answer.footer:
        parts.append(Text(printable(answer.footer), style="dim"))
    parts += [Text.assemble((f" {at} ", "reverse green"), " ", printable(label)) for at, label in enumerate(answer.options, 1)]
    mode = f"template {answer.template}" if answer.template else answer.mode
    ticks = Text.assemble(f"{mode} ", ("✓✓", "blue" if answer.status == "READ" else "dim"))
    return Padding(Panel(Group(*parts), subtitle=ticks, subtitle_align="right", width=WIDTH, border_style="green"), (0, 0, 0, 2))


def to_another(who: str, answer: Answer) -> RenderableType:
    """A message that went to somebody else."""
    return Group(Text(f"  to {who}:", style="dim"), message(answer))


def event(text: str) -> RenderableType:
    """Something that is no message."""
    return Text(printable(text), style="dim")


def letter(text: str) -> RenderableType:
    """Something that the bot gave up."""
    return Text(f"  the bot failed: {printable(text)}", style="bold red")


def marked(text: str) -> Text:
    """A text with WhatsApp's marks (`*bold*`, `_italic_`, `~gone~`, code) shown as what they mean."""
    text = printable(text)
    shown, end = Text(), 0
    for found in _MARKED.finditer(text):
        shown.append(text[end : found.start()])
        end = found.end()
        if found["code"] is not None:
            shown.append(found["code"], style=STYLES["`"])
        elif found["mark"] == "`":
            shown.append(found["text"], style=STYLES["`"])
        else:
            inner = marked(found["text"])
            inner.stylize(STYLES[found["mark"]])
            shown.append_text(inner)
    return shown.append(text[end:])


def _short(url: str) -> str:
    return "" if url.startswith("data:") else printable(url)
