"""What the typed events tell, and what they keep to themselves."""

from datetime import UTC, datetime

import pytest

from pilotbot.events import Event, Group, Inbound, Media, Newsletter, Received, Reply, Status, Tap

SENDER = "+5511987650001"
FILE = Media("image", url="https://example.com/secret.jpg", filename="secret.jpg")


@pytest.mark.parametrize(
    ("at", "time"),
    [
        (1_795_190_401_114, datetime(2026, 11, 20, 16, 0, 1, 114_000, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (None, None),
        (10**18, None),
        (10**30, None),
    ],
)
def test_the_time_of_an_event(at: int | None, time: datetime | None) -> None:
    assert Event(name="message.received", id="1", at=at).time == time


@pytest.mark.parametrize(
    "event",
    [
        Received(name="x", id="1", sender=SENDER, sender_name="secret", text="secret", media=FILE, tap=Tap("secret", "secret")),
        Reply(name="x", id="1", sender=SENDER, quoted_text="secret"),
        Group(name="x", id="1", sender=SENDER, group_id="1@g.us", group_name="secret"),
        Newsletter(name="x", id="1", sender=SENDER, newsletter_id="1@newsletter", newsletter_name="secret"),
        Status(name="x", id="1", status="failed", to=SENDER, error="secret"),
    ],
)
def test_a_repr_shows_nothing_personal(event: Inbound | Status) -> None:
    assert "secret" not in repr(event) + str(event)
    assert "5511987650001" not in repr(event)
