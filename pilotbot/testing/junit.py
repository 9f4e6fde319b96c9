"""Results of `.chat` files as JUnit XML, which build servers show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file. `text` says what was otherwise, `summary` its first line; `seconds` is real time."""

    path: Path
    ended: Literal["passed", "failed", "error", "updated"]
    seconds: float
    summary: str = ""
    text: str = ""


def junit(results: Sequence[Result]) -> bytes:
    """The report of a run, one test case a file."""
    failures, errors = (sum(each.ended == ended for each in results) for ended in ("failed", "error"))
    suite = ET.Element(
        "testsuite", name="pilotbot", tests=str(len(results)), failures=str(failures), errors=str(errors), skipped="0",
        time=f"{sum(each.seconds for each in results):.3f}",
    )  # fmt: skip
    for each in results:
        place = ".".join(each.path.parent.parts)
        case = ET.SubElement(suite, "testcase", classname=place, name=each.path.name, file=str(each.path), time=f"{each.seconds:.3f}")
        if each.ended in {"failed", "error"}:
            ET.SubElement(case, "failure" if each.ended == "failed" else "error", message=_printable(each.summary)).text = _printable(
                each.text
            )
    root = ET.Element("testsuites")
    root.append(suite)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        char if char in "\n\t" or "\x20" <= char < "\ud800" or "\ue000" <= char < "\ufffe" or char > "\uffff" else "�" for char in text
    )
