"""The examples in the README, in CONTRIBUTING and in docs are run, so that they cannot go stale."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule
from chainrule.ops.primitive import TABLE

ROOT = Path(__file__).resolve().parent.parent


def code_blocks(text: str, language: str) -> list[str]:
    """The blocks of a Markdown text that are marked with `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


PAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))
DOCUMENTS = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES]


def has_examples(document: str) -> bool:
    """Whether there are sessions of Python in it, to be run."""
    blocks = code_blocks((ROOT / document).read_text(encoding="utf-8"), "python")
    return any(block.startswith(">>>") for block in blocks)


def test_the_pages_with_examples_are_found() -> None:
    assert {"docs/graphs.md", "docs/compile.md", "docs/explain.md"} <= set(filter(has_examples, PAGES))


@pytest.mark.parametrize("document", list(filter(has_examples, DOCUMENTS)))
def test_examples_run(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(
        "\n".join(code_blocks(text, "python")), {}, document, document, 0
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    results = runner.run(example, out=report.append)
    assert results.attempted > 5
    assert results.failed == 0, "".join(report)


def test_the_derivation_of_the_readme_is_what_explain_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = (b for b in code_blocks(readme, "text") if b.startswith("Forward mode"))

    def f(x1: Any, x2: Any) -> Any:
        return chainrule.log(x1) + x1 * x2 - chainrule.sin(x2)

    assert block in chainrule.explain(f, 2.0, 5.0).text(width=104)


def test_example_operation_of_contributing() -> None:
    blocks = code_blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "python")
    assert len(blocks) == 2
    names: dict[str, Any] = {}
    try:
        for block in blocks:
            exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    finally:
        TABLE.pop("gleam", None)  # the sweep must not find it
    # Beyond its own assertions: the gradient is that of the formula, by central differences in float64.
    gleam = names["GLEAM"]
    x = np.array([-2.0, -0.3, 0.4, 5.0])
    t = chainrule.tensor(x, requires_grad=True)
    gleam(t, k=2.0).sum().backward()
    h = 1e-6
    slope = (gleam.numpy(x + h, k=2.0) - gleam.numpy(x - h, k=2.0)) / (2 * h)
    np.testing.assert_allclose(t.grad, slope, rtol=1e-7)


def test_commands_of_the_readme_are_those_of_ci() -> None:
    # CI must run what a reader is told to run, word for word.
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [
        line for block in code_blocks(readme, "sh") for line in block.splitlines() if "dev.py" in line
    ]
    assert {"python3 dev.py train", "python3 dev.py test"} <= set(commands)
    assert set(commands) <= set(ci)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{document} links to {target}"
