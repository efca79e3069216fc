"""Write `docs/api.md`: every public name with the first line of its docstring.

Run `python tools/write_api_page.py` after adding a name or changing what one does.

What is public is what a module's `__all__` lists; without one, what the module defines. A name whose object
has no docstring is an error, so nothing can be public without being explained. Numbers and the like cannot
have docstrings: they stand in `CONSTANTS`.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from chainrule import dtype

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"


class Section(NamedTuple):
    """A table of the page: a module, or a class in it whose members are listed."""

    module: str
    title: str
    member_of: str = ""

    @property
    def heading(self) -> str:
        return f"{self.title} (`{'.'.join(filter(None, (self.module, self.member_of)))}`)"


SECTIONS = (
    Section("chainrule", "Tensors and functions"),
    Section("chainrule", "Methods and attributes of tensors", "Tensor"),
    Section("chainrule.autograd", "Automatic differentiation"),
    Section("chainrule.autograd.forward_ad", "Dual tensors"),
    Section("chainrule.explain", "Explanations"),
    Section("chainrule.explain", "What a derivation has", "Derivation"),
    Section("chainrule.func", "Derivatives of functions"),
    Section("chainrule.linalg", "Linear algebra"),
    Section("chainrule.nn", "Layers and losses"),
    Section("chainrule.nn", "Methods and attributes of modules", "Module"),
    Section("chainrule.nn.functional", "Layers and losses as functions"),
    Section("chainrule.nn.init", "Starting values"),
    Section("chainrule.nn.utils", "Gradients and parameters together"),
    Section("chainrule.optim", "Optimizers"),
    Section("chainrule.optim", "Methods and attributes of optimizers", "Optimizer"),
    Section("chainrule.optim.lr_scheduler", "Learning-rate schedules"),
    Section("chainrule.utils.checkpoint", "Less memory for backward"),
    Section("chainrule.utils.data", "Data sets and loaders"),
    Section("chainrule.distributions", "Distributions"),
    Section("chainrule.models", "Models"),
    Section("chainrule.statistics", "Tables of probabilities, information, calibration"),
    Section("chainrule.graph", "Explicit graphs"),
    Section("chainrule.plot", "Pictures"),
    Section("chainrule.compat", "Programs written for PyTorch and the book"),
    Section("chainrule.compat.d2l.torch", "The book's helpers"),
    Section("chainrule.compat.torchvision.datasets", "Data sets of images"),
    Section("chainrule.compat.torchvision.transforms", "Transforms of images"),
    Section("chainrule.compat.cuda", "A machine without a GPU"),
    Section("chainrule.experiments", "Experiments of the course"),
)

CONSTANTS = {
    "DATA_HUB": "Names of files, and for each its address and SHA-1 sum; programs add to it.",
    "DATA_URL": "The address below which the book's files are.",
    "__version__": "The version of this package.",
    "default_generator": "The stream of random numbers that is used where none is given.",
    "e": "Euler's number, 2.71828...",
    "inf": "Infinity, larger than every number.",
    "nan": "Not a number: the result of an operation that has none.",
    "newaxis": "None, in an index: a new axis of size 1.",
    "np": "NumPy.",
    "pd": "pandas.",
    "plt": "pyplot of matplotlib.",
    "pi": "The ratio of a circle's circumference to its diameter, 3.14159...",
}


class Undocumented(Exception):
    """Public names without a docstring."""


def page() -> str:
    """The whole page as Markdown.

    Raises:  Undocumented, naming all public names that have no docstring.
    """
    missing: list[str] = []
    tables: list[str] = []
    for section in SECTIONS:
        rows = []
        for name, owner, value in members(section):
            text = summary(name, owner, value)
            if not text:
                missing.append(f"{section.module}.{section.member_of}.{name}".replace("..", "."))
            rows.append(f"| `{name}` | {cell(text)} |")
        tables += ["", f"## {section.heading}", "", "| name | what it is |", "|---|---|", *rows]
    if missing:
        raise Undocumented("public names without a docstring: " + ", ".join(missing))
    return "\n".join(
        [
            "# All public names",
            "",
            "Names, arguments and results are PyTorch's, so its documentation applies as well. For the whole",
            "text and an example of a name below, use `help`: `help(chainrule.cat)`.",
            "",
            *[f"- [{s.heading.replace('`', '')}](#{anchor(s.heading)})" for s in SECTIONS],
            *tables,
            "",
            "<!-- Written by tools/write_api_page.py from the docstrings. -->",
            "",
        ]
    )


def members(section: Section) -> Iterator[tuple[str, Any, Any]]:
    """(name, where it was found, object) of the public names in a section, in alphabetical order."""
    module = importlib.import_module(section.module)
    owner = getattr(module, section.member_of) if section.member_of else module
    for name in sorted(public(owner), key=lambda n: (n.lower(), n)):
        yield name, owner, inspect.getattr_static(owner, name) if section.member_of else getattr(owner, name)


def public(owner: Any) -> list[str]:
    """The names that users may use."""
    if not isinstance(owner, ModuleType):
        return [name for name in dir(owner) if not name.startswith("_")]
    listed = getattr(owner, "__all__", None)
    if listed is not None:
        return list(listed)
    return [
        name
        for name, value in vars(owner).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == owner.__name__
    ]


def summary(name: str, owner: Any, value: Any) -> str:
    """The first line of the docstring; for a second name of the same thing, what it is another name of."""
    if name in CONSTANTS and not callable(value):
        return CONSTANTS[name]
    if isinstance(value, dtype):
        sort = "Floating-point" if value.is_floating_point else "Truth" if value.name == "bool" else "Integer"
        return f"{sort} values of {value.itemsize} byte{'s' if value.itemsize > 1 else ''}."
    first = (inspect.getdoc(value) or "").partition("\n")[0]
    other = getattr(value, "__name__", name)
    if other != name and not other.startswith("_") and inspect.getattr_static(owner, other, None) is value:
        return f"Another name of `{other}`."
    return first


def cell(text: str) -> str:
    """A text inside a Markdown table: what is not marked as code must not be read as emphasis or as HTML."""
    parts = text.replace("|", "\\|").split("`")
    parts[::2] = [part.replace("*", "\\*").replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


def anchor(heading: str) -> str:
    """The link target that Markdown viewers give a heading."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")


if __name__ == "__main__":
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except Undocumented as err:
        sys.exit(str(err))
