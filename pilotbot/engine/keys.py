"""Names of things in Redis: which shard a chat lives on, and what it is called there.

A key never holds a phone number: every name is a keyed hash (the installation's pepper), so that neither SLOWLOG nor MONITOR nor a
metric tells who writes to us. All keys that a script touches begin with one hash tag, `{pb:3}`: the same scripts run on a single
node, under Sentinel and on a Cluster (design sections 3.1, 3.2, 7).
"""

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class ChatKey:
    """Where a chat (or a message record) lives: its shard and its name there."""

    shard: int
    id: str

    def __str__(self) -> str:
        return f"{self.shard}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> "ChatKey":
        """Read what `str()` wrote. Raises ValueError for anything else."""
        shard, _, name = text.partition("/")
        if not name:
            raise ValueError(f"{text!r} is not a chat key (shard/name)")
        return cls(int(shard), name)


class Keyring:
    """Makes keys for one installation. `pepper` is its secret, `shards` the number fixed when it was set up."""

    def __init__(self, pepper: bytes, shards: int) -> None:
        self._pepper = pepper
        self.shards = shards

    def digest(self, text: str) -> str:
        """16 hex digits that stand for `text` in this installation."""
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=self._pepper).hexdigest()

    def chat(self, number: str, canonical: str) -> ChatKey:
        """The chat of one of our numbers (by configured name) with a canonical contact, group or newsletter."""
        return self.place(self.digest(f"{number}\0{canonical}"))

    def record(self, platform_id: str) -> ChatKey:
        """The record of a message that the platform gave this id, provider id or correlation id."""
        return self.place(self.digest(f"message\0{platform_id}"))

    def alias(self, address: str) -> ChatKey:
        """The record that says which phone a BSUID belongs to."""
        return self.place(self.digest(f"alias\0{address}"))

    def person(self, canonical: str) -> ChatKey:
        """What a person decided, whichever of our numbers they wrote to."""
        return self.place(self.digest(f"person\0{canonical}"))

    def place(self, digest: str) -> ChatKey:
        """Where what a digest stands for lives."""
        return ChatKey(int(digest[:8], 16) % self.shards, digest)


def base(shard: int) -> str:
    """What every key of a shard begins with: one hash tag, so one slot."""
    return f"{{pb:{shard}}}"


def compact(digest: str) -> str:
    """A digest as a decimal number of 64 bits: Redis keeps that in half the bytes."""
    return str(int.from_bytes(bytes.fromhex(digest), signed=True))


def spread(number: bytes) -> str:
    """The digest that `compact` wrote."""
    return int(number).to_bytes(8, signed=True).hex()
