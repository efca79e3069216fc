r"""From what people write to what Python's parser reads: signs, powers and bars in their Python spelling.

The text is taken apart into signs, names and numbers, and the order in which they stand is checked. That
finds what is wrong with a text at its place (Python's own messages speak of Python, and change with its
version), and bounds its length and depth before Python's parser sees it. Every byte of the result knows the
letters it comes from, so that later problems can be shown at their place, too.

    ·  ×  −  ≤  ≥  ≠     *  *  -  <=  >=  !=
    x²  x⁻¹  xᵀ          x**2  x**-1  x.mT
    |x|  ||x||           abs(x)  norm(x)
    π                    pi

What the names mean is not asked here. Next: `read.py`, which builds the tree.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final, NoReturn

from .error import unreadable
from .tree import Place

LONGEST = 10_000  # letters of a text
DEEPEST = 50  # brackets in brackets; Python's parser gives up at 200

_RAISED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_LOWERED: Final = str.maketrans(_RAISED, "0123456789-")
_SPELLING: Final = {"·": "*", "×": "*", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "xor": "is not"}
_PREFIXES: Final = ("-", "+", "~", "not")
_BETWEEN: Final = (
    "+", "-", "*", "/", "//", "%", "@", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "<<", ">>",
    "and", "or", "xor", "if", "else",
)  # fmt: skip
_OPENING: Final = {")": "(", "]": "["}
_OPERANDS: Final = ("True", "False", "None")
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<raised>[{_RAISED}]+|ᵀ)
  | (?P<name>(?:(?![{_RAISED}ᵀ])[^\W\d])(?:(?![{_RAISED}ᵀ])\w)*)
  | (?P<sign>\.\.\.|\+=|\*\*|//|<<|>>|<=|>=|==|!=|\|\||[-+*/%@<>=~&|^·×−≤≥≠()\[\],:.])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Scanned:
    """A text in Python's spelling; `starts` and `ends`: where each of its bytes (UTF-8) comes from."""

    text: str
    python: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    carets: list[Place] = field(default_factory=list)  # where ^ stood for a power

    def place(self, first: int, last: int) -> Place:
        """The letters of the text behind the bytes from `first` to before `last`."""
        return self.starts[first], self.ends[last - 1]


@dataclass(slots=True)
class _Open:
    """A bracket that is not closed yet."""

    bracket: str  # "(", "[", "|" or "||"
    place: Place
    call: bool  # the arguments of a function, or an index
    closing: str

    @property
    def separators(self) -> tuple[str, ...]:
        """What may stand between its parts."""
        if self.bracket == "[" and self.call:
            return (",", ":")
        return () if self.bracket in ("|", "||") else (",",)


