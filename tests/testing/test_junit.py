"""Results as JUnit XML."""

from pathlib import Path
from xml.etree import ElementTree as ET

from pilotbot.testing.junit import Result, junit


def test_every_file_is_a_case_and_failures_carry_their_text() -> None:
    report = ET.fromstring(junit([
        Result(Path("tests/chats/good.chat"), "passed", 0.5),
        Result(Path("tests/chats/bad.chat"), "failed", 0.25, "bad.chat:3: <otherwise> \x00\ud800", "the whole\n& more"),
        Result(Path("none.chat"), "error", 0.0, "no file", "no file"),
        Result(Path("new.chat"), "updated", 0.1),
    ]))  # fmt: skip
    (suite,) = report
    assert suite.attrib == {"name": "pilotbot", "tests": "4", "failures": "1", "errors": "1", "skipped": "0", "time": "0.850"}
    good, bad, none, new = suite
    assert (good.attrib["classname"], good.attrib["name"], len(good)) == ("tests.chats", "good.chat", 0)
    assert (bad[0].tag, bad[0].attrib["message"], bad[0].text) == ("failure", "bad.chat:3: <otherwise> ��", "the whole\n& more")
    assert (none[0].tag, len(new)) == ("error", 0)
