"""A local Pilot Status: the same paths, bodies, errors and late failures, with a clock and faults of its own.

It imports nothing of the framework, so that it stays a fair judge. Where the contract is silent, it invents:

- two bodies under one `Idempotency-Key` are the same if their bytes are;
- sends while `disconnected` are refused with 409, to contacts too; a closed flow window is a 400;
- Meta numbers that are no Official Business Account get `META_GROUPS_NOT_ELIGIBLE`;
- a tenant key that names a number may do all but send (`tenant_sends` lets it);
- deliveries are tried again after the seconds of `retry_schedule`, ten minutes in all, on the sandbox's clock;
- first attempts are in order within a chat, not between chats;
- a tap arrives as ``message.reply`` with the label as `content` (`tapAs` gives the other known forms);
- a place and contact cards arrive as JSON in `content`, a reaction as its emoji with `quotedMessageId`; it does not open the window;
- what is sent to a contact that blocked the number is SENT and never delivered;
- a Brazilian mobile is one contact with and without the ninth digit;
- after a leap of the clock, what was due in between is judged as of when it was due;
- POST of a webhook or a template answers 201, DELETE ``{"ok": true}``; unknown event names are dropped;
- a 429 carries ``Retry-After: 1`` and `retryAfterSeconds`.
"""

from pilotbot.sandbox.app import Pending, Sandbox
from pilotbot.sandbox.records import ApiKey, Number
from pilotbot.sandbox.settings import SandboxSettings, TemplateSeed

__all__ = ["ApiKey", "Number", "Pending", "Sandbox", "SandboxSettings", "TemplateSeed"]
