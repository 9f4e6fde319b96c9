"""A bot that is killed by a test: from that moment nothing of it reaches Redis."""

import pytest

from pilotbot.engine import Away, Engine
from pilotbot.testing.crash import Fuse


def armed() -> Fuse:
    fuse = Fuse()
    fuse.armed = "post"
    return fuse


async def test_at_its_point_it_burns_once_and_the_engine_is_silent(engine: Engine) -> None:
    fuse = armed()
    fuse.reached("claim", engine)
    await engine.remember("heard", b"1")
    with pytest.raises(Away, match="after: post"):
        fuse.reached("post", engine)
    assert (fuse.armed, fuse.burnt) == (None, True)
    with pytest.raises(Away):
        await engine.remember("heard", b"2")
    fuse.reached("post", engine)
