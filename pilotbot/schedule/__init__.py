"""When something is to be run: the definitions of schedules, their times, what to do about those that were missed. Pure functions."""

from pilotbot.schedule.crontab import crontab, interval, spelled
from pilotbot.schedule.models import Missed, Schedule
from pilotbot.schedule.plan import GRACE, Plan, Run, occurrence_id, plan
from pilotbot.schedule.times import first_after, upcoming, zone_of

__all__ = [
    "GRACE",
    "Missed",
    "Plan",
    "Run",
    "Schedule",
    "crontab",
    "first_after",
    "interval",
    "occurrence_id",
    "plan",
    "spelled",
    "upcoming",
    "zone_of",
]
