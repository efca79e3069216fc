"""What is shown is what ran: every formula is evaluated and compared with the value beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.explain import Derivation, explain
from chainrule.explain.phrases import evaluate
from chainrule.explain.recording import record
from chainrule.explain.reverse import Share
from chainrule.transforms.level import suspended
from tests.explain.programs import PROGRAMS

CASES = [(name, layout) for name in PROGRAMS for layout in ("numerator", "denominator")]


def derived(name: str, layout: str = "numerator") -> Derivation:
    fn, inputs = PROGRAMS[name]()
    return explain(fn, *inputs, layout=layout)


def array(x: Any) -> Any:
    return np.asarray(x._a if isinstance(x, torch.Tensor) else x, float)


def assert_same(got: Any, wanted: Any, what: str) -> None:
    got, wanted = array(got), array(wanted)
    assert got.shape == wanted.shape or got.size == 1, what
    np.testing.assert_allclose(got + np.zeros(wanted.shape), wanted, rtol=1e-6, atol=1e-9, err_msg=what)


class Linear:
    """∂z/∂x in a tangent's formula: a linear map, made of the rule for the adjoint."""

    def __init__(self, step: Any, i: int) -> None:
        self.step, self.i = step, i

    def __matmul__(self, dx: Any) -> Any:
        out = self.step.out.tensor
        rule = self.step.op.rule_for(self.i)
        found = np.zeros(out.shape)
        for place in np.ndindex(*out.shape):
            g = torch.zeros(out.shape, dtype=out.dtype)
            g[place] = 1
            back = rule.call(g, self.step.primals, self.step.shapes, out, self.step.settings, self.i)
            found[place] = float((array(back) * array(dx)).sum())
        return torch.tensor(found)

    __mul__ = __matmul__