class Scanner:
    """One pass over a text, with what must come next: something to compute with, or a sign after it."""

    def __init__(
        self, text: str, *, power: bool, equation: bool, values: bool, functions: Container[str]
    ) -> None:
        """See `scan`."""
        self.text = text
        self.values = values
        self.named = False  # whether the value that is being read has a name
        self.value_start = 0
        self.functions = functions
        self.power = power
        self.equation = equation
        self.result = Scanned(text)
        self.python: list[str] = []
        self.opened: list[_Open] = []
        self.wants_operand = True
        self.last = ""  # the last token, its kind and place
        self.last_kind = ""
        self.last_place: Place = (0, 0)
        self.before_last = ""

    def run(self) -> Scanned:
        """All of the text."""
        text = self.text
        if len(text) > LONGEST:
            self._refuse(
                (0, 1), f"the text has {len(text):,} letters, more than the {LONGEST:,} that are read"
            )
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup or "", match[0]
            if kind == "space":
                self._put(" ", match.span())
                continue
            self._token(kind, token, match.span())
            self.before_last, self.last, self.last_kind, self.last_place = (
                self.last, token, kind, match.span(),
            )  # fmt: skip
        self._finish()
        self.result.python = "".join(self.python)
        return self.result

    # -- tokens

    def _token(self, kind: str, token: str, place: Place) -> None:
        if kind == "other":
            self._foreign(token, place)
        elif kind == "number":
            self._number(token, place)
        elif kind == "raised":
            self._raised(token, place)
        elif kind == "name" and token not in ("and", "or", "xor", "if", "else", "not"):
            self._name(token, place)
        elif self.wants_operand:
            self._before_operand(token, place)
        else:
            self._after_operand(token, place)

    def _number(self, token: str, place: Place) -> None:
        if not self.wants_operand:
            self._adjacent(token, place)
        if token.isdigit():
            token = token.lstrip("0") or "0"  # Python refuses 007
        if len(token) > 400 or (not token.isdigit() and float(token) == float("inf")):
            self._refuse(place, "this number is too large")
        self._put(token, place)
        self.wants_operand = False

    def _raised(self, token: str, place: Place) -> None:
        if self.wants_operand:
            self._refuse(place, f"{token!r} needs something before it")
        if self.last_kind == "raised":
            self._refuse(place, "it is not clear what this belongs to", "brackets: (x²)ᵀ")
        lowered = token.translate(_LOWERED)
        if token != "ᵀ" and not lowered.removeprefix("-").isdigit():
            self._refuse(place, f"{token!r} is no power")
        self._put(".mT" if token == "ᵀ" else f"**{lowered}", place)

    def _name(self, token: str, place: Place) -> None:
        if self.last == "." and not self.wants_operand:
            self._put(token, place)
            return
        if keyword.iskeyword(token) and token not in _OPERANDS:
            self._refuse(place, f"{token!r} has no place in a formula")
        if not self.wants_operand:
            self._adjacent(token, place)
        self._put("pi" if token == "π" else token, place)
        self.wants_operand = False

    def _before_operand(self, token: str, place: Place) -> None:
        inner = self.opened[-1] if self.opened else None
        if token in ("−", *_PREFIXES):
            self._put(f" {token} " if token == "not" else _SPELLING.get(token, token), place)
        elif token == "..." or (token == "*" and inner and inner.call and self.last in ("(", ",")):
            self._put(token, place)
            self.wants_operand = token != "..."
        elif token in ("(", "["):
            self._open(token, place, call=False, python=token, closing=_closing(token))
        elif token in ("|", "||"):
            self._open(token, place, call=False, python="abs(" if token == "|" else "norm(", closing=")")
        elif inner is not None and token in inner.separators and (token == ":" or self.last == ":"):
            self._put(token, place)
        elif token in _OPENING:
            empty = self.last == _OPENING[token] and inner is not None and inner.bracket == "(" and inner.call
            if not (empty or self.last in (",", ":")):
                nothing = inner is not None and self.last == inner.bracket
                self._refuse(
                    (inner.place[0], place[1]) if inner and nothing else place,
                    "there is nothing between the brackets" if nothing else self._missing(token),
                )
            self._close(token, place)
        elif token in (",", ":") or token in _BETWEEN or token in _SPELLING or token in ("=", "+="):
            self._refuse(place, self._missing(token))
        else:
            self._refuse(place, f"{token!r} has no place here")

    def _after_operand(self, token: str, place: Place) -> None:
        inner = self.opened[-1] if self.opened else None
        if self.last == ".":
            self._refuse(self.last_place, "a name must follow the point")
        if token in ("|", "||") and inner and inner.bracket == token:
            self._close(token, place)
        elif token == "||" and len(self.opened) > 1 and [o.bracket for o in self.opened[-2:]] == ["|", "|"]:
            self._close("|", (place[0], place[0] + 1))
            self._close("|", (place[0] + 1, place[1]))
        elif token == "^" and self.power:
            self._no_raised(place)
            self.result.carets.append(place)
            self._sign("**", place)
        elif token in _BETWEEN or token in _SPELLING:
            if token == "**":
                self._no_raised(place)
            spelling = _SPELLING.get(token, token)
            self._sign(f" {spelling} " if spelling[0].isalpha() else spelling, place)
        elif token in _OPENING:
            self._close(token, place)
        elif token == "(" or token == "[":
            if token == "(" and not (self.last_kind == "name" and self.last not in _OPERANDS):
                self._adjacent(token, place)
            self._open(token, place, call=True, python=token, closing=_closing(token))
        elif inner is not None and token in inner.separators:
            self._sign(token, place)
        elif inner is None and self.values and token == ",":
            self._need_name(place[0])
            self.named, self.value_start = False, place[1]
            self._sign(token, place)
        elif token == ".":
            self._put(token, place)
        elif token in ("=", "+="):
            self._equals(token, place, inner)
        elif token in ("~", "not", "..."):
            self._adjacent(token, place)
        elif token == ",":
            decimal = self.last_kind == "number" and self.text[place[1] : place[1] + 1].isdigit()
            self._refuse(place, "a comma has no place here", "a point in numbers: 0.5" if decimal else "")
        else:
            self._refuse(place, f"{token!r} has no place here")

    def _equals(self, token: str, place: Place, inner: _Open | None) -> None:
        named = self.last_kind == "name" and self.before_last in ("(", ",")
        if inner is not None and inner.bracket == "(" and inner.call and named and token == "=":
            self._sign(token, place)
        elif inner is None and self.values and token == "=" and not self.named:
            alone = self.last_kind == "name" and self.before_last in ("", ",")
            if not alone:
                self._refuse((self.value_start, place[0]), "this is no name for a variable")
            self.named = True
            self._sign(token, place)
        elif inner is None and self.equation:
            self.equation = False
            self._sign(f" {token} ", place)
        else:
            right = self.text[place[1] :].strip()
            hint = f"only what stands right of it: {right}" if inner is None and right else ""
            if right[:1] in ("<", ">"):
                hint = f"{right[0]}="
            self._refuse(place, f"{token!r} has no place here", hint)

    # -- brackets

    def _open(self, bracket: str, place: Place, *, call: bool, python: str, closing: str) -> None:
        if len(self.opened) == DEEPEST:
            self._refuse(place, f"more than {DEEPEST} brackets stand in each other here")
        self.opened.append(_Open(bracket, place, call, closing))
        self._put(python, place)
        self.wants_operand = True

    def _close(self, token: str, place: Place) -> None:
        if not self.opened:
            self._refuse(place, f"{token!r} closes nothing")
        opened = self.opened.pop()
        if opened.bracket != _OPENING.get(token, token):
            self._refuse((opened.place[0], place[1]), f"{opened.bracket!r} is closed by {token!r}")
        self._put(opened.closing, place)
        self.wants_operand = False

    def _finish(self) -> None:
        if not self.last:
            self._refuse((0, 1), "there is nothing to read")
        if self.last == "." and self.last_kind == "sign":
            self._refuse(self.last_place, "a name must follow the point")
        if self.wants_operand and not (self.opened and self.last in ("(", "[", "|", "||")):
            self._refuse(self.last_place, f"something is missing after {self.last!r}")
        if self.opened:
            self._refuse(self.opened[-1].place, f"{self.opened[-1].bracket!r} is never closed")
        if self.values:
            self._need_name(len(self.text))

    # -- what is wrong

    def _adjacent(self, token: str, place: Place) -> NoReturn:
        both = (self.last_place[0], place[1])
        if self.last_kind == "name" and self.last in self.functions and token[0].isalnum():
            self._refuse(both, f"brackets are missing after {self.last!r}", f"{self.last}({token})")
        if self.values and self.named and not self.opened:
            self._refuse(both, f"a comma is missing between {self.last!r} and {token!r}")
        operands = self.last_kind in ("name", "number") and (
            token == "(" or (token[0].isalnum() and token != "not")
        )
        hint = f"{self.last}*{token}{'...' if token == '(' else ''}" if operands else ""
        self._refuse(both, f"a sign is missing between {self.last!r} and {token!r}", hint)

    def _need_name(self, end: int) -> None:
        if not self.named:
            problem = "the name of a variable is missing before this value"
            self._refuse((self.value_start, end), problem, "x1=2,x2=5; decimals with a point: 0.5")

    def _missing(self, token: str) -> str:
        if not self.last:
            return f"something is missing before {token!r}"
        return f"something is missing between {self.last!r} and {token!r}"

    def _no_raised(self, place: Place) -> None:
        if self.last_kind == "raised":
            self._refuse(place, "it is not clear what this power belongs to", "brackets: (x²)**3")

    def _foreign(self, token: str, place: Place) -> NoReturn:
        plain = unicodedata.normalize("NFKC", token)
        if token in "'\"`":
            self._refuse(place, "text in quotes has no place in a formula")
        if token != plain and plain.isascii() and plain.isprintable():
            self._refuse(place, f"{token!r} is not the {plain!r} of the keyboard", f"{plain} instead")
        shown = token if token.isprintable() else unicodedata.name(token, f"the character U+{ord(token):04X}")
        self._refuse(place, f"{shown!r} has no place in a formula")

    def _refuse(self, place: Place, problem: str, hint: str = "") -> NoReturn:
        raise unreadable(self.text, place, problem, hint)

    # -- the result

    def _sign(self, python: str, place: Place) -> None:
        self._put(python, place)
        self.wants_operand = True

    def _put(self, python: str, place: Place) -> None:
        self.python.append(python)
        count = len(python.encode())
        self.result.starts += [place[0]] * count
        self.result.ends += [place[1]] * count


def _closing(bracket: str) -> str:
    return ")" if bracket == "(" else "]"


def scan(
    text: str,
    *,
    power: bool = False,
    equation: bool = False,
    values: bool = False,
    functions: Container[str] = (),
) -> Scanned:
    """The text in Python's spelling, checked for the order of signs and operands.

    power: `^` is a power, as on paper. equation: one `=` or `+=` outside of brackets is allowed.
    values: it says values by name, x1=2,x2=5; what Python reads is a call with them.
    functions: names of functions, which need brackets after them.
    """
    found = Scanner(text, power=power, equation=equation, values=values, functions=functions).run()
    if values:
        found.python = f"values({found.python})"
        before = len("values(")
        found.starts = [0] * before + found.starts + [len(text)]
        found.ends = [0] * before + found.ends + [len(text)]
    return found
