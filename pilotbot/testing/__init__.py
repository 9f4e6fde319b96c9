"""The testing kit: a bot at work on a local Pilot Status, with simulated contacts and a clock that can be moved."""

from pilotbot.testing.answers import Answer, Difference, Expected, compare
from pilotbot.testing.installation import Refused
from pilotbot.testing.phone import Group, Phone, Screen, Sight
from pilotbot.testing.platform import Platform

__all__ = ["Answer", "Difference", "Expected", "Group", "Phone", "Platform", "Refused", "Screen", "Sight", "compare"]