@pytest.mark.parametrize("name", PROGRAMS)
def test_values(name: str) -> None:
    d = derived(name)
    with torch.no_grad():
        for row in d.values:
            if row.formula is not None:
                assert_same(evaluate(row.formula, d.space), row.of.data, f"{row.name} = {row.formula}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents(name: str) -> None:
    d = derived(name)
    for k in range(len(d.columns)):
        space = dict(d.space)
        for v, row in ((r.of, r) for r in d.forward):
            moved = row.tangents[k]
            space[row.name] = torch.zeros(v.shape, dtype=torch.float64) if moved is None else moved
        for step in d.steps:
            for i in step.moving:
                space[f"∂{step.out.name}/∂{step.operands[i].name}"] = Linear(step, i)
        with torch.no_grad():
            for row in d.forward:
                if row.formula is not None:
                    value = evaluate(row.formula, space)
                    assert_same(value, space[row.name], f"{row.name} = {row.formula}")


@pytest.mark.parametrize(("name", "layout"), CASES)
def test_adjoints(name: str, layout: str) -> None:
    d = derived(name, layout)
    assert d.reverse
    with torch.no_grad():
        for row in d.reverse:
            if row.formula is not None:
                assert_same(evaluate(row.formula, d.space), row.value, f"{row.name} = {row.formula}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_local_maps_give_the_share_of_the_adjoint(name: str) -> None:
    d = derived(name)
    total, shares = d._walked
    rows = {row.name: row for row in d.locals}
    checked = 0
    with torch.no_grad():
        for found in shares.values():
            for share in found:
                row = rows[f"∂{share.step.out.name}/∂{share.to.name}"]
                if row.maps:
                    same = [s for s in found if s.step is share.step]
                    wanted = sum(array(s.value) for s in same)
                    got = evaluate(row.formula, {**d.space, "G": total[id(share.step.out)]})
                    assert_same(got, wanted, f"{row.name}: {row.formula}")
                    checked += 1
    assert checked or all(not row.maps for row in d.locals)


@pytest.mark.parametrize(("name", "layout"), CASES)
def test_local_matrices_are_jacobians(name: str, layout: str) -> None:
    d = derived(name, layout)
    rows = {row.name: row for row in d.locals}
    for step in d.steps:
        for i in step.moving:
            x = step.operands[i]
            row = rows[f"∂{step.out.name}/∂{x.name}"]
            if row.maps:
                continue
            jacobian = np.zeros((step.out.size, x.size))
            for j in (j for j in step.moving if step.operands[j] is x):
                jacobian += jacobian_of(step, j)
            with torch.no_grad():
                got = array(evaluate(row.formula, {**d.space, "I": torch.eye(x.size, dtype=torch.float64)}))
            if x.shape and not step.out.shape:  # a row, or laid out like x
                wanted = jacobian.reshape(x.shape)
                wanted = wanted.T if layout == "numerator" else wanted
            else:
                wanted = jacobian if layout == "numerator" else jacobian.T
                wanted = wanted.reshape(got.shape) if wanted.size == 1 else wanted
            assert_same(got, wanted, f"{row.name} = {row.formula}")


def jacobian_of(step: Any, i: int) -> Any:
    out = step.out
    rows = []
    for k in range(out.size):
        g = np.zeros(out.size)
        g[k] = 1
        g = torch.tensor(g.reshape(out.shape))
        with suspended(), torch.no_grad():
            rule = step.op.rule_for(i)
            back = rule.call(g, step.primals, step.shapes, out.tensor, step.settings, i)
        rows.append(array(back).reshape(-1))
    return np.array(rows)


@pytest.mark.parametrize(("name", "layout"), CASES)
def test_the_whole_derivative_is_the_gradient_in_the_layout(name: str, layout: str) -> None:
    d = derived(name, layout)
    for row in d.matrix:
        gradient = array(d.gradient[row.of.name])
        np.testing.assert_array_equal(row.value, gradient.T if layout == "numerator" else gradient)
        if row.formula is not None:
            with torch.no_grad():
                got = array(evaluate(row.formula, d.space))
            np.testing.assert_allclose(got.reshape(row.value.shape), row.value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_gradient_is_that_of_backward(name: str) -> None:
    fn, inputs = PROGRAMS[name]()
    inputs = tuple(torch.tensor(x, dtype=torch.float64) if isinstance(x, float) else x for x in inputs)
    free = not any(x.requires_grad for x in inputs)
    leaves = [x.clone().requires_grad_() if free and x.is_floating_point() else x for x in inputs]
    torch.manual_seed(6)
    program, recording = record(fn, inputs)
    found = Derivation(program, title=name).gradient
    torch.manual_seed(6)
    # Times one: a function may write into its inputs, which backward forbids for leaves.
    fn(*[x * 1 if free and x.is_floating_point() else x for x in leaves]).sum().backward()
    for leaf in program.leaves:
        source = recording.origin[id(leaf)]
        at = [i for i, x in enumerate(inputs) if x is source]
        wanted = leaves[at[0]].grad if at else source._grad
        assert_same(found[leaf.name], 0.0 if wanted is None else wanted, leaf.name)


@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_reverse_and_differences_agree(name: str) -> None:
    d = derived(name)
    assert d.checks
    if name in ("detached", "gradients_off_for_a_while"):
        wanted = "the function holds values constant (detach or no_grad), and differences would move them"
        assert d.unchecked == wanted
        assert d.agree
        return
    assert d.unchecked == ""
    assert d.agree, "\n".join(f"{c.of} {c.forward} {c.reverse} {c.differences}" for c in d.checks)
    assert all(c.differences is not None for c in d.checks)


def test_a_wrong_formula_would_be_found() -> None:
    d = derived("inner_product")
    row = next(r for r in d.reverse if r.name == "∂loss/∂w")
    assert row.formula is not None
    wrong = row.formula * 2
    with torch.no_grad(), pytest.raises(AssertionError):
        assert_same(evaluate(wrong, d.space), row.value, "twice")


def test_shares_are_those_of_the_walk() -> None:
    d = derived("shared_twice")
    _, shares = d._walked
    (w,) = [leaf for leaf in d.program.leaves if leaf.name == "w"]
    assert [type(s) for s in shares[id(w)]] == [Share, Share]
