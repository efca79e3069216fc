"""`docs/api.md` lists every public name, and is what its tool makes of the docstrings."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

import chainrule
from tools import write_api_page as tool


def test_the_page_is_up_to_date() -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), (
        "docs/api.md is not what the docstrings say; run: python tools/write_api_page.py"
    )


def test_every_public_name_has_an_entry() -> None:
    text = tool.page()
    sections = dict(zip(re.findall(r"(?m)^## (.*)$", text), re.split(r"(?m)^## .*$", text)[1:], strict=True))
    listed = re.findall(r"(?m)^\| `(\w+)` \| .+ \|$", sections["Tensors and functions (`chainrule`)"])
    assert sorted(listed) == sorted(chainrule.__all__)
    listed = re.findall(
        r"(?m)^\| `(\w+)` \| .+ \|$", sections["Methods and attributes of tensors (`chainrule.Tensor`)"]
    )
    assert sorted(listed) == [name for name in sorted(dir(chainrule.Tensor)) if not name.startswith("_")]
    assert len(sections) == len(tool.SECTIONS)


def test_every_public_module_has_a_section() -> None:
    modules = {name for name in chainrule.__all__ if isinstance(getattr(chainrule, name), ModuleType)}
    with_sections = {section.module.partition(".")[2].partition(".")[0] for section in tool.SECTIONS} - {""}
    assert with_sections == modules


def test_links_of_the_contents_lead_to_headings() -> None:
    text = tool.page()
    headings = {tool.anchor(h) for h in re.findall(r"(?m)^## (.*)$", text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) == headings


def test_a_name_without_docstring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def bare() -> None:
        pass

    monkeypatch.setattr(chainrule, "bare", bare, raising=False)
    monkeypatch.setattr(chainrule, "__all__", [*chainrule.__all__, "bare"])
    with pytest.raises(tool.Undocumented) as err:
        tool.page()
    assert str(err.value) == "public names without a docstring: chainrule.bare"


def test_a_member_without_docstring_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chainrule.Tensor, "bare", lambda self: self, raising=False)
    with pytest.raises(tool.Undocumented) as err:
        tool.page()
    assert str(err.value) == "public names without a docstring: chainrule.Tensor.bare"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("|x|, elementwise.", r"\|x\|, elementwise."),
        ("a * b**c", r"a \* b\*\*c"),
        ("`a | b**c` and d**e", r"`a \| b**c` and d\*\*e"),
        ("x < y, `x < y`", "x &lt; y, `x < y`"),
    ],
)
def test_cells(text: str, cell: str) -> None:
    assert tool.cell(text) == cell


def test_summaries() -> None:
    assert tool.summary("clip", chainrule, chainrule.clip) == "Another name of `clamp`."
    assert tool.summary("float32", chainrule, chainrule.float32) == "Floating-point values of 4 bytes."
    assert tool.summary("uint8", chainrule, chainrule.uint8) == "Integer values of 1 byte."
    assert tool.summary("pi", chainrule, chainrule.pi).startswith("The ratio")
    assert tool.summary("cat", chainrule, chainrule.cat) == (chainrule.cat.__doc__ or "").splitlines()[0]
