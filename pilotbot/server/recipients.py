"""Whom we write to on our own: the chat, its window, what they decided; and messages to them as notices (design 3.2, 3.6, 3.13)."""

from dataclasses import dataclass, replace

from pilotbot.contacts import Window, address, canonical, sendable
from pilotbot.context import Contact, Outcome
from pilotbot.engine import (
    Consent,
    Decision,
    Engine,
    Notice,
    Place,
    PutAside,
    derived_id,
)
from pilotbot.replies import (
    Destination,
    Policy,
    Saying,
    Skipped,
    window_enforced,
)
from pilotbot.server.saying import Numbers, Said, destination, say, whole, window_of
from pilotbot.server.turn_engine import TurnEngine
from pilotbot.settings import NumberSettings

OPTED_OUT = "the contact opted out of messages that they did not ask for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somebody to write to on our own: the chat, and what is known of it now."""

    to: Destination
    place: Place
    number: NumberSettings
    contact: Contact
    seen: Window
    now: int
    last_inbound: int | None
    generation: int
    opted_out: bool

    def say(self, saying: Saying, *, occasion: str, policy: Policy) -> Said:
        """Render a content that nobody asked for, once per chat and `occasion`."""
        said = say(
            saying, to=self.to, number=self.number, contact=self.contact, seen=self.seen, now=self.now, policy=policy,
            base=derived_id(occasion, self.place.key.id), given={"contact": self.contact},
        )  # fmt: skip
        return replace(said, items=tuple(replace(item, business=True) for item in said.items))


async def whom(engine: TurnEngine, number: NumberSettings, who: str | Contact) -> Target:
    """The chat with somebody. Raises ValueError where `who` is no address."""
    to = destination(address(who.address if isinstance(who, Contact) else who))
    known = await known_as(engine, to.address) if to.kind == "contact" else to.address
    key = engine.keys.chat(number.name, canonical(known))
    chat = await engine.chat(key)
    if (seen := chat.fields.get("address")) is not None and sendable(seen.decode()):
        to = replace(to, address=seen.decode())  # the spelling that the platform knows the contact by (design section 3.2)
    name = chat.fields.get("name", b"").decode() or None
    mark = whole(chat.fields.get("consent"))
    if mark is None and to.kind == "contact":  # a chat that began after the contact decided, on another number of ours, is told now
        person = engine.keys.person(canonical(known))
        if mark := await engine.consent(person):
            await engine.tell_consent(key, mark)
    return Target(
        to=to, place=Place(key=key, number=number.name, kind=to.kind, address=to.address), number=number,
        contact=who if isinstance(who, Contact) else Contact(to.address, name),
        seen=window_of(chat.fields, enforced=window_enforced(number.kind, to), now=chat.now, margin=engine.terms.margin),
        now=chat.now, last_inbound=whole(chat.fields.get("in")),
        generation=whole(chat.fields.get("generation")) or 0, opted_out=(mark or 0) > 0,
    )  # fmt: skip


async def known_as(engine: TurnEngine, to: str) -> str:
    """The address that a contact is known by: the phone of a BSUID, where it was learned."""
    return to if to.startswith("+") else await engine.alias(to) or to


async def decision(engine: TurnEngine, numbers: Numbers, to: str, entry: Consent) -> Decision:
    """What a contact decided, with all their chats."""
    known = await known_as(engine, to)
    other = await engine.alias(known)
    names = (canonical(known), *((canonical(other),) if other else ()))
    chats = tuple(engine.keys.chat(number, name) for number in numbers.names for name in names)
    return Decision(entry=entry, person=engine.keys.person(names[0]), chats=chats)


async def joined(engine: Engine, numbers: Numbers, bsuid: str, phone: str) -> tuple[PutAside, ...]:
    """Learn whose phone a BSUID is: what the person decided under one holds under both. Returns what waited for their silence."""
    names = canonical(bsuid), canonical(phone)
    persons = [engine.keys.person(name) for name in names]
    ours, theirs = ([engine.keys.chat(number, name) for number in numbers.names] for name in names)
    put_aside = await engine.join(persons[0], persons[1], [*ours, *theirs], ours)
    await engine.learn_alias(bsuid, phone)  # last: after a crash before that, it is all done again
    return put_aside


async def compose(
    engine: TurnEngine, number: NumberSettings, who: str | Contact, saying: Saying, *, occasion: str, policy: Policy
) -> tuple[Notice | None, Outcome]:
    """A message to any chat, as a notice for its lane, with the forecast by that chat's window. Once per chat and `occasion`.

    There is no notice for those who opted out; who does so later is not written to either: the lane looks again.
    """
    target = await whom(engine, number, who)
    said = target.say(saying, occasion=occasion, policy=policy)
    if target.opted_out:
        return None, Skipped(OPTED_OUT)
    return Notice(place=target.place, items=said.items), said.outcome
