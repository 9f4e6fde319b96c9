"""The Pilot Status client: what is sent, what comes back, what may go wrong, and the calls (contract 1 to 8.1)."""

from pilotbot.platform.client import PilotStatus
from pilotbot.platform.errors import Family, PlatformError, classify, network_error
from pilotbot.platform.failures import FailureFamily, failure_family, failure_remedy
from pilotbot.platform.requests import (
    Button,
    CallButton,
    CopyButton,
    Header,
    ListBlock,
    MarketingOptions,
    MediaType,
    Mode,
    ReplyButton,
    Row,
    Section,
    SendRequest,
    UrlButton,
)
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
    "Button",
    "CallButton",
    "CancelResult",
    "CopyButton",
    "FailureFamily",
    "Family",
    "Header",
    "HistoryMedia",
    "HistoryPage",
    "HistoryRow",
    "ListBlock",
    "MarketingOptions",
    "MediaType",
    "MessageStatus",
    "Mode",
    "PilotStatus",
    "PlatformError",
    "ReplyButton",
    "Row",
    "Section",
    "SendRequest",
    "TemplateInfo",
    "UrlButton",
    "Webhook",
    "WebhookLog",
    "backoff",
    "classify",
    "failure_family",
    "failure_remedy",
    "network_error",
    "retry_after",
]
