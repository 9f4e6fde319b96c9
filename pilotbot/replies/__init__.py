"""What the bot says: messages, templates, options, and the choice of mode (design section 6)."""

from pilotbot.replies.actions import Action, Option, action_class
from pilotbot.replies.blocks import Card, Carousel, Flow
from pilotbot.replies.choose import REASONS, Deferred, Planned, Queued, Skipped, Withheld, choose, decided, forecast, withheld
from pilotbot.replies.destination import Destination, NumberKind, window_enforced
from pilotbot.replies.errors import ContentError, ContentWarning, Unsendable
from pilotbot.replies.files import File, audio, document, image, sticker, video, voice
from pilotbot.replies.folding import fold
from pilotbot.replies.menu import Ambiguous, Choice, Entry, Menu
from pilotbot.replies.messages import RESERVED, ListWords, Message, Template
from pilotbot.replies.offers import Link, Offer, Section, copy_code, dial, link
from pilotbot.replies.policy import DEFAULT, Cap, ClosedPolicy, Delivery, Policy, Purpose, Quiet
from pilotbot.replies.recognise import recognise
from pilotbot.replies.render import Part, Rendered, next_page, render
from pilotbot.replies.saying import Saying
from pilotbot.replies.sent import SentMessage

__all__ = [
    "DEFAULT",
    "REASONS",
    "RESERVED",
    "Action",
    "Ambiguous",
    "Cap",
    "Card",
    "Carousel",
    "Choice",
    "ClosedPolicy",
    "ContentError",
    "ContentWarning",
    "Deferred",
    "Delivery",
    "Destination",
    "Entry",
    "File",
    "Flow",
    "Link",
    "ListWords",
    "Menu",
    "Message",
    "NumberKind",
    "Offer",
    "Option",
    "Part",
    "Planned",
    "Policy",
    "Purpose",
    "Queued",
    "Quiet",
    "Rendered",
    "Saying",
    "Section",
    "SentMessage",
    "Skipped",
    "Template",
    "Unsendable",
    "Withheld",
    "action_class",
    "audio",
    "choose",
    "copy_code",
    "decided",
    "dial",
    "document",
    "fold",
    "forecast",
    "image",
    "link",
    "next_page",
    "recognise",
    "render",
    "sticker",
    "video",
    "voice",
    "window_enforced",
    "withheld",
]
