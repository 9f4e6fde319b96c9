"""The events that the bot makes itself: read as they were written, and nothing else."""

import orjson
import pytest

from pilotbot.events import OWN, Alert, HandedBack, HandedOver, Unknown, alert, decode, handed_back, handed_over


def test_they_are_read_as_they_were_written() -> None:
    over = decode(handed_over("a", queue="sales", note="wants 40", by="handler", at=5))
    back = decode(handed_back("b", by="time", at=6))
    told = decode(alert("c", what="disconnected", number="main", detail="closed", at=7))
    assert isinstance(over, HandedOver)
    assert (over.id, over.queue, over.note, over.by, over.at) == ("a", "sales", "wants 40", "handler", 5)
    assert isinstance(back, HandedBack)
    assert (back.id, back.by, back.at) == ("b", "time", 6)
    assert isinstance(told, Alert)
    assert (told.id, told.what, told.number, told.detail, told.at) == ("c", "disconnected", "main", "closed", 7)
    assert {type(over), type(back), type(told)} < set(OWN)


@pytest.mark.parametrize("name", ["handover.started", "handover.ended", "alert.raised", "handover.other", "alert.other"])
@pytest.mark.parametrize("data", [{}, {"id": "x"}, {"id": ["x"], "by": 1}])
def test_what_lacks_a_field_or_has_another_name_is_unknown(name: str, data: dict[str, object]) -> None:
    assert isinstance(decode(orjson.dumps({"event": name, "data": data})), Unknown)
