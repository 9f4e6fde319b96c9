"""One turn: the event at the head of a chat's mailbox, routed, handled and committed (design: route, handle, commit)."""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from pilotbot import events
from pilotbot.bot import Bot
from pilotbot.bot import turn as in_turn
from pilotbot.contacts import State, StateError, changed, dump, load
from pilotbot.context import Context
from pilotbot.engine import Away, Change, ChatKey, Claimed, Effects, Lane, Notice, PutAside
from pilotbot.media import MediaError
from pilotbot.replies import ContentError
from pilotbot.routing import Retry, Routes, Selected, StateLoader, TurnScope, explain
from pilotbot.server.desk import LeaseLost
from pilotbot.server.direct import Direct
from pilotbot.server.handover import SILENT, giving_back, taking
from pilotbot.server.journal import End, Journal
from pilotbot.server.prepare import Desk, person_of, set_up
from pilotbot.server.saying import Numbers
from pilotbot.server.turn_engine import TurnEngine

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).parent.parent
CRASHES = 3  # of one event, after which it is a poison pill
BACKOFF = (1_000, 5_000, 30_000, 120_000)  # ms before the tries that follow a Retry, a time-out, a lost connection
TRACE_MOST = 8_000  # characters of a traceback that a dead letter keeps: the end, where the error is
WAIT_FOR_CHANCE = 1_000  # ms that an event waits while another one has its last chance
OF_OURS = (events.HandedOver, events.HandedBack, events.Alert)
ONCE_MORE = (1_000,)  # anything else is tried once more (design section 3.9)


@dataclass(frozen=True, slots=True)
class Hands:
    """What a turn passes on. `reserve` keeps the sender a place for the lane that a commit can lease, until `release`."""

    lane: Callable[[Lane], None]
    reserve: Callable[[], bool]
    release: Callable[[], None]
    wake_lane: Callable[[int], None]
    relay: Callable[[ChatKey, tuple[Notice, ...]], None]
    put_aside: Callable[[tuple[PutAside, ...]], None]


