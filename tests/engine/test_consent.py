"""What people decided: a ledger, and marks that the lane obeys."""

from dataclasses import replace

from redis import Redis

from pilotbot.engine import Consent, Decision, Effects, Engine, Item
from pilotbot.engine.keys import base
from tests.engine.steps import HOUR, arrival, claim, lane_of, now_ms, place, queue

OUT = Consent(what="out", at=1000, source="word", evidence="STOP", event="e1")
NOTICE = Item(id="n1", free=b"n", template=b"t", business=True)


def decision(engine: Engine, entry: Consent, who: str = "ana", *numbers: str) -> Decision:
    chats = tuple(place(engine, who, number=number).key for number in numbers or ("main",))
    return Decision(entry=entry, person=engine.keys.person(who), chats=chats)


async def barred(engine: Engine) -> list[str]:
    leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
    assert leases == []
    return [note.why for note in notes]


class TestLedger:
    async def test_the_newest_entry_holds_in_whatever_order_they_come(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        assert await engine.consents.of(person) == ({}, [])
        assert await engine.consents.record(person, replace(OUT, at=3000)) == {"all": 3000}
        assert await engine.consents.record(person, replace(OUT, what="in", at=2000)) == {"all": 3000}
        assert await engine.consents.record(person, replace(OUT, what="in", at=4000)) == {"all": -4000}
        state, ledger = await engine.consents.of(person)
        assert (state, [(entry.what, entry.at) for entry in ledger]) == ({"all": -4000}, [("in", 4000), ("out", 3000), ("in", 2000)])
        assert ledger[1] == replace(OUT, at=3000)

    async def test_the_same_entry_is_entered_once(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        for _ in range(3):
            await engine.consents.record(person, OUT)
        assert (await engine.consents.of(person))[1] == [OUT]

    async def test_a_hundred_are_kept(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        for at in range(105):
            await engine.consents.record(person, replace(OUT, at=at + 1))
        _, ledger = await engine.consents.of(person)
        assert (len(ledger), ledger[-1].at) == (100, 6)


class TestLane:
    async def test_nothing_that_a_business_began_goes_after_it_and_answers_do(self, engine: Engine) -> None:
        await queue(engine, NOTICE, Item(id="answer", free=b"a"))
        await engine.decide(decision(engine, OUT))
        leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        assert [lane.item.id for lane in leases] == ["answer"]
        assert [(note.item, note.what, note.why) for note in notes] == [("n1", "skip", "opted-out")]

    async def test_on_all_numbers(self, engine: Engine) -> None:
        await engine.decide(decision(engine, OUT, "ana", "main", "other"))
        for number in ("main", "other"):
            view = await engine.chat(place(engine, number=number).key)
            assert view.fields["consent"] == b"1000"

    async def test_an_opt_in_lets_it_go_again_and_an_older_opt_out_changes_nothing(self, engine: Engine) -> None:
        await engine.decide(decision(engine, OUT))
        await engine.decide(decision(engine, replace(OUT, what="in", at=2000)))
        await engine.decide(decision(engine, OUT))
        await engine.tell_consent(place(engine).key, {"all": 1500})
        await queue(engine, NOTICE)
        assert (await lane_of(engine)).item.id == "n1"

    async def test_what_was_refused_for_certain_is_looked_at_again_and_what_may_have_arrived_is_not(self, engine: Engine) -> None:
        await queue(engine, NOTICE)
        await engine.unsent(await lane_of(engine), "retry")
        await engine.decide(decision(engine, OUT))
        assert await barred(engine) == ["opted-out"]
        await engine.decide(decision(engine, replace(OUT, what="in", at=2000)))
        await queue(engine, replace(NOTICE, id="n2"))
        await engine.unsent(await lane_of(engine), "retry", unknown=True)
        await engine.decide(decision(engine, replace(OUT, at=3000)))
        lane = await lane_of(engine)
        assert (lane.item.id, lane.barred) == ("n2", "opted-out")

    async def test_a_turn_that_lost_its_lease_decides_nothing(self, engine: Engine, redis: Redis) -> None:
        await engine.accept(arrival(engine, "a"))
        stale = await claim(engine)
        redis.zadd(f"{base(stale.key.shard)}:lease", {stale.key.id: 0})
        await claim(engine)
        assert (await engine.commit(stale, Effects(decision=decision(engine, OUT)), keep=False, send=False)).outcome == "stale"
        assert await engine.consent(engine.keys.person("ana")) == {}

    async def test_what_was_held_goes_with_the_newest_message_handled_and_not_with_a_status(self, engine: Engine) -> None:
        await queue(engine, Item(id="news", free=b"n", enforced=True, business=True))
        await engine.claim_lanes(place(engine).key.shard, 10)
        await engine.accept(arrival(engine, "status", at=now_ms() - 5000, mark="s", opens_window=False))
        turn = await claim(engine)
        await engine.accept(arrival(engine, "stop"))
        await engine.commit(turn, Effects(), keep=False, send=False)
        assert (await engine.chat(place(engine).key)).held_items == 1

    async def test_a_letter_of_what_may_not_go_any_more_stays_one(self, engine: Engine) -> None:
        await queue(engine, NOTICE)
        await engine.unsent(await lane_of(engine), "dead", reason="r", detail="d")
        await engine.decide(decision(engine, OUT))
        (letter,) = await engine.dead_letters()
        assert not await engine.retry_dead(letter.id)
        assert len(await engine.dead_letters()) == 1


class TestPurposes:
    async def test_the_latest_of_all_and_of_a_purpose_is_known_apart(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        await engine.consents.record(person, replace(OUT, at=3000, purpose="marketing"))
        assert await engine.consents.record(person, replace(OUT, what="in", at=2000)) == {"all": -2000, "marketing": 3000}
        assert await engine.consents.record(person, replace(OUT, what="in", at=2500, purpose="marketing")) == {
            "all": -2000,
            "marketing": 3000,
        }

    async def test_a_hundred_of_one_purpose_do_not_push_out_what_holds_of_another(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        await engine.consents.record(person, OUT)
        for at in range(2000, 2105):
            await engine.consents.record(person, replace(OUT, at=at, purpose="marketing"))
        marks, ledger = await engine.consents.of(person)
        assert (marks, len(ledger), ledger[-1]) == ({"all": 1000, "marketing": 2104}, 100, OUT)

    async def test_of_two_at_one_time_the_no_holds_in_the_ledger_and_in_the_chat(self, engine: Engine) -> None:
        for first, second in (("in", "out"), ("out", "in")):
            who = f"ana-{first}"
            for what in (first, second):
                await engine.decide(decision(engine, replace(OUT, what=what), who))  # type: ignore[arg-type]
            assert await engine.consent(engine.keys.person(who)) == {"all": 1000}
            assert (await engine.chat(place(engine, who).key)).fields["consent"] == b"1000"

    async def test_an_opt_out_of_marketing_bars_marketing_only(self, engine: Engine) -> None:
        await engine.decide(decision(engine, replace(OUT, purpose="marketing")))
        await queue(engine, replace(NOTICE, id="advert", purpose="marketing"), NOTICE)
        leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        assert [lane.item.id for lane in leases] == ["n1"]
        assert [(note.item, note.why) for note in notes] == [("advert", "opted-out")]

    async def test_marketing_that_needs_it_goes_only_after_an_opt_in(self, engine: Engine) -> None:
        advert = replace(NOTICE, purpose="marketing", opt_in=True)
        await queue(engine, replace(advert, id="a"))
        assert await barred(engine) == ["no-opt-in"]
        await engine.decide(decision(engine, replace(OUT, what="in", purpose="marketing")))
        await queue(engine, replace(advert, id="b"))
        assert (await lane_of(engine)).item.id == "b"

    async def test_who_is_forgotten_leaves_a_no_that_holds_without_its_evidence_and_nothing_older_is_entered(self, engine: Engine) -> None:
        person = engine.keys.person("ana")
        for entry in (replace(OUT, purpose="utility"), replace(OUT, what="in", at=2000), replace(OUT, at=3000, purpose="marketing")):
            await engine.consents.record(person, entry)
        assert await engine.consents.forget(person) == {"marketing": 3000}
        (entry,) = (await engine.consents.of(person))[1]
        assert (entry.what, entry.evidence, entry.event, entry.source) == ("out", "", "", "forgotten")
        assert await engine.consents.record(person, replace(OUT, what="in", at=4000)) == {"marketing": 3000}
        assert await engine.consents.record(person, replace(OUT, at=4000)) == {"marketing": 3000, "all": 4000}  # a no always
        (entry, _) = (await engine.consents.of(person))[1]
        assert (entry.evidence, entry.event, entry.source) == ("", "", "forgotten")
        later = now_ms() + 1000
        assert await engine.consents.record(person, replace(OUT, what="in", at=later)) == {"marketing": 3000, "all": -later}

    async def test_nothing_is_kept_for_good_of_who_had_not_opted_out(self, engine: Engine, redis: Redis) -> None:
        person = engine.keys.person("ana")
        await engine.consents.record(person, replace(OUT, what="in"))
        await engine.consents.forget(person)
        key = f"{base(person.shard)}:consent:{person.id}"
        assert 0 < redis.pttl(key) <= 8 * 24 * HOUR
        await engine.consents.record(person, replace(OUT, at=now_ms() + 1000))
        assert redis.pttl(key) == -1


class TestWaiting:
    async def test_a_decision_waits_for_what_is_just_being_posted(self, limited) -> None:  # type: ignore[no-untyped-def]
        engine: Engine = await limited(lease=60)
        await queue(engine, NOTICE)
        lane = await lane_of(engine)
        begun = now_ms()
        await engine.decide(decision(engine, OUT))  # nobody settles it: a lease is as long as it waits
        assert now_ms() - begun >= 60
        await engine.decide(decision(engine, replace(OUT, what="in", at=2000)))  # an opt-in forbids nothing
        await engine.sent(lane)
        await engine.decide(decision(engine, replace(OUT, at=3000)))
        assert now_ms() - begun < 2000
