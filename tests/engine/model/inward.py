"""The way in: accept, claim, and how a turn ends."""

from dataclasses import replace
from typing import Any, Literal

from hypothesis import strategies as st

from pilotbot.engine import HOUR, Arrival, Claimed, Effects, Engine, Item, Notice
from tests.engine.model.bench import AGAIN, CONTACT, MOSTLY, MOSTLY_NOT, SHAPE, SHARDS, TIMER, WHICH, WORKER, Bench, step
from tests.engine.model.chat import Chat
from tests.engine.model.things import TERMS, Event

Blame = Literal["tries", "errors", ""]
BLAMES: tuple[Blame, ...] = ("tries", "errors", "")
ENOUGH = 4  # events that wait
AGE = st.sampled_from((0, 0, 0, 1, 1, 2, 2 * HOUR, 23 * HOUR, 30 * HOUR, 9 * 24 * HOUR))


class Inward(Bench):
    """Rules for what comes in."""

    @step(
        5, seldom=lambda self: self.all(lambda chat: chat.waiting) >= ENOUGH, name=CONTACT, again=AGAIN, age=AGE,
        kind=st.sampled_from("rrrrqqe"), keep_old=MOSTLY_NOT, note_only=MOSTLY_NOT,
    )  # fmt: skip
    def accept(self, name: str, again: int | None, age: int, kind: str, keep_old: bool, note_only: bool) -> None:
        """Something new, or a delivery of what came before; a quote ("q") may be of what came without it ("r")."""
        number, at = self.number(f"event of {name}", again), self.now - age
        more: dict[str, Any] = {"opens": kind != "e", "ages": kind != "e", "keep_old": keep_old, "note_only": note_only}
        message = "" if kind == "e" else f"m{number}"
        self.do(lambda: self._accept(name, Event(f"{kind}{number}", at, kind, message, **more)))

    def _accept(self, name: str, event: Event) -> None:
        chat = self.chats[name]
        arrival = Arrival(
            place=self.places[name], id=event.body, at=event.time, body=event.body.encode(), mark=event.mark, message_id=event.message,
            opens_window=event.opens, ages=event.ages, keep_old=event.keep_old, note_only=event.note_only,
        )  # fmt: skip
        idle = chat.holder is None and chat.due is None
        waiting = sum(len(other.waiting) for other in self.here(self.shard(chat)))
        outcome = chat.accept(event, self.now, busy=waiting >= TERMS.high_water // SHARDS)
        accepted = self.run(self.engine.accept(arrival))
        assert accepted.outcome == outcome
        assert accepted.wake_mailbox == (outcome == "ok" and idle)
        self.noted(accepted.put_aside)
        forbids = event.opens and event.mark != "o" and outcome in {"ok", "noted", "dup", "replaced"}
        silent = chat.pin is not None and chat.lane[0].generation is not None
        assert accepted.under_way == (chat.sender if forbids and silent and chat.sender else "")

    @step(
        6, needs=lambda self: self.any(lambda chat: chat.due or chat.lapsed), worker=WORKER, most=st.sampled_from((1, 10, 10)),
        reap=MOSTLY, heard=MOSTLY,
    )  # fmt: skip
    def claim(self, worker: int, most: int, reap: bool, heard: bool) -> None:
        """Where the reply is not heard, chats are leased that nobody works on."""
        engine = self.engines[worker]
        self.last = None
        for shard in range(SHARDS):
            here = self.here(shard)
            for chat in here:
                if reap and chat.lapsed:
                    chat.crash(self.now)
            able = {chat.name for chat in here if chat.due is not None and chat.due <= self.now}
            turns = self.run(engine.claim(shard, most, reap=reap))
            assert len(turns) == min(most, len(able))
            assert {self.chat(turn).name for turn in turns} <= able
            for turn in turns:
                self.fresh(shard, turn.token)
                self.take(engine, turn, heard=heard)

    # --- a turn ends, in time or too late ---

    @step(
        7, needs=lambda self: self.turns, which=WHICH, keep=st.booleans(), send=st.booleans(), says=st.lists(SHAPE, max_size=2),
        to=st.none() | CONTACT, timer=st.none() | TIMER, in_order=MOSTLY_NOT,
    )  # fmt: skip
    def commit(
        self, which: int, keep: bool, send: bool, says: list[str], to: str | None, timer: dict[str, Any] | None, in_order: bool
    ) -> None:  # fmt: skip
        engine, turn = self.taken(self.turns, which)
        notice = Notice(place=self.places[to], items=(self.item("template", business=True),)) if to else None
        effects = Effects(
            sets={"count": str(int(turn.fields.get("count", b"0")) + 1).encode()},
            items=tuple(self.item(shape, leads=in_order and number < len(says)) for number, shape in enumerate(says, 1)),
            notices=(notice,) if notice else (),
            timers=(replace(self.timer(**timer), generation=turn.generation),) if timer else (),
        )
        self.do(lambda: self._commit(engine, turn, effects, keep=keep, send=send))

    def _commit(self, engine: Engine, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> None:
        chat = self.chat(turn)
        outcome = chat.commit(turn.token, int(turn.seq), self.now)
        settled = self.run(engine.commit(turn, effects, keep=keep, send=send))
        assert settled.outcome == outcome
        if outcome == "ok":
            self.staged += ((turn.key.shard, notice) for notice in effects.notices)
            new = chat.effect(effects, turn.generation, self.now)
            if new and send:
                self.take_lane(engine, chat, settled.lane)
            else:
                assert settled.lane is None
            self.followed_by(engine, chat, settled.next, keep=keep)
        else:
            assert (settled.next, settled.lane) == (None, None)
        self.noted(settled.put_aside)

    def followed_by(self, engine: Engine, chat: Chat, following: Claimed | None, *, keep: bool) -> None:
        """After an event was settled."""
        assert (following is not None) == (keep and bool(chat.waiting))
        chat.release(self.now)
        if following is not None:
            self.take(engine, following)

    @step(2, needs=lambda self: self.turns, which=WHICH, ordinal=st.sampled_from("01"), shape=SHAPE)
    def emit(self, which: int, ordinal: str, shape: str) -> None:
        engine, turn = self.turns[-1 - which % len(self.turns)]
        item = self.item(shape)
        self.do(lambda: self._emit(engine, turn, ordinal, item))

    def _emit(self, engine: Engine, turn: Claimed, ordinal: str, item: Item) -> None:
        chat = self.chat(turn)
        outcome, lane, notes = self.run(engine.emit(turn, ordinal, item))
        if chat.holder != turn.token:
            assert outcome == "stale"
        elif ordinal in chat.emitted:
            assert outcome == "dup"
        else:
            assert outcome == "ok"
            chat.release_held(self.now, handled=0)
            chat.emitted.add(ordinal)
            chat.say(item, self.now)
            self.take_lane(engine, chat, lane)
        assert lane is None or outcome == "ok"
        self.noted(notes)

    @step(2, needs=lambda self: any(turn.crashes for _, turn in self.turns), which=WHICH, is_to=st.booleans())
    def blame(self, which: int, is_to: bool) -> None:
        """What was running when processes were lost waits for a moment of its own."""
        tried = [(by, turn) for by, turn in self.turns if turn.crashes]
        engine, turn = tried[-1 - which % len(tried)]
        self.do(lambda: self._blame(engine, turn, is_to=is_to))

    def _blame(self, engine: Engine, turn: Claimed, *, is_to: bool) -> None:
        chat = self.chat(turn)
        mine = chat.holder == turn.token
        assert self.run(engine.blame(turn, is_to=is_to)) == mine
        if mine:
            chat.blamed = is_to

    @step(
        2, needs=lambda self: self.turns, which=WHICH, delay=st.sampled_from((0, HOUR)), counts_as=st.sampled_from(("tries", "errors", ""))
    )
    def retry(self, which: int, delay: int, counts_as: Blame) -> None:
        engine, turn = self.taken(self.turns, which)
        self.do(lambda: self._retry(engine, turn, delay, counts_as))

    def _retry(self, engine: Engine, turn: Claimed, delay: int, counts_as: Blame) -> None:
        chat = self.chat(turn)
        settled = self.run(engine.retry(turn, delay, counts_as=counts_as))
        if chat.holder != turn.token or chat.running is None or chat.running.seq != int(turn.seq):
            assert settled.outcome == "stale"
            return
        assert settled.outcome == "ok"
        chat.running.blames.update([counts_as] if counts_as else [])
        chat.release(self.now + delay)

    @step(needs=lambda self: self.turns, which=WHICH, keep=st.booleans())
    def bury(self, which: int, keep: bool) -> None:
        engine, turn = self.taken(self.turns, which)
        self.do(lambda: self._bury(engine, turn, keep=keep))

    def _bury(self, engine: Engine, turn: Claimed, *, keep: bool) -> None:
        chat = self.chat(turn)
        outcome = chat.bury(turn.token, int(turn.seq), self.now)
        settled = self.run(engine.bury(turn, reason="test", detail="", keep=keep))
        assert settled.outcome == outcome
        self.noted(settled.put_aside)
        if outcome == "ok":
            self.followed_by(engine, chat, settled.next, keep=keep)
