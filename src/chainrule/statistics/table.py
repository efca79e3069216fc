"""Joint, marginal and conditional probabilities of discrete variables, with names instead of axes.

The central idea: a `Table` is P(of | given), a Tensor with one named axis for each variable. Without `given`
it is a joint distribution. The rules of probability are its operations: summing out (`marginal`), dividing by
a marginal (`conditional`), multiplying P(given) by P(of | given) (`Table.joint`); Bayes' rule (`bayes`) is
the product followed by the division. Measures of plain tensors: `information.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base import TensorBase
from ..core.errors import ArgumentError, ShapeError, nearest
from ..creation import as_tensor
from ..functions.options import values_known
from ..tensor import Tensor
from . import information

_TOLERANCE = 1e-4


class Table:
    """P(of | given) of discrete variables: probabilities with one named axis for each variable.

    Shapes:  values: one axis for each name, first those of `of`, then those of `given`.
    Args:    of: the names of the variables, as a list or a string with spaces.
             given: the names of those that are known; for each of their outcomes the probabilities of `of`
             sum to 1 (or are nan, where the condition has probability 0).
             outcomes: the names of the outcomes of a variable; without, they are numbers from 0.
    Raises:  ShapeError for other numbers of axes or outcomes; ArgumentError for numbers that are no
             probabilities, for names used twice, and for names that are not there.

    >>> t = Table([[0.3, 0.1], [0.2, 0.4]], "sky wet",
    ...           outcomes={"sky": ["sun", "rain"], "wet": ["no", "yes"]})
    >>> t.p(sky="rain", wet="yes"), t.marginal("wet")
    (tensor(0.4000), P(wet):  no 0.5000  yes 0.5000)
    >>> t.conditional("sky", given="wet").p(sky="rain", wet="yes")
    tensor(0.8000)
    """

    def __init__(
        self,
        values: Any,
        of: str | Sequence[str],
        given: str | Sequence[str] = (),
        *,
        outcomes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.values: Tensor = values if isinstance(values, TensorBase) else as_tensor(values)  # type: ignore[assignment]
        self.of, self.given = _names(of), _names(given)
        names = (*self.of, *self.given)
        if len(set(names)) != len(names) or not self.of:
            raise ArgumentError.of(
                "Table", given=f"the names {_listed(names)}", must="each variable must have its own name"
            )
        if self.values.ndim != len(names):
            raise ShapeError.of(
                "Table",
                given=f"values {tuple(self.values.shape)} for {_listed(names)}",
                must="values must have one axis for each variable",
            )
        self.outcomes = {
            name: tuple(str(o) for o in (outcomes or {}).get(name, range(size)))
            for name, size in zip(names, self.values.shape, strict=True)
        }
        for name, size in zip(names, self.values.shape, strict=True):
            if len(self.outcomes[name]) != size:
                raise ShapeError.of(
                    "Table",
                    given=f"{len(self.outcomes[name])} outcomes of {name!r} for an axis of {size}",
                    must="each outcome must have its name",
                )
        for name in outcomes or {}:
            self._axis(name, "Table")
        _check(self)

    @classmethod
    def from_counts(
        cls, counts: Any, of: str | Sequence[str], *, outcomes: Mapping[str, Sequence[str]] | None = None
    ) -> Table:
        """The relative frequencies of counted outcomes, as a joint table.

        >>> Table.from_counts([[6, 2], [4, 8]], "sky wet").p(sky=1, wet=1)
        tensor(0.4000)
        """
        table = as_tensor(counts).to(as_tensor(1.0).dtype)
        return cls(table / table.sum(), of, outcomes=outcomes)

    # -- the rules of probability ------------------------------------------------------------------------

    def marginal(self, *names: str) -> Table:
        """P(names | given): the other variables summed out. The axes are in the order of the names.

        >>> Table([[0.3, 0.1], [0.2, 0.4]], "a b").marginal("a")
        P(a):  0 0.4000  1 0.6000
        """
        self._only(names, self.of, "marginal")
        gone = tuple(self._axis(n, "Table.marginal") for n in self.of if n not in names)
        values = self.values.sum(gone) if gone else self.values
        left = [n for n in (*self.of, *self.given) if n in names or n in self.given]
        values = values.permute([left.index(n) for n in (*names, *self.given)])
        return self._made(values, names, self.given)

    def conditional(self, of: str | Sequence[str], given: str | Sequence[str]) -> Table:
        """P(of | given) = P(of, given) / P(given), from a joint table; nan where P(given) is 0."""
        wanted, known = _names(of), _names(given)
        if self.given:
            raise ArgumentError.of(
                "Table.conditional",
                given=f"a table of {self._title()}",
                must="it must be a joint table: nothing may be given yet",
                hint="Table.joint(prior, table)",
            )
        both = self.marginal(*wanted, *known)
        condition = both.values.sum(tuple(range(len(wanted))), keepdim=True)
        return self._made(both.values / condition, wanted, known)

    def where(self, **known: Any) -> Table:
        """The table of the other variables when these have the given outcomes: P(others | known).

        >>> t = Table([[0.3, 0.1], [0.2, 0.4]], "a b")
        >>> t.where(b=1)
        P(a | b=1):  0 0.2000  1 0.8000
        """
        rest = [n for n in self.of if n not in known]
        if not rest or not known:
            raise ArgumentError.of(
                "Table.where",
                given=f"the outcomes of {_listed(tuple(known))}" if known else "no outcome",
                must=f"it must be said of some of the variables {_listed(self.of)}, and not of all",
                hint=f"t.p({self.of[0]}=...), for a probability",
            )
        values = self._at(known, "Table.where")
        total = values.sum(tuple(range(len(rest))), keepdim=True)
        out = self._made(values / total, rest, [n for n in self.given if n not in known])
        out._known = {**self._known, **{n: self._outcome(n, v, "Table.where")[1] for n, v in known.items()}}
        return out

    @staticmethod
    def joint(prior: Table, likelihood: Table) -> Table:
        """P(of, given) = P(of | given) P(given), from `prior` = P(given) and `likelihood` = P(of | given).

        >>> coin = Table([0.5, 0.5], "a")
        >>> Table.joint(coin, Table([[0.9, 0.2], [0.1, 0.8]], "b", given="a")).marginal("b")
        P(b):  0 0.5500  1 0.4500
        """
        if prior.given or not likelihood.given or set(prior.of) != set(likelihood.given):
            raise ArgumentError.of(
                "Table.joint",
                given=f"{prior._title()} and {likelihood._title()}",
                must="the prior must be the joint table of what the likelihood has given",
                hint="Table.joint(P(a), P(b | a))",
            )
        ordered = prior.marginal(*likelihood.given)
        for name in likelihood.given:
            if ordered.outcomes[name] != likelihood.outcomes[name]:
                raise ArgumentError.of(
                    "Table.joint",
                    given=f"the outcomes {_listed(prior.outcomes[name])} and "
                    f"{_listed(likelihood.outcomes[name])} of {name!r}",
                    must="a variable must have the same outcomes in both tables",
                )
        out = likelihood._made(likelihood.values * ordered.values, (*likelihood.of, *likelihood.given), ())
        out._known = {**prior._known, **likelihood._known}
        return out

    # -- numbers -----------------------------------------------------------------------------------------

    def p(self, **known: Any) -> Tensor:
        """The probability of these outcomes, by name or number; variables that are not named are summed out.

        Raises:  ArgumentError for names and outcomes that are not there, or if one that is given is missing.
        """
        missing = [n for n in self.given if n not in known]
        if missing:
            raise ArgumentError.of(
                "Table.p",
                given=f"no outcome of {_listed(missing)}",
                must=f"{self._title()} needs an outcome of each variable that is given",
            )
        values = self._at(known, "Table.p")
        return values.sum()

    def entropy(self, *names: str, given: str | Sequence[str] = (), unit: str = "nats") -> Tensor:
        """The entropy of these variables together (all, if none is named), or of them given others.

        >>> t = Table([[0.5, 0.0], [0.0, 0.5]], "a b")
        >>> t.entropy(unit="bits"), t.entropy("a", given="b", unit="bits")
        (tensor(1.), tensor(0.))
        """
        self._need_joint("entropy")
        known = _names(given)
        wanted = names or tuple(n for n in self.of if n not in known)
        both = self.marginal(*wanted, *known).values
        if not known:
            return information.entropy(both, None, unit)
        rows = both.flatten(0, len(wanted) - 1) if len(wanted) > 1 else both
        flat = rows.reshape(rows.shape[0], -1)  # (of, given)
        return information.conditional_entropy(flat, given=-1, unit=unit)

    def mutual_information(self, a: str, b: str, unit: str = "nats") -> Tensor:
        """What two variables say about each other: H(a) + H(b) - H(a, b).

        >>> Table([[0.5, 0.0], [0.0, 0.5]], "a b").mutual_information("a", "b", unit="bits")
        tensor(1.)
        """
        self._need_joint("mutual_information")
        return information.mutual_information(self.marginal(a, b).values, unit)

    # -- inside ------------------------------------------------------------------------------------------

    _known: Mapping[str, str] = {}

    def _made(self, values: Tensor, of: Sequence[str], given: Sequence[str]) -> Table:
        outcomes = {n: self.outcomes[n] for n in (*of, *given)}
        out = Table(values, of, given, outcomes=outcomes)
        out._known = self._known
        return out

    def _axis(self, name: str, what: str) -> int:
        names = [*self.of, *self.given]
        if name not in names:
            raise ArgumentError.of(
                what,
                given=f"the variable {name!r}{nearest(name, names)}",
                must=f"the table has the variables {_listed(names)}",
            )
        return names.index(name)

    def _outcome(self, name: str, outcome: Any, what: str) -> tuple[int, str]:
        """The number and the name of an outcome."""
        self._axis(name, what)
        known = self.outcomes[name]
        if isinstance(outcome, str) and outcome in known:
            return known.index(outcome), outcome
        if isinstance(outcome, int | np.integer) and 0 <= outcome < len(known):
            return int(outcome), known[int(outcome)]
        guess = nearest(outcome, list(known)) if isinstance(outcome, str) else ""
        raise ArgumentError.of(
            what,
            given=f"{name}={outcome!r}{guess}",
            must=f"the outcomes of {name!r} are {_listed(known)}",
        )

    def _at(self, known: Mapping[str, Any], what: str) -> Tensor:
        places: dict[str, int] = {n: self._outcome(n, v, what)[0] for n, v in known.items()}
        index = tuple(places.get(n, slice(None)) for n in (*self.of, *self.given))
        out: Tensor = self.values[index]
        return out

    def _only(self, names: Sequence[str], valid: Sequence[str], method: str) -> None:
        for n in names:
            if n not in valid:
                self._axis(n, f"Table.{method}")
                raise ArgumentError.of(
                    f"Table.{method}",
                    given=f"the variable {n!r}, which is given",
                    must=f"{self._title()} has probabilities of {_listed(valid)}",
                )
        if not names or len(set(names)) != len(names):
            raise ArgumentError.of(
                f"Table.{method}",
                given=f"the variables {_listed(names)}" if names else "no variable",
                must="each variable that stays must be named once",
            )

    def _need_joint(self, method: str) -> None:
        if self.given:
            raise ArgumentError.of(
                f"Table.{method}",
                given=f"a table of {self._title()}",
                must="it needs a joint table: how likely the conditions are is not in this one",
                hint="Table.joint(prior, table)",
            )

    def _title(self) -> str:
        known = [*self.given, *[f"{n}={v}" for n, v in self._known.items()]]
        return f"P({', '.join(self.of)}{' | ' if known else ''}{', '.join(known)})"

    def __repr__(self) -> str:
        if not values_known(self.values):
            return f"{self._title()} {tuple(self.values.shape)}"
        a = self.values.detach()._a
        if a.ndim == 1:
            cells = [f"{n} {v:.4f}" for n, v in zip(self.outcomes[self.of[0]], a, strict=True)]
            return f"{self._title()}:  " + "  ".join(cells)
        if a.ndim > 2:
            return f"{self._title()}, {' × '.join(map(str, a.shape))} probabilities"
        down, along = (*self.of, *self.given)
        head = [f"{self._title()}", *[f"{along}={o}" for o in self.outcomes[along]]]
        named = zip(self.outcomes[down], a, strict=True)
        rows = [[f"{down}={o}", *[f"{v:.4f}" for v in row]] for o, row in named]
        widths = [max(len(r[i]) for r in (head, *rows)) for i in range(len(head))]
        lines = []
        for first, *cells in (head, *rows):
            padded = [c.rjust(w) for c, w in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([first.ljust(widths[0]), *padded]))
        return "\n".join(lines)


def bayes(prior: Table, likelihood: Table) -> Table:
    """Bayes' rule: P(cause | effect) from P(cause) and P(effect | cause).

    Raises:  ArgumentError if the prior is not about what the likelihood has given.

    A test that finds each sick person, and one healthy person in a hundred:

    >>> sick = Table([0.9985, 0.0015], "sick")
    >>> test = Table([[0.99, 0.0], [0.01, 1.0]], "positive", given="sick")
    >>> bayes(sick, test).p(sick=1, positive=1)
    tensor(0.1306)
    """
    return Table.joint(prior, likelihood).conditional(likelihood.given, likelihood.of)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(names.split()) if isinstance(names, str) else tuple(names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(n) for n in names) or "nothing"


def _check(table: Table) -> None:
    """Refuse numbers that are no probabilities, where there are values to look at."""
    if table.values._a.dtype.kind != "f":
        raise ArgumentError.of(
            "Table",
            given=f"values of type {table.values.dtype}",
            must="probabilities are floating-point numbers",
            hint="Table.from_counts(...), if these are counts",
        )
    if not values_known(table.values):
        return
    a = table.values._a
    total = a.sum(tuple(range(len(table.of))))
    sure = ~np.isnan(total) if table.given else np.ones_like(total, bool)
    if (a < 0).any() or not (np.abs(total - 1) <= _TOLERANCE)[sure].all():
        low, high = f"{np.nanmin(total):.6g}", f"{np.nanmax(total):.6g}"
        seen = f"sums from {low} to {high}" if np.ndim(total) else f"the sum {low}"
        raise ArgumentError.of(
            "Table",
            given=f"values {a.shape} with {'a negative number' if (a < 0).any() else seen}",
            must=f"the probabilities of {_listed(table.of)} must be at least 0 and sum to 1"
            + (f" for each outcome of {_listed(table.given)}" if table.given else ""),
            hint="Table.from_counts(...), if these are counts",
        )
