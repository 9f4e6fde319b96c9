"""What the bot says: messages, templates, options, and the choice of mode (design section 6)."""

from pilotbot.replies.actions import Action, Option, action_class
from pilotbot.replies.choose import ClosedPolicy, Deferred, Planned, Queued, Skipped, choose, forecast
from pilotbot.replies.destination import Destination, NumberKind, window_enforced
from pilotbot.replies.errors import ContentError, Unsendable
from pilotbot.replies.folding import fold
from pilotbot.replies.menu import Ambiguous, Choice, Entry, Menu, recognise
from pilotbot.replies.messages import RESERVED, File, Message, Template, audio, document, image, sticker, video, voice
from pilotbot.replies.render import Part, Rendered, render

__all__ = [
    "RESERVED",
    "Action",
    "Ambiguous",
    "Choice",
    "ClosedPolicy",
    "ContentError",
    "Deferred",
    "Destination",
    "Entry",
    "File",
    "Menu",
    "Message",
    "NumberKind",
    "Option",
    "Part",
    "Planned",
    "Queued",
    "Rendered",
    "Skipped",
    "Template",
    "Unsendable",
    "action_class",
    "audio",
    "choose",
    "document",
    "fold",
    "forecast",
    "image",
    "recognise",
    "render",
    "sticker",
    "video",
    "voice",
    "window_enforced",
]
