"""What the bot says: messages, templates, options, and the choice of mode (design section 6)."""

from pilotbot.replies.actions import Action, Option, action_class
from pilotbot.replies.choose import Deferred, Planned, Queued, Skipped, choose, forecast
from pilotbot.replies.destination import Destination, NumberKind, window_enforced
from pilotbot.replies.errors import ContentError, Unsendable
from pilotbot.replies.folding import fold
from pilotbot.replies.menu import Ambiguous, Choice, Entry, Menu, recognise
from pilotbot.replies.messages import RESERVED, File, Message, Template, audio, document, image, sticker, video, voice
from pilotbot.replies.policy import DEFAULT, Cap, ClosedPolicy, Delivery, Policy, Purpose, Quiet
from pilotbot.replies.render import Part, Rendered, render
from pilotbot.replies.saying import Saying

__all__ = [
    "DEFAULT",
    "RESERVED",
    "Action",
    "Ambiguous",
    "Cap",
    "Choice",
    "ClosedPolicy",
    "ContentError",
    "Deferred",
    "Delivery",
    "Destination",
    "Entry",
    "File",
    "Menu",
    "Message",
    "NumberKind",
    "Option",
    "Part",
    "Planned",
    "Policy",
    "Purpose",
    "Queued",
    "Quiet",
    "Rendered",
    "Saying",
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
