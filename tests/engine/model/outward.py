"""The way out: what is queued, relayed, leased, sent, refused."""

from typing import Literal

from hypothesis import strategies as st

from pilotbot.engine import HOUR, Engine, Item, Lane, Notice, Record
from tests.engine.model.bench import AGAIN, CONTACT, MANNER, MOSTLY, SHAPE, SHARDS, WHICH, WORKER, Bench, step
from tests.engine.model.chat import Chat
from tests.engine.model.things import TERMS, label

ENOUGH = 6  # messages that wait
Verdict = Literal["unposted", "retry", "again", "drop", "dead"]
VERDICTS: tuple[Verdict, ...] = ("unposted", "retry", "retry", "again", "drop", "dead")


class Outward(Bench):
    """Rules for what goes out."""

    @step(
        3,
        seldom=lambda self: self.all(lambda chat: chat.lane) >= ENOUGH,
        name=CONTACT,
        again=AGAIN,
        shape=SHAPE,
        business=st.booleans(),
        manner=MANNER,
        parts=st.booleans(),
    )
    def enqueue(self, name: str, again: int | None, shape: str, business: bool, manner: str, parts: bool) -> None:
        more = {"business": business, **self.manner(manner)}
        first = self.item(shape, id=f"{name}-{self.number(name, again)}", group="g" * parts, **more)
        rest = (self.item("text", group="g", rest=True, **{**more, "cap": None}),) if parts else ()
        self.do(lambda: self._enqueue(Notice(place=self.places[name], items=(first, *rest))))

    def _enqueue(self, notice: Notice, *, bury: bool = False) -> None:
        outcome = self.chats[self.names[notice.place.key]].enqueue(notice.items, self.now)
        assert self.run(self.engine.enqueue(notice, bury=bury)) == (outcome, ())

    @step(needs=lambda self: self.staged, dies=st.booleans())
    def relay(self, dies: bool) -> None:
        """What commits staged goes to its own chats; a process that dies over it leaves it to be done again."""
        self.do(lambda: self._relay(dies=dies))

    def _relay(self, *, dies: bool) -> None:
        if dies:
            for _, notice in self.staged:
                self._enqueue(notice, bury=True)
            return
        for shard in range(SHARDS):
            mine = [notice for there, notice in self.staged if there == shard]
            for notice in mine:
                self.chats[self.names[notice.place.key]].enqueue(notice.items, self.now)
            notices, notes = self.run(self.engine.relay_leftovers(shard, older_than=0))
            assert (sorted(notice.id for notice in notices), notes) == (sorted(notice.id for notice in mine), ())
        self.staged.clear()

    @step(6, needs=lambda self: self.any(lambda chat: chat.lane_due or chat.sender_lapsed), worker=WORKER, reap=MOSTLY, heard=MOSTLY)
    def claim_lanes(self, worker: int, reap: bool, heard: bool) -> None:
        engine = self.engines[worker]
        self.last = None
        for shard in range(SHARDS):
            here = self.here(shard)
            for chat in here:
                if reap and chat.sender_lapsed:
                    chat.give_up(self.now)
            leases, notes = self.run(engine.claim_lanes(shard, 10, reap=reap))
            others = [chat for chat in here if chat.lane_due is not None and chat.lane_due <= self.now]
            for lane in leases:
                others.remove(self.chat(lane))
                self.take_lane(engine, self.chat(lane), lane, heard=heard)
            for chat in others:
                self.take_lane(engine, chat, None)
            self.noted(notes)

    @step(6, needs=lambda self: self.lanes, which=WHICH, report=st.sampled_from(("later", "later", "before", "between")))
    def sent(self, which: int, report: str) -> None:
        """The platform took it; `report`: when it is said to be sent, seen from when that is recorded and the lane goes on."""
        engine, lane = self.taken(self.lanes, which)
        self.do(lambda: self._sent(engine, lane, report))

    def _sent(self, engine: Engine, lane: Lane, report: str) -> None:
        chat, platform_id = self.chat(lane), lane.item.key(lane.pin)
        if report == "before":
            self.run(engine.merge_status(platform_id, "sent", code=None, message_id=None))
        record = self.run(engine.record(lane, platform_id))
        again, reported = record.again, record.rank > 0
        assert record.leads == lane.item.leads
        if lane.item.leads:
            self.leading[platform_id] = chat.name
            if report == "between":
                self._report(platform_id, chat)
        assert (again is not None) == (not lane.item.again)
        if again is not None and lane.pin == "free" and lane.item.enforced:
            self.refusable[platform_id] = chat.name
        settled = self.run(engine.sent(lane, reported=reported))
        assert settled.outcome == ("ok" if chat.sender == lane.token else "stale")
        if chat.sender == lane.token:
            if lane.item.leads and not reported and chat.opened != lane.item.id:
                chat.gate = (lane.item.id, self.now + TERMS.sequence_wait)
            chat.sent.append(label(chat.settled()))
            chat.lane_due = None
            self.take_lane(engine, chat, settled.lane)
        else:
            assert settled.lane is None
        self.noted(settled.put_aside)

    @step(
        4, needs=lambda self: self.lanes, which=WHICH, verdict=st.sampled_from(VERDICTS), delay=st.sampled_from((0, 0, HOUR)),
        unknown=st.booleans(),
    )  # fmt: skip
    def unsent(self, which: int, verdict: Verdict, delay: int, unknown: bool) -> None:
        engine, lane = self.taken(self.lanes, which)
        self.do(lambda: self._unsent(engine, lane, verdict, delay, unknown=lane.unknown or unknown))

    def _unsent(self, engine: Engine, lane: Lane, verdict: Verdict, delay: int, *, unknown: bool) -> None:
        chat = self.chat(lane)
        outcome = self.run(engine.unsent(lane, verdict, delay=delay, unknown=unknown, reason="test"))
        assert outcome == ("ok" if chat.sender == lane.token else "stale")
        if chat.sender != lane.token or chat.pin is None:
            return
        at = self.now
        if verdict in {"dead", "again"} and chat.pin.known and not unknown:
            chat.recent.pop(lane.item.id, None)
        if verdict == "dead":
            item = chat.settled()
            chat.dead[label(item)] = item
        elif verdict == "drop":
            chat.aside.append(label(chat.settled()))
        elif verdict == "again":
            chat.refused(chat.pin.inbound)
            chat.unpin()
        else:
            at += delay
            if verdict == "retry":
                chat.pin.known, chat.pin.tries = not unknown, chat.pin.tries + 1
        chat.let_lane_go(at)

    @step(3, needs=lambda self: self.leading, which=WHICH)
    def report(self, which: int) -> None:
        """A message that others may wait for was sent, or it is said once more."""
        platform_id = list(self.leading)[-1 - which % len(self.leading)]
        self.do(lambda: self._report(platform_id, self.chats[self.leading[platform_id]]))

    def _report(self, platform_id: str, chat: Chat) -> None:
        _, record = self.run(self.engine.merge_status(platform_id, "sent", code=None, message_id=None))
        assert record.leads
        assert record.item is not None
        assert self.run(self.engine.reported(record)) == chat.reported(record.item, self.now)

    @step(needs=lambda self: self.any(lambda chat: chat.lane or chat.held), name=CONTACT, which=WHICH)
    def cancel(self, name: str, which: int) -> None:
        """Somebody takes a message back; follow-ups have no id that the model knows."""
        waiting = [item for item in (*self.chats[name].lane, *self.chats[name].held) if item.id]
        if waiting:
            self.do(lambda: self._cancel(name, waiting[-1 - which % len(waiting)]))

    def _cancel(self, name: str, item: Item) -> None:
        outcome = self.chats[name].cancel(item, self.now)
        ((what, _),) = self.run(self.engine.cancel(self.places[name].key, [item.id]))
        assert what == outcome

    @step(2, needs=lambda self: self.refusable, which=WHICH)
    def refused_late(self, which: int) -> None:
        """The platform says of a message that it took that the window was closed: decided again, once."""
        platform_id = list(self.refusable)[-1 - which % len(self.refusable)]
        chat = self.chats[self.refusable.pop(platform_id)]
        _, record = self.run(self.engine.merge_status(platform_id, "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None))
        again = record.again
        assert again is not None
        self.do(lambda: self._decide_again(chat, record, again))

    def _decide_again(self, chat: Chat, record: Record, again: Item) -> None:
        outcome = chat.enqueue((again,), self.now)
        if outcome == "ok":
            chat.refused(int(record.inbound) if record.inbound else None)
        assert self.run(self.engine.decide_again(record)) == (outcome, ())
