"""Events, messages and follow-ups as the model knows them; and its figures, all hours apart."""

from collections import Counter
from dataclasses import dataclass, field, replace

from pilotbot.engine import HOUR, Item, Pin, Terms, Timer

TERMS = Terms(
    lease=HOUR // 4, patience=2_000, late_after=HOUR // 2, depth=5, high_water=10, contact_gap=HOUR, contact_burst=8, number_gap=1,
    number_burst=100_000, chat_gap=HOUR, chat_burst=3, sequence_wait=3 * HOUR // 2,
)  # fmt: skip
MEMORY = 8 * 24 * HOUR
BURST = TERMS.chat_gap * (TERMS.chat_burst - 1)


@dataclass(eq=False)
class Event:
    """What came in: `body` tells it from all others, `seq` is when it came, `blames` what became of it so far."""

    body: str
    time: int
    mark: str
    message: str
    opens: bool = True
    ages: bool = True
    keep_old: bool = False
    note_only: bool = False
    seq: int = 0
    generation: int | None = None  # the chat's when it was accepted; None for what was put back since
    blames: Counter[str] = field(default_factory=Counter)


@dataclass
class Pinned:
    """How the lane's first item goes. `inbound` is the contact's last message then; `known` that no post of it can have arrived."""

    variant: Pin
    inbound: int | None
    known: bool = True
    tries: int = 0


@dataclass
class Armed:
    """A follow-up that waits; `generation` where it waits for silence."""

    due: int
    timer: Timer
    generation: int | None


def label(item: Item) -> str:
    """What tells an item from all others: the number in its bytes, and whether it is decided again."""
    return (item.free or item.template).split(b"#")[1].decode() + "!" * item.again


def fired(item: Item, generation: int | None, who: str) -> Item:
    """An item of a follow-up as its lane has it: addressed, of the business, and never kept where it waits for silence."""

    def addressed(request: bytes) -> bytes:
        return b'{"destinationNumber":"' + who.encode() + b'",' + request[1:] if request else b""

    item = replace(item, business=True, generation=generation, free=addressed(item.free), template=addressed(item.template))
    return replace(item, closed="skip") if generation is not None and not item.template else item
