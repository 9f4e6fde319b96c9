"""Outbox items: what waits in a chat's lane, rendered, as one string.

`<header JSON>\\n<free><template><menu>`: the lane script reads the header and pins a variant; the sender posts the bytes of the pinned
variant as they lie here, each time the same, under a key that names item and variant (design section 3.4).
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

import orjson

Pin = Literal["free", "template"]
ClosedPolicy = Literal["defer", "skip", "fail"]
Purpose = Literal["utility", "marketing", "authentication"]

POLICIES: dict[str, ClosedPolicy] = {"d": "defer", "s": "skip", "f": "fail"}
PURPOSES: dict[str, Purpose] = {"u": "utility", "m": "marketing", "a": "authentication"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message to send, with all its variants; empty bytes mean that a variant does not exist.

    `group` names the content that an item is a part of, where it has several and what became of the first part decides for all: the
    `rest` goes only if that went free-form. `business` items were not asked for by the contact: they are paced, and not posted after an
    opt-out. `generation` is the chat's when an item was said that waits for silence: not posted once the contact wrote again.

    `leads`: nothing else is posted before this one was reported sent, or a while went by. `deliver_at` (business ms) is in the bytes as
    well: the window that counts is that of then. Not posted first: after `expires` (business ms); in `quiet` hours, (start, end) in minutes
    of the day, UTC; where the chat got `cap` = (most, within ms) such items; where `opt_in` is needed for its `purpose` and not there.
    `cause` is the id of the event that it was said in, for its record. `follow_up`: it is one that fired, and not posted while a person has
    the chat. `unshown`: the template does not show the options of `menu`.
    """

    id: str
    free: bytes = b""
    template: bytes = b""
    menu: bytes = b""
    enforced: bool = False
    closed: ClosedPolicy = "defer"
    again: bool = False
    group: str = ""
    rest: bool = False
    business: bool = False
    generation: int | None = None
    leads: bool = False
    deliver_at: int | None = None
    expires: int | None = None
    purpose: Purpose = "utility"
    opt_in: bool = False
    quiet: tuple[int, int] | None = None
    cap: tuple[int, int] | None = None
    cause: str = ""
    follow_up: bool = False
    unshown: bool = False

    def pack(self) -> bytes:
        """As it is stored: as often as there are messages that wait, so that what is usual is left out."""
        header = {
            "id": self.id, "f": len(self.free), "t": len(self.template), "m": len(self.menu), "w": int(self.enforced),
            "p": "" if self.closed == "defer" else self.closed[0], "a": int(self.again), "g": self.group, "r": int(self.rest),
            "b": int(self.business), "n": self.generation, "l": int(self.leads), "d": self.deliver_at, "x": self.expires,
            "u": "" if self.purpose == "utility" else self.purpose[0], "y": int(self.opt_in), "q": self.quiet, "k": self.cap,
            "c": self.cause, "o": int(self.follow_up), "s": int(self.unshown),
        }  # fmt: skip
        said = orjson.dumps({name: value for name, value in header.items() if value or (name == "n" and value is not None)})
        return said + b"\n" + self.free + self.template + self.menu

    @classmethod
    def unpack(cls, stored: bytes) -> "Item":
        """Read what `pack` wrote."""
        line, _, payload = stored.partition(b"\n")
        header = orjson.loads(line)
        free_end = header.get("f", 0)
        template_end = free_end + header.get("t", 0)
        return cls(
            id=header.get("id", ""),
            free=payload[:free_end],
            template=payload[free_end:template_end],
            menu=payload[template_end : template_end + header.get("m", 0)],
            enforced=bool(header.get("w")),
            closed=POLICIES[header.get("p", "d")],
            again=bool(header.get("a")),
            group=header.get("g", ""),
            rest=bool(header.get("r")),
            business=bool(header.get("b")),
            generation=header.get("n"),
            leads=bool(header.get("l")),
            deliver_at=header.get("d"),
            expires=header.get("x"),
            purpose=PURPOSES[header.get("u", "u")],
            opt_in=bool(header.get("y")),
            quiet=_pair(header.get("q")),
            cap=_pair(header.get("k")),
            cause=header.get("c", ""),
            follow_up=bool(header.get("o")),
            unshown=bool(header.get("s")),
        )

    @classmethod
    def unpack_all(cls, stored: bytes) -> "tuple[Item, ...]":
        """Read several that lie one behind the other."""
        found = []
        while stored:
            item = cls.unpack(stored)
            found.append(item)
            line = stored.index(b"\n") + 1
            stored = stored[line + len(item.free) + len(item.template) + len(item.menu) :]
        return tuple(found)

    def shown(self, pin: Pin) -> bytes:
        """The menu that a variant shows."""
        return b"" if pin == "template" and self.unshown else self.menu

    def body(self, pin: Pin) -> bytes:
        """The bytes to post for a variant."""
        return self.free if pin == "free" else self.template

    def key(self, pin: Pin) -> str:
        """The Idempotency-Key of a variant: the same for every retry, in every process (contract 3.7)."""
        return sha256(f"{self.id}\0{pin}".encode()).hexdigest()[:40]

    def decided_again(self) -> "Item":
        """The same content under a new identity, to be decided once more after a late refusal (design section 3.5)."""
        return replace(self, id=derived_id(self.id, "again"), again=True)


def _pair(stored: list[int] | None) -> tuple[int, int] | None:
    return None if stored is None else (stored[0], stored[1])


def derived_id(*parts: str | int) -> str:
    """An id that follows from where the item comes from, so that a second run of the same turn makes the same one."""
    return sha256("\0".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
