"""Formulas as data: read, substituted, tidied, written as text and LaTeX, evaluated.

`formula.py` is what others hold. Below it: `tree.py` (what a formula is made of), `scan.py` and `read.py`
(from text), `write.py` and `latex.py` (to text), `tidy.py`, `evaluate.py`, and `vocabulary.py` (the functions
that the texts of the table use).
"""

from .error import FormulaError
from .formula import Formula
from .latex_name import latex_name
from .vocabulary import vocabulary

__all__ = ["Formula", "FormulaError", "latex_name", "vocabulary"]
