"""The Pilot Status client: what is sent, what comes back, what may go wrong, and the calls (contract 1 to 8.1)."""

from pilotbot.platform.blocks import CardBlock, CardMedia, CardReply, CardUrl, CarouselBlock, FlowBlock, ListBlock, Row, Section
from pilotbot.platform.client import PilotStatus
from pilotbot.platform.codes import Failure, FailureFamily, Family
from pilotbot.platform.errors import (
    AlreadySent,
    Blocked,
    PlatformError,
    Refused,
    Throttled,
    TryAgain,
    Unreadable,
    WindowClosed,
    classify,
    network_error,
)
from pilotbot.platform.failures import failure, failure_family, failure_remedy
from pilotbot.platform.fields import MediaType, Mode
from pilotbot.platform.media import MediaReader
from pilotbot.platform.requests import Button, CallButton, CopyButton, Header, MarketingOptions, ReplyButton, SendRequest, UrlButton
from pilotbot.platform.responses import (
    Accepted,
    CancelResult,
    HistoryMedia,
    HistoryPage,
    HistoryRow,
    MessageStatus,
    TemplateInfo,
    Webhook,
    WebhookLog,
)
from pilotbot.platform.retry import backoff, retry_after
from pilotbot.platform.transport import AiohttpTransport

__all__ = [
    "Accepted",
    "AiohttpTransport",
    "AlreadySent",
    "Blocked",
    "Button",
    "CallButton",
    "CancelResult",
    "CardBlock",
    "CardMedia",
    "CardReply",
    "CardUrl",
    "CarouselBlock",
    "CopyButton",
    "Failure",
    "FailureFamily",
    "Family",
    "FlowBlock",
    "Header",
    "HistoryMedia",
    "HistoryPage",
    "HistoryRow",
    "ListBlock",
    "MarketingOptions",
    "MediaReader",
    "MediaType",
    "MessageStatus",
    "Mode",
    "PilotStatus",
    "PlatformError",
    "Refused",
    "ReplyButton",
    "Row",
    "Section",
    "SendRequest",
    "TemplateInfo",
    "Throttled",
    "TryAgain",
    "Unreadable",
    "UrlButton",
    "Webhook",
    "WebhookLog",
    "WindowClosed",
    "backoff",
    "classify",
    "failure",
    "failure_family",
    "failure_remedy",
    "network_error",
    "retry_after",
]
