r"""Names of values in LaTeX: v1 is v_{1}, x_hat is \hat{x}, theta is \theta, encoder.fc1.weight is upright.

The name of a derivative, ∂f/∂v1, is a fraction.

Next: `latex.py`, whole formulas.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import Final

_GREEK: Final = frozenset(
    (
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
        "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
        "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
    )
)  # fmt: skip
_ACCENTS: Final = ("hat", "bar", "tilde", "dot", "vec")
_SPECIAL: Final = {"inf": r"\infty", "...": r"\ldots", "nan": r"\mathrm{nan}"}
_ESCAPED: Final = {c: f"\\{c}" for c in "_%#&${}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\hat{\ }"}


def latex_name(name: str) -> str:
    r"""A name as LaTeX: one letter in italics, words upright, digits and what follows `_` as subscripts.

    >>> [latex_name(name) for name in ("v1", "x_hat", "w_train_2", "loss", "encoder.fc1.weight")]
    ['v_{1}', '\\hat{x}', 'w_{\\mathrm{train},2}', '\\mathrm{loss}', '\\mathrm{encoder.fc1.weight}']
    """
    if name in _SPECIAL:
        return _SPECIAL[name]
    derivative = re.fullmatch(r"\(?∂(Σ?)([^/()]+)/∂([^/()]+)\)?", name)
    if derivative:  # the name of an adjoint; Σf is the sum of the elements of f
        of = rf"\Sigma {latex_name(derivative[2])}" if derivative[1] else latex_name(derivative[2])
        return rf"\frac{{\partial {of}}}{{\partial {latex_name(derivative[3])}}}"
    plain = name.rstrip("'")
    primes = name[len(plain) :]
    if plain.endswith("_") and keyword.iskeyword(plain[:-1]):  # lambda_, since lambda is a word of Python
        plain = plain[:-1]
    head, *below = plain.split("_")
    if not all(re.fullmatch(r"\w+", part) for part in (head, *below)) or not head[0].isalpha():
        return upright(plain) + primes
    accents = [part for part in below if part in _ACCENTS]
    below = [part for part in below if part not in _ACCENTS]
    letters = head.rstrip("0123456789")
    if head != letters:
        below.insert(0, head[len(letters) :])
    base = _word(letters)
    for accent in accents:
        base = f"\\{accent}{{{base}}}"
    subscript = ",".join(_word(part) for part in below)
    return base + primes + (f"_{{{subscript}}}" if subscript else "")


def upright(text: str) -> str:
    """Any text, upright, with what LaTeX would obey spelt out."""
    escaped = "".join(_ESCAPED.get(letter, letter) for letter in text)
    return rf"\mathrm{{{escaped}}}" if text.isascii() else rf"\text{{{escaped}}}"


def _word(text: str) -> str:
    if text in _GREEK:
        return f"\\{text}"
    if len(text) == 1 and not text.isascii():
        kind = unicodedata.name(text, "").split()  # GREEK SMALL LETTER ALPHA
        if len(kind) == 4 and kind[0] == "GREEK":
            called = kind[3].lower() if kind[1] == "SMALL" else kind[3].capitalize()
            return f"\\{called}" if called in _GREEK else text
    return text if len(text) == 1 or text.isdigit() else upright(text)
