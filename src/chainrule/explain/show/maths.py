r"""LaTeX of formulas whose names are derivatives: ∂f/∂v1 is \frac{\partial f}{\partial v_{1}}.

Next: `tables.py`.
"""

from __future__ import annotations

import re

from ..formula import Formula, latex_name

_DERIVATIVE = re.compile(r"\(?∂(?P<over>.+?)/∂(?P<under>.+?)\)?$")


def latex_of(formula: Formula, *, tensors: bool = False) -> str:
    """The LaTeX of a formula with names of any kind; tensors: products of elements are written ⊙."""
    places = {name: _place(i) for i, name in enumerate(formula.names) if _special(name)}
    plain = formula.substitute({name: Formula.name(place) for name, place in places.items()})
    text = plain.latex(tensors=tensors, digits=6)
    for name, place in places.items():
        text = text.replace(latex_name(place), name_latex(name))
    return text


def name_latex(name: str) -> str:
    """The LaTeX of one name: a derivative, a differential, a number, or an ordinary name."""
    found = _DERIVATIVE.match(name)
    if found and name.startswith(("∂", "(∂")):
        over, under = found["over"], found["under"].rstrip(")") if name.startswith("(") else found["under"]
        return rf"\frac{{\partial {name_latex(over)}}}{{\partial {name_latex(under)}}}"
    if name.startswith("Σ"):
        return rf"\Sigma {name_latex(name[1:])}"
    if name.startswith("d(") and name.endswith(")"):
        return rf"\mathrm{{d}}\left({latex_name(name[2:-1])}\right)"
    if name.startswith("d") and len(name) > 1:
        return rf"\mathrm{{d}}{latex_name(name[1:])}"
    if name.endswith(".detach()"):
        return rf"{latex_name(name.removesuffix('.detach()'))}\,\text{{(detached)}}"
    if re.fullmatch(r"\(?−?[\d.e+−-]+\)?", name):
        return name.replace("−", "-")
    return latex_name(name)


def _special(name: str) -> bool:
    return latex_name(name) != name_latex(name)


def _place(i: int) -> str:
    """A name that stands for another one, and that nothing else is called."""
    letters = ""
    i += 26
    while i:
        i, digit = divmod(i, 26)
        letters = chr(ord("a") + digit) + letters
    return f"Q{letters}Q"