class TurnRunner:
    """Runs turns of one bot. `timeout` is in seconds; `reveal` lets contacts' words into the explanation of unhandled messages.

    `journal` is told what each did, where there is one.
    """

    def __init__(
        self, bot: Bot, routes: Routes, engine: TurnEngine, numbers: Numbers, hands: Hands, *, timeout: float, reveal: bool,
        counts: Counter[str], journal: Journal | None = None, direct: Direct | None = None,
    ) -> None:  # fmt: skip
        self._bot = bot
        self._routes = routes
        self._engine = engine
        self._numbers = numbers
        self._hands = hands
        self._timeout = timeout
        self._reveal = reveal
        self._counts = counts
        self._journal = journal
        self._direct = direct
        self._last_chance = asyncio.Lock()

    async def run(self, turn: Claimed, keep: bool) -> Claimed | None:
        """Run a claimed event to its end: committed, put back, or buried. Returns the chat's next event, if it was leased too."""
        if turn.crashes >= CRASHES:
            detail = f"the process was lost, or blocked past its lease, {turn.crashes} times while it ran this event"
            return await self._bury(turn, "poison", detail, keep)
        if turn.crashes < CRASHES - 1:
            return await self._run(turn, keep)
        # Its last chance, which one event at a time has: what another one does to this process is not its fault.
        if not await self._engine.blame(turn, is_to=False):
            return None
        if self._last_chance.locked():  # it must not keep the places of others
            await self._engine.retry(turn, WAIT_FOR_CHANCE, counts_as="")
            return None
        async with self._last_chance:
            return await self._run(turn, keep) if await self._engine.blame(turn, is_to=True) else None

    async def _run(self, turn: Claimed, keep: bool) -> Claimed | None:
        try:
            ctx, desk = await set_up(
                turn, events.decode(turn.body), bot=self._bot, engine=self._engine, numbers=self._numbers, hand_over=self._hand_over,
                heard=partial(self._journal.said, turn) if self._journal is not None else None, direct=self._direct,
            )  # fmt: skip
        except Away:
            raise
        except Exception as error:  # noqa: BLE001 - such as a number that is not configured any more: no other try can help
            return await self._bury(turn, "set-up", _summary(error), keep, error)
        if self._journal is not None:
            self._journal.began(turn, ctx, desk.choice)
        try:
            return await self._settle(turn, ctx, desk, keep)
        except LeaseLost:
            self._ended(turn, "stale")
            log.warning("a turn lost its lease while it ran; nothing of it takes effect")
            return None

    async def _settle(self, turn: Claimed, ctx: Context, desk: Desk, keep: bool) -> Claimed | None:
        try:
            with in_turn():
                async with asyncio.timeout(self._timeout):
                    effects = await self._handle(turn, ctx, desk)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        # Whatever else an author's handler raises is settled here, and nowhere lost: `sys.exit` and a stub's `pytest.fail` too.
        except BaseException as error:  # noqa: BLE001
            ours = _ours(error)
            if ours is not None:  # nothing took effect, and it is run again without blame
                self._ended(turn, "stale")
                raise ours from None
            if self._journal is not None:
                self._journal.failed(turn, error, _place(error))
            settled = await self._failed(turn, ctx, desk, error)
            if not isinstance(settled, Effects):
                return await self._try_later(turn, error, settled, keep)
            effects = settled
        effects = replace(effects, unless_human=_for_contact_alone(ctx, desk))
        try:
            return await self._commit(turn, effects, keep)
        except Exception as error:  # such as a value that cannot be stored: its author's, as if the handler had raised it
            if _ours(error) is not None:
                raise
            return await self._try_later(turn, error, ONCE_MORE, keep)

    # --- the handler ------------------------------------------------------------------------------------------------------------

    async def _handle(self, turn: Claimed, ctx: Context, desk: Desk) -> Effects:
        if desk.decided is not None:
            await desk.consent(desk.decided.what, "word", ctx.text, desk.decided.purpose)
            if not turn.old:  # nobody waits for that one's confirmation
                await ctx.reply(desk.decided.confirmation)
            return desk.effects({})
        if await self._for_person(turn, ctx, desk):
            return desk.effects({})
        if isinstance(ctx.event, events.HandedBack) and desk.human is not None:  # and taken again since
            return desk.effects({})
        if desk.asks:
            await desk.ask(self._bot.which)
            return desk.effects({})
        selected = await self._routes.select(ctx)
        if self._journal is not None:
            self._journal.routed(turn, selected)
        if not isinstance(selected, Selected):
            if isinstance(ctx.event, OF_OURS):  # a bot need not handle what it tells itself
                return desk.effects({})
            self._counts["unhandled"] += 1
            if isinstance(ctx.event, events.ScheduledRun) and ctx.event.schedule not in {known.name for known in self._routes.schedules}:
                raise Retry  # of a version of the bot that another process runs; where there is none, it ends as a dead letter
            log.info("%s", explain(ctx, selected.tried, bot=self._bot.name, reveal=self._reveal))
            return desk.effects({})
        desk.selected, desk.policy = selected, selected.handler.policy
        async with TurnScope(self._loader(turn)) as scope:
            await self._routes.run(selected, ctx, scope)
            states = self._changed(turn, scope)
        return desk.effects(states)

    async def _for_person(self, turn: Claimed, ctx: Context, desk: Desk) -> bool:
        """Whether a message is not for handlers: it is kept for the person who has the chat, ends that, or asks for one (design 3.14)."""
        terms = self._bot.handing_over
        match person_of(ctx, desk, self._bot):
            case None:
                return False
            case "has it":
                desk.change = Change(what="keep")
            case "gives it back":
                desk.change = giving_back(turn.now, "word")
            case "asked for":
                desk.change = taking(turn.now, terms.back_after, queue=terms.queue, note=ctx.text, by="word")
                if terms.confirmation is not None:
                    await ctx.reply(terms.confirmation)
        self._counts[f"handover:word:{desk.change.what}"] += 1
        return True

    def _loader(self, turn: Claimed) -> StateLoader:
        async def give(cls: type[State]) -> State:
            return load(cls, turn.fields.get(f"state:{cls.state_name}"), turn.now)

        return give

    def _changed(self, turn: Claimed, scope: TurnScope) -> dict[str, bytes]:
        return {
            state.state_name: dump(state, turn.now)
            for state in scope.states
            if changed(state, turn.fields.get(f"state:{state.state_name}"), turn.now)
        }

    async def _failed(self, turn: Claimed, ctx: Context, desk: Desk, error: BaseException) -> Effects | tuple[int, ...]:
        """What to do about an exception: the effects of the error handler that settled it, or the back-off for another try."""
        if not isinstance(error, Exception):
            return ONCE_MORE
        failed = desk.fresh()
        try:
            with in_turn():
                async with asyncio.timeout(self._timeout), TurnScope(self._loader(turn)) as scope:
                    again = replace(ctx, desk=failed)
                    if await self._routes.run_error(error, again, scope, desk.selected):
                        self._counts["error:settled"] += 1
                        return failed.effects(self._changed(turn, scope))
        except (Away, LeaseLost):
            raise
        except Retry as retry:
            return (_ms(retry.after),) * len(BACKOFF) if retry.after else BACKOFF
        except Exception as second:  # noqa: BLE001 - as above
            log.error("an error handler failed; the event is treated as if there were none: %s", self._told(second))  # noqa: TRY400
        if isinstance(error, Retry):
            return (_ms(error.after),) * len(BACKOFF) if error.after else BACKOFF
        return BACKOFF if isinstance(error, TimeoutError | ConnectionError) else ONCE_MORE

    # --- after it ---------------------------------------------------------------------------------------------------------------

    async def _commit(self, turn: Claimed, effects: Effects, keep: bool) -> Claimed | None:
        send = bool(effects.items) and self._hands.reserve()
        try:
            settled = await self._engine.commit(turn, effects, keep=keep, send=send)
        finally:
            if send:
                self._hands.release()
        self._counts[f"turn:{settled.outcome}"] += 1
        self._ended(turn, "stale" if settled.outcome == "stale" else "committed")
        if settled.outcome == "stale":
            log.warning("a turn lost its lease before its commit; nothing of it took effect")
            return None
        self._hand_over(settled.lane, settled.put_aside)
        if not send:  # what waited for the window may go now, too
            self._hands.wake_lane(turn.key.shard)
        if effects.notices and settled.outcome == "ok":  # of what is not known to be staged, the next pass over leftovers finds what is
            self._hands.relay(turn.key, effects.notices)
        return settled.next

    def _hand_over(self, lane: Lane | None, put_aside: tuple[PutAside, ...]) -> None:
        self._hands.put_aside(put_aside)
        if lane is not None:
            self._hands.lane(lane)

    async def _try_later(self, turn: Claimed, error: BaseException, waits: tuple[int, ...], keep: bool) -> Claimed | None:
        counts_as: Literal["tries", "errors"] = "errors" if waits is ONCE_MORE else "tries"
        done = turn.errors if waits is ONCE_MORE else turn.tries
        if done >= len(waits):
            return await self._bury(turn, type(error).__name__, _summary(error), keep, error)
        log.warning("an event failed, it is tried again: %s", self._told(error))
        self._counts["turn:retry"] += 1
        self._ended(turn, "retried")
        await self._engine.retry(turn, waits[done], counts_as=counts_as)
        return None

    def _told(self, error: BaseException) -> str:
        """An exception for the log, with the lines of its author's code.

        An exception's words may hold what a contact wrote: they are shown at the developer's desk only, or where they are our own.
        """
        words = f": {error}" if self._reveal or isinstance(error, ContentError | StateError | MediaError) else ""
        return f"{type(error).__name__}{words}\n{''.join(traceback.format_list(_authors(error)))}".rstrip()

    async def _bury(self, turn: Claimed, reason: str, detail: str, keep: bool, error: BaseException | None = None) -> Claimed | None:
        """Give an event up. `error` is what its last run, this one, failed with; None where it was not run again."""
        self._counts[f"dead:{reason}"] += 1
        self._ended(turn, "buried")
        log.error("an event is given up: %s; it is a dead letter now (see `pilotbot dead list`)", reason)
        tries, trace = turn.tries + turn.errors, ""
        if error is not None:
            tries, trace = tries + 1, _trace(error)
        settled = await self._engine.bury(turn, reason=reason, detail=detail, keep=keep, tries=tries, trace=trace)
        self._hands.put_aside(settled.put_aside)
        self._hands.wake_lane(turn.key.shard)
        return settled.next

    def _ended(self, turn: Claimed, end: End) -> None:
        if self._journal is not None:
            self._journal.ended(turn, end)


