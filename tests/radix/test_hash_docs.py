"""docs/hash-blocks.md: its table is the presets' data, and its examples run."""

from __future__ import annotations

import doctest
import re
from dataclasses import fields
from pathlib import Path

import pytest

from radixchat.radix import PRESETS, BlockRules, vllm_v0

DOC = Path(__file__).parents[2] / "docs" / "hash-blocks.md"


def table() -> str:
    """A row for each rule, a column for each preset."""
    rows = [["rule", *PRESETS], ["---"] * (len(PRESETS) + 1)]
    for rule in fields(BlockRules):
        if rule.name != "name":
            rows.append([f"`{rule.name}`", *(told(getattr(rules, rule.name)) for rules in PRESETS.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def test_the_table_is_the_data() -> None:
    """Between the heading and the list that explains it."""
    found = re.search(r"a test compares them\.\n\n(.*?)\n\n- \*\*hash_rule", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert found[1] == table(), f"the table should be\n{table()}"


def test_every_rule_is_explained_or_explains_itself() -> None:
    """A new one wants words."""
    text = DOC.read_text(encoding="utf-8")
    plain = {"name", "block_size", "hash_fn", "token_check", "null_block", "multiple"}
    for rule in fields(BlockRules):
        assert rule.name in plain or f"- **{rule.name}**" in text, rule.name


@pytest.mark.parametrize("source", ["docs", "vllm_v0"])
def test_examples_run(source: str) -> None:
    """One after another, in one namespace."""
    runner = doctest.DocTestRunner()
    if source == "docs":
        blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
        test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, DOC.name, str(DOC), 0)
    else:
        assert vllm_v0.__doc__ is not None
        test = doctest.DocTestParser().get_doctest(vllm_v0.__doc__, dict(vars(vllm_v0)), source, None, 0)
    out: list[str] = []
    result = runner.run(test, out=out.append)
    assert result.attempted > 5 and not result.failed, "".join(out)


def test_links_lead_somewhere() -> None:
    """Pages and files that the text names."""
    text = DOC.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):]+)\)", text):
        assert (DOC.parent / link).is_file(), link
    for path in re.findall(r"`((?:radix|tests/radix)/[a-z0-9_]+\.py)`", text):
        assert (DOC.parents[1] / path).is_file(), path
