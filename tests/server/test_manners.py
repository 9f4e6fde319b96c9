"""From policy and delivery to items, requests and forecasts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from pilotbot.contacts import Human, Window
from pilotbot.context import Contact
from pilotbot.engine import Item
from pilotbot.replies import DEFAULT, Cap, Delivery, Destination, Message, Policy, Quiet, Rendered, Saying, Template, image, render
from pilotbot.server.manners import Manners, Standing, delivered, manners
from pilotbot.server.saying import items_of, say
from pilotbot.settings import NumberSettings

ANA = Destination("contact", "+5511987650001")
NOW = datetime(2026, 11, 25, 15, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY = timedelta(days=1)
AT, UNTIL = NOW + timedelta(hours=2), NOW + timedelta(hours=3)
ALL = Delivery(mark_read=False, labels=["vip"], at=AT, until=UNTIL, ai_rewrite=True)


def how(policy: Policy, delivery: Delivery | None = None, **more: Any) -> Manners:
    given: dict[str, Any] = {"business": True, "contact": Contact(ANA.address), "now": NOW_MS, "due": NOW_MS, "asked": None}
    return manners(policy.over(DEFAULT), delivery or Delivery(), **{**given, **more})


def requests(rendered: Rendered) -> list[dict[str, Any]]:
    return [orjson.loads(one.to_bytes()) for part in rendered.parts for one in (part.free, part.template) if one is not None]


class TestDelivered:
    def test_each_variant_has_what_it_can_have(self) -> None:
        content = render(Message("Hi", template=Template("follow_up")), to=ANA, kind="meta")
        free, template = requests(delivered(content, ALL, meta=True))
        both = {"labels": ["vip"], "deliverAt": "2026-11-25T17:00:00Z", "deliverUntil": "2026-11-25T18:00:00Z", "markRead": False}
        assert {name: free.get(name) for name in both} == both
        assert {name: template.get(name) for name in both} == both
        assert template["marketingOptions"] == {"aiRewriteEnabled": True}
        assert "marketingOptions" not in free

    def test_read_marks_are_metas(self) -> None:
        for meta in (True, False):
            (free,) = requests(delivered(render("Hi", to=ANA, kind="evolution_v2"), Delivery(mark_read=True), meta=meta))
            assert ("markRead" in free) == meta

    def test_the_labels_go_once_and_the_times_with_each(self) -> None:
        first, second = requests(delivered(render("x" * 5000, to=ANA, kind="meta"), ALL, meta=True))
        assert ("labels" in first, "labels" in second) == (True, False)
        assert first["deliverAt"] == second["deliverAt"]

    def test_nothing_that_was_not_asked_for(self) -> None:
        content = render("Hi", to=ANA, kind="meta")
        assert delivered(content, Delivery(), meta=True) == content


class TestManners:
    def test_an_answer_has_no_policies_of_a_business(self) -> None:
        policy = Policy(purpose="marketing", quiet=Quiet("21:00", "08:00"), cap=Cap(1, DAY), answer_within=timedelta(minutes=1))
        assert how(policy, business=False, asked=NOW_MS) == Manners(business=False, expires=NOW_MS + 60_000)

    def test_those_of_a_business_message(self) -> None:
        policy = Policy(purpose="marketing", quiet=Quiet("21:00", "08:00"), cap=Cap(2, DAY), answer_within=timedelta(minutes=1))
        assert how(policy) == Manners(business=True, purpose="marketing", opt_in=True, quiet=(0, 660), cap=(2, 86_400_000))

    @pytest.mark.parametrize(
        ("policy", "more", "expected"),
        [
            (Policy(purpose="marketing"), {}, True),
            (Policy(purpose="marketing", opt_in="assumed"), {}, False),
            (Policy(), {}, False),
            (Policy(purpose="authentication"), {}, False),
            (Policy(purpose="marketing"), {"contact": None}, False),  # a group
        ],
    )
    def test_who_needs_an_opt_in(self, policy: Policy, more: dict[str, Any], expected: bool) -> None:
        assert how(policy, **more).opt_in is expected

    def test_the_sooner_end_counts(self) -> None:
        policy = Policy(answer_within=timedelta(hours=1))
        asked = {"business": False, "asked": NOW_MS}
        assert how(policy, Delivery(until=UNTIL), **asked).expires == NOW_MS + 3_600_000
        assert how(policy, Delivery(until=NOW + timedelta(minutes=1)), **asked).expires == NOW_MS + 60_000

    def test_the_hours_are_those_of_when_it_is_to_go(self) -> None:
        """In New York the clocks change between the two."""
        policy = Policy(quiet=Quiet("21:00", "08:00"))
        contact = Contact(ANA.address, timezone="America/New_York")
        spring = round(datetime(2027, 4, 1, tzinfo=UTC).timestamp() * 1000)
        assert how(policy, contact=contact).quiet == (120, 780)
        assert how(policy, contact=contact, due=spring).quiet == (60, 720)

    def test_further_than_a_year_ahead_is_refused(self) -> None:
        with pytest.raises(ValueError, match="within a year"):
            how(Policy(), Delivery(at=NOW + timedelta(days=400)))

    def test_a_cap_counts_contents_and_what_is_scheduled_does_not_lead(self) -> None:
        on = Manners(business=True, cap=(1, 5), deliver_at=7).on
        first, rest = on(Item(id="a", leads=True)), on(Item(id="b", rest=True))
        assert (first.cap, rest.cap, first.leads, rest.deliver_at) == ((1, 5), None, False, 7)


class TestStanding:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({}, 0),
            ({"consent": b"5"}, 5),
            ({"consent": b"5", "consent:marketing": b"-9"}, -9),
            ({"consent": b"-9", "consent:marketing": b"5"}, -9),
        ],
    )
    def test_the_later_decision_holds(self, fields: dict[str, bytes], expected: int) -> None:
        assert Standing(fields).mark("marketing") == expected
        assert Standing(fields).mark("utility") == int(fields.get("consent", b"0"))

    def test_a_person_has_the_chat_until_their_time_is_over(self) -> None:
        standing = Standing({"human": Human(since=0, until=NOW_MS, by="operator").dump()})
        assert standing.has_human(NOW_MS - 1)
        assert not standing.has_human(NOW_MS)
        assert not Standing({"human": b""}).has_human(0)
        assert not Standing({}).has_human(0)


class TestSay:
    def said(self, content: Message | str, *, leads: bool = False, standing: Standing | None = None, **more: Any) -> Any:
        return say(
            Saying(content=content, **more), to=ANA, number=NumberSettings(name="main"), contact=Contact(ANA.address),
            seen=Window("open", closes_at=AT), now=NOW_MS, policy=Policy(), base="b0", given={}, chat="0123456789abcdef", leads=leads,
            standing=standing,
        )  # fmt: skip

    def test_the_id_of_an_outcome_names_its_items(self) -> None:
        said = self.said("x" * 9000)
        assert items_of(said.outcome.id) == ("0123456789abcdef", [item.id for item in said.items])

    def test_the_last_part_of_what_leads_leads(self) -> None:
        assert [item.leads for item in self.said("x" * 5000, leads=True).items] == [False, True]

    def test_several_messages_that_nobody_asked_for_go_or_stay_together(self) -> None:
        answer, notice = self.said("x" * 5000).items, self.said("x" * 5000, standing=Standing({})).items
        assert [(item.group, item.rest) for item in answer] == [("", False)] * 2
        assert [(item.group, item.rest) for item in notice] == [("b0", False), ("b0", True)]

    def test_the_window_that_counts_is_that_of_the_delivery(self) -> None:
        assert self.said("Hi", delivery=Delivery(at=AT - timedelta(seconds=1))).outcome.expected_mode == "text"
        assert self.said("Hi", delivery=Delivery(at=AT)).outcome.why == "window"

    def test_a_plain_answer_carries_nothing_more(self) -> None:
        (item,) = self.said(Message("Hi", media=image("https://files.example.com/a.jpg"))).items
        assert item == Item(id=item.id, free=item.free, enforced=True)