def _for_contact_alone(ctx: Context, desk: Desk) -> bool:
    """Whether a turn says nothing should a person have the chat by its commit: one that answers what was written while the bot had it."""
    kept_or_back = desk.change is not None and desk.change.what != "take"
    return isinstance(ctx.event, SILENT) and desk.human is None and desk.decided is None and not kept_or_back


def _ms(wait: timedelta) -> int:
    return wait // timedelta(milliseconds=1)


def _ours(error: BaseException) -> BaseException | None:
    """What in an exception is not its author's: Redis is away, the lease is lost, this task is being ended; also inside a group."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return error if task is not None and task.cancelling() else None
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _ours(one)) is not None), None)
    return error if isinstance(error, Away | LeaseLost) else None


def _authors(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames of an exception that are not the framework's, or all where none is."""
    return _not_ours(traceback.extract_tb(error.__traceback__))


def _not_ours(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    return [frame for frame in frames if not Path(frame.filename).is_relative_to(PACKAGE)] or list(frames)


def _trace(error: BaseException) -> str:
    """An exception as Python tells it, with what it came from and what it groups, but with the frames of its author's code alone."""
    told = traceback.TracebackException.from_exception(error)
    left = [told]
    while left:
        one = left.pop()
        one.stack = traceback.StackSummary.from_list(_not_ours(one.stack))
        left += [found for found in (one.__cause__, one.__context__, *(one.exceptions or ())) if found is not None]
    return "".join(told.format())[-TRACE_MOST:]


def _place(error: BaseException) -> str:
    """Where an exception was raised in its author's code; empty where nobody knows."""
    frame = _authors(error)[-1] if error.__traceback__ is not None else None
    return f"{frame.filename}:{frame.lineno} {frame.name}" if frame is not None else ""


def _summary(error: BaseException) -> str:
    """An exception for a dead letter, which holds personal data anyway: where in the author's code, and its words."""
    place = _place(error)
    return f"{place}: {type(error).__name__}: {error}" if place else f"{type(error).__name__}: {error}"
