"""The scripts against a model of them: any interleaving of two workers, lost leases, repeated calls and crashes (reliability 4.1, L1).

MODEL_EXAMPLES sets how many runs there are, for a long one; MODEL_SEED repeats one; MODEL_SHRINK=no ends at the first failure as it is.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tests.engine.model.bench import MOST_OFTEN, SHARDS, STEPS, Ground
from tests.engine.model.inward import Inward
from tests.engine.model.look import compare
from tests.engine.model.outward import Outward
from tests.engine.model.upkeep import Upkeep

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
PHASES = (Phase.generate,) if os.environ.get("MODEL_SHRINK") == "no" else (Phase.generate, Phase.shrink)


class Machine(Inward, Outward, Upkeep):
    """All steps together."""

    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        weights = {name: step.often(self) for name, step in STEPS.items()}
        by_weight = sorted(weights, key=lambda name: -weights[name])  # the simplest run is the usual way of a message
        possible = [name for turn in range(MOST_OFTEN) for name in by_weight if weights[name] > turn]
        name = data.draw(st.sampled_from(possible))
        getattr(self, name)(**data.draw(STEPS[name].given, label=name))

    @invariant()
    def redis_holds_what_the_model_says(self) -> None:
        chats = [(self.places[name], chat) for name, chat in self.chats.items()]
        compare(self.redis, SHARDS, chats, [shard for shard, _ in self.staged])


@pytest.mark.timeout(480 + 3 * EXAMPLES)  # most of it for shrinking
def test_any_interleaving_keeps_the_promises(redis_socket: Path) -> None:
    """I1 to I8 of reliability 4.1 hold after every step."""
    machine = seed(int(os.environ["MODEL_SEED"]))(Machine) if "MODEL_SEED" in os.environ else Machine
    with Ground.on(redis_socket) as Machine.ground:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=100, deadline=None, database=None,
                suppress_health_check=[HealthCheck.too_slow], phases=PHASES,
            ),
        )  # fmt: skip
