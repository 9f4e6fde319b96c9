"""A schedule: a name, the times, and what is done about times that were missed."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import BaseCombiningTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from pilotbot.schedule.times import first_after, zone_of

Missed = Literal["run", "skip", "coalesce"]
"""What becomes of times that were missed: each is run, none is, or the latest stands for all."""

NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a handler is run.

    `definition` is the text by which processes and later versions of a bot tell whether the times are still the same; it reads like the
    code that made it, and is the trigger's own text by default.

    Raises:
        TypeError: `trigger` is none of APScheduler 3.
        ValueError: the name is not 1 to 100 printable characters, `missed` is none of the three, the trigger has no times at all, or it has
            other times in every process.
    """

    name: str
    trigger: BaseTrigger
    missed: Missed = "coalesce"
    definition: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or not self.name.isprintable() or len(self.name) > NAME_MAX:
            raise ValueError(f"a schedule is named by 1 to {NAME_MAX} printable characters; it was given {self.name!r}")
        if self.missed not in get_args(Missed):
            raise ValueError(f"schedule {self.name}: missed is one of {', '.join(get_args(Missed))}; it was given {self.missed!r}")
        if not isinstance(self.trigger, BaseTrigger):
            raise TypeError(
                f"schedule {self.name}: write a trigger of apscheduler.triggers, such as CronTrigger(hour=9, timezone=...); "
                f"it was given {self.trigger!r}"
            )
        if problem := _problem(self.trigger):
            raise ValueError(f"schedule {self.name}: {problem}")
        if not self.definition:
            object.__setattr__(self, "definition", f"schedule({self.trigger!r})")
        if first_after(self.trigger, 0) is None:
            raise ValueError(f"schedule {self.name}: {self.definition} has no times: there is no such day")


def _problem(trigger: BaseTrigger) -> str | None:
    """Why the times of a trigger would be others in another process, or in the next life of this one; None where they would not."""
    kind = type(trigger).__name__
    if isinstance(trigger, BaseCombiningTrigger):
        if not trigger.triggers:
            return f"the {kind} has no parts"
        if found := next(filter(None, map(_problem, trigger.triggers)), None):
            return found
    if getattr(trigger, "jitter", None):
        return f"the jitter of a {kind} is drawn anew by every process, so that they would not agree on its times: leave it out"
    if isinstance(trigger, IntervalTrigger) and trigger.start_date.microsecond:
        return "an IntervalTrigger counts from when it was made: give it a start_date of whole seconds, or use every(...)"
    if isinstance(trigger, DateTrigger) and trigger.run_date.microsecond:
        return "a DateTrigger without a run_date means the moment at which it is made: give it one of whole seconds"
    if hasattr(zone_of(trigger), "localize"):
        return f"the zone of a {kind} is of pytz: write ZoneInfo('America/Sao_Paulo')"
    if " at 0x" in repr(trigger):
        return f"{kind} needs a __repr__ that tells its times, by which a change is seen"
    return None
