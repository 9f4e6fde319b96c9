"""The page on guarantees names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "guarantees.md").read_text("utf-8"))))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_each_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in found if name else any(each.startswith("test_") for each in found)


def test_every_row_of_a_fault_names_one() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text("utf-8").split("## Faults, step by step")[1].split("## What is not promised")[0]
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| fault |")]
    assert len(rows) > 25
    assert all("`tests/" in row for row in rows)
