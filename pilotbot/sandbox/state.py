"""The sandbox's tables: in memory, saved through the store, each change told to the phone page's stream."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson
from pydantic import TypeAdapter

from pilotbot.sandbox.clock import DAY_MS, Clock
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.records import Answer, Chat, Delivery, Media, Message, Number, Template, TemplateVersion, Webhook
from pilotbot.sandbox.rules import contact_key
from pilotbot.sandbox.settings import SandboxSettings
from pilotbot.sandbox.store import Store

_MESSAGES = TypeAdapter(Message)
_CHATS = TypeAdapter(Chat)
_TEMPLATES = TypeAdapter(Template)
_WEBHOOKS = TypeAdapter(Webhook)
_DELIVERIES = TypeAdapter(Delivery)
_ANSWERS = TypeAdapter(Answer)
_MEDIA = TypeAdapter(Media)

ChatKey = tuple[str, str]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Meta:
    """What the sandbox remembers of itself."""

    offset_ms: int
    seeded: tuple[str, ...] = ()


_META = TypeAdapter(Meta)


def new_id(prefix: str = "cm") -> str:
    """An opaque id such as the platform gives."""
    return prefix + secrets.token_hex(12)


class State:
    """All records, by id, with the few look-ups that the verbs need."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self.numbers: dict[str, Number] = {number.id: number for number in settings.numbers}
        self.messages: dict[str, Message] = {}
        self.chats: dict[ChatKey, Chat] = {}
        self.templates: dict[str, Template] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.deliveries: OrderedDict[str, Delivery] = OrderedDict()
        self.answers: dict[tuple[str, str], Answer] = {}
        self.media: dict[str, Media] = {}
        self._alias: dict[str, str] = {}
        self._last_written: dict[ChatKey, str] = {}
        self._sequence = 0
        self._seeded: tuple[str, ...] = ()
        self._load()
        self._seed()

    # -- reading --------------------------------------------------------------------------------------------------

    def number(self, wanted: str | None) -> Number:
        """The number of this id or phone, or the first one.

        Raises:
            ApiError: 404 when there is no such number.
        """
        if wanted is None:
            return next(iter(self.numbers.values()))
        digits = wanted.lstrip("+")
        for number in self.numbers.values():
            if wanted == number.id or digits == number.phone.lstrip("+"):
                return number
        known = ", ".join(self.numbers)
        raise ApiError(404, f"No such number here; the sandbox has {known}", "NUMBER_NOT_FOUND")

    def message(self, wanted: str) -> Message | None:
        """The message of this internal id, correlation id or provider id."""
        return self.messages.get(wanted) or self.messages.get(self._alias.get(wanted, ""))

    def messages_of(self, number_id: str | None = None, contact: str | None = None) -> Iterator[Message]:
        """The messages in order of acceptance, of one number or all, with one contact or all."""
        key = None if contact is None else contact_key(contact)
        for message in self.messages.values():
            if number_id in {None, message.number_id} and key in {None, contact_key(message.contact)}:
                yield message

    def template(self, number_id: str, wanted: str) -> Template | None:
        """The template of this id or name on that number."""
        found = self.templates.get(wanted)
        if found is not None and found.number_id == number_id:
            return found
        mine = (template for template in self.templates.values() if template.number_id == number_id)
        return next((template for template in mine if template.name == wanted), None)

    def chat(self, number_id: str, contact: str) -> Chat | None:
        """The chat of a number with a contact, group or newsletter."""
        return self.chats.get((number_id, contact_key(contact)))

    def last_inbound(self, number_id: str, contact: str) -> int | None:
        """When the contact last wrote to the number, in milliseconds, if ever."""
        chat = self.chat(number_id, contact)
        return chat.last_inbound_ms if chat else None

    def last_written(self, number_id: str, contact: str) -> Message | None:
        """The last message the contact wrote to the number."""
        return self.messages.get(self._last_written.get((number_id, contact_key(contact)), ""))

    def active_webhooks(self, number_id: str | None = None) -> list[Webhook]:
        """The webhooks that are posted to, of one number or all."""
        return [hook for hook in self.webhooks.values() if hook.active and number_id in {None, hook.number_id}]

    @property
    def sequence(self) -> int:
        """The last number that a message or a delivery was given."""
        return self._sequence

    def next_seq(self) -> int:
        """A number that grows with each message and delivery."""
        self._sequence += 1
        return self._sequence

    # -- writing --------------------------------------------------------------------------------------------------

    def save_message(self, message: Message) -> None:
        """Keep a message, and the ids it may be asked for by."""
        self._index(message)
        self._store.put("message", message.id, orjson.dumps(message))

    def save_chat(self, chat: Chat) -> None:
        """Keep a chat."""
        key = (chat.number_id, contact_key(chat.contact))
        self.chats[key] = chat
        self._store.put("chat", " ".join(key), orjson.dumps(chat))

    def save_template(self, template: Template) -> None:
        """Keep a template."""
        self.templates[template.id] = template
        self._store.put("template", template.id, orjson.dumps(template))

    def delete_template(self, template: Template) -> None:
        """Forget a template."""
        del self.templates[template.id]
        self._store.delete("template", template.id)

    def save_webhook(self, webhook: Webhook) -> None:
        """Keep a webhook."""
        self.webhooks[webhook.id] = webhook
        self._store.put("webhook", webhook.id, orjson.dumps(webhook))

    def delete_webhook(self, webhook: Webhook) -> None:
        """Forget a webhook."""
        del self.webhooks[webhook.id]
        self._store.delete("webhook", webhook.id)

    def save_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery; the oldest settled ones make room."""
        self.deliveries[delivery.id] = delivery
        self._store.put("delivery", delivery.id, orjson.dumps(delivery))
        while len(self.deliveries) > self._settings.kept_deliveries:
            oldest = next(iter(self.deliveries.values()))
            if oldest.status == "PENDING":
                break
            del self.deliveries[oldest.id]
            self._store.delete("delivery", oldest.id)

    def save_answer(self, answer: Answer) -> None:
        """Remember what an idempotency key was answered, and forget those of more than 24 hours ago."""
        while self.answers and answer.created_ms - (oldest := next(iter(self.answers.values()))).created_ms >= DAY_MS:
            self.forget_answer(oldest)
        self.answers[answer.number_id, answer.key] = answer
        self._store.put("answer", f"{answer.number_id} {answer.key}", orjson.dumps(answer))

    def forget_answer(self, answer: Answer) -> None:
        """Forget an idempotency key."""
        del self.answers[answer.number_id, answer.key]
        self._store.delete("answer", f"{answer.number_id} {answer.key}")

    def save_media(self, media: Media) -> None:
        """Keep what is known of an uploaded file."""
        self.media[media.id] = media
        self._store.put("media", media.id, orjson.dumps(media))

    def save_meta(self) -> None:
        """Keep the clock's offset, and which numbers were given their templates."""
        self._store.put("meta", "sandbox", orjson.dumps(Meta(self._clock.offset_ms, self._seeded)))

    def forget(self) -> None:
        """Forget messages, contacts, media, idempotency keys and deliveries; keep numbers, templates and webhooks."""
        self.messages.clear()
        self.chats.clear()
        self.deliveries.clear()
        self.answers.clear()
        self.media.clear()
        self._alias.clear()
        self._last_written.clear()
        with self._store.together():
            for kind in ("message", "chat", "delivery", "answer", "media"):
                self._store.clear(kind)

    # -- starting -------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read all tables; what belongs to a number that is no longer set up stays on disk, unseen."""
        for meta in self._read("meta", _META):
            self._clock.offset_ms, self._seeded = meta.offset_ms, meta.seeded
        mine = self.numbers.keys()
        for message in self._read("message", _MESSAGES):
            self._sequence = max(self._sequence, message.seq)
            if message.number_id in mine:
                self._index(message)
        chats = (item for item in self._read("chat", _CHATS) if item.number_id in mine)
        self.chats = {(item.number_id, contact_key(item.contact)): item for item in chats}
        self.templates = {item.id: item for item in self._read("template", _TEMPLATES) if item.number_id in mine}
        self.webhooks = {item.id: item for item in self._read("webhook", _WEBHOOKS) if item.number_id in mine}
        self.deliveries.update((item.id, item) for item in self._read("delivery", _DELIVERIES))
        self.answers = {(item.number_id, item.key): item for item in self._read("answer", _ANSWERS)}
        self.media = {item.id: item for item in self._read("media", _MEDIA)}
        self._sequence = max((self._sequence, *(item.seq for item in self.deliveries.values())))

    def _read(self, kind: str, shape: TypeAdapter[Record]) -> Iterator[Record]:
        return (shape.validate_json(raw) for raw in self._store.load(kind))

    def _index(self, message: Message) -> None:
        if message.direction == "in" and message.type != "reaction" and message.id not in self.messages:
            self._last_written[message.number_id, contact_key(message.contact)] = message.id
        self.messages[message.id] = message
        for alias in (message.correlation_id, message.message_id):
            if alias is not None:
                self._alias.setdefault(alias, message.id)

    def _seed(self) -> None:
        """Give each number its first templates, once: one that was deleted stays deleted."""
        now = self._clock.now_ms()
        fresh = [number for number in self.numbers.values() if number.id not in self._seeded]
        for number in fresh:
            for seed in self._settings.templates:
                version = TemplateVersion(seed.components(), seed.status, now)
                template_id = f"tpl_{number.id.removeprefix('num_')}_{seed.name}"
                self.save_template(Template(template_id, number.id, seed.name, seed.category, seed.language, (version,)))
        self._seeded += tuple(number.id for number in fresh)
        self.save_meta()
