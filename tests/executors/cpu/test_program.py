"""Native programs against the reference evaluator: every entry of the table, random programs, hard shapes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.base import wrap
from chainrule.core import dtypes
from chainrule.core.errors import ChainruleError, IndexingError
from chainrule.executors.cpu.program import Program as Native
from chainrule.graph import trace
from chainrule.ops.primitive import ELEMENTWISE, TABLE, Primitive
from tests.executors.cpu.programs import FORMS, Program
from tests.executors.cpu.running import assert_same, memory_of, run_native, run_numpy
from tests.ops.cases import Case, cases, is_float, moving
from tests.ops.check_inputs import AXES, SHAPES, axis_settings, layouts, special_values
from tests.ops.check_values import accepts, as_type


def traced_call(op: Primitive, arrays: list[Any], settings: dict[str, Any]) -> Any:
    return trace(lambda *xs: op(*xs, **settings), *[torch.tensor(a) for a in arrays])


def variants(a: Any, kind: type) -> Any:
    return a.astype(kind) if a.dtype == np.float64 else a


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_entry(name: str, kind: type) -> None:
    op = TABLE[name]
    checked = 0
    for given in op.samples:
        arrays = [variants(a, kind) for a in given.arrays(np.random.default_rng(0))]
        if given.within is not None:
            continue
        assert_same(traced_call(op, arrays, given.settings_for(arrays)), *arrays, factor=4)
        checked += 1
    if not checked:  # ops that are meant for some inputs only: through what makes them
        within = op.samples[0]
        arrays = [variants(a, kind) for a in within.arrays(np.random.default_rng(0))]
        settings = within.settings_for(arrays)
        graph = trace(
            lambda x, *xs: op(within.within(x), *xs, **settings), *[torch.tensor(a) for a in arrays]
        )
        assert_same(graph, *arrays, factor=40)


KINDS = [
    dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64,
    dtypes.uint8, dtypes.bool_,
]  # fmt: skip
CASES = [case for op in TABLE.values() for case in cases(op)]
ELEMENTS = [op for op in TABLE.values() if op.kind == ELEMENTWISE]
OPS_OF_FLOATS = [op for op in TABLE.values() if any(is_float(a) for a in cases(op)[0].arrays())]


def of_kinds(ops: list[Primitive]) -> list[Any]:
    """(op, element type) where the op takes the type; what is like another one is slow."""
    rare = {dtypes.int16: pytest.mark.slow, dtypes.int32: pytest.mark.slow}
    return [pytest.param(op, k, marks=rare.get(k, ())) for op in ops for k in KINDS if accepts(op, k)]


def name_of(x: Any) -> str:
    return str(x.name)


def meant_for(case: Case, arrays: list[Any]) -> list[Any]:
    """Inputs that the op is meant for, made before: making them is not what is tested."""
    within = case.sample.within
    return arrays if within is None else [within(wrap(arrays[0]))._a, *arrays[1:]]


def compare(f: Any, *arrays: Any, factor: float = 50) -> None:
    """Native and NumPy agree, or both refuse with the same kind of error."""
    try:
        graph = trace(f, *[torch.tensor(a) for a in arrays], simplify=True)
        run_numpy(graph, *arrays)
    except (ChainruleError, IndexError) as err:
        refused = type(err)
    else:
        assert_same(graph, *arrays, factor=factor)
        return
    with pytest.raises(refused):
        run_native(trace(f, *[torch.tensor(a) for a in arrays], simplify=True), *arrays)


@pytest.mark.parametrize(("op", "kind"), of_kinds(OPS_OF_FLOATS), ids=name_of)
def test_every_type(op: Primitive, kind: Any) -> None:
    for case in cases(op):
        arrays = as_type(case.arrays(), kind)
        if kind in (dtypes.float32, dtypes.float64):
            arrays = meant_for(case, arrays)
        compare(partial(op, **case.sample.settings_for(arrays)), *arrays)


def seen_through(op: Primitive, views: list[Any], settings: dict[str, Any], *xs: Any) -> Any:
    return op(*[view(x) for x, view in zip(xs, views, strict=True)], **settings)


def gradient(op: Primitive, inputs: list[int], settings: dict[str, Any], *xs: Any) -> Any:
    """Gradients of the inputs with these numbers."""
    leaves = [x.detach().clone().requires_grad_() if i in inputs else x for i, x in enumerate(xs)]
    out = op(*leaves, **settings)
    if not out.requires_grad:
        return out
    weights = torch.arange(1, out.numel() + 1).to(out.dtype).reshape(out.shape)
    return torch.autograd.grad(out, [leaves[i] for i in inputs], weights, materialize_grads=True)


@pytest.mark.parametrize(
    "layout", ["transposed", pytest.param("strided", marks=pytest.mark.slow), "offset", "expanded"]
)
@pytest.mark.parametrize("op", TABLE.values(), ids=name_of)
def test_every_view(op: Primitive, layout: str) -> None:
    """Inputs that are views of others, inside of the program."""
    for case in cases(op):
        arrays = case.arrays()
        if any(map(is_float, arrays)):
            arrays = as_type(arrays, dtypes.float32)
        arrays = meant_for(case, arrays)
        settings = case.sample.settings_for(arrays)
        found = [{n: (b, v) for n, b, v in layouts(np.asarray(a))} for a in arrays]
        chosen = [views.get(layout, (a, lambda b: b)) for a, views in zip(arrays, found, strict=True)]
        views = [view for _, view in chosen]
        compare(partial(seen_through, op, views, settings), *[base for base, _ in chosen])


@pytest.mark.parametrize("op", [op for op in OPS_OF_FLOATS if op.differentiable], ids=name_of)
def test_every_gradient(op: Primitive) -> None:
    for case in cases(op):
        arrays = meant_for(case, as_type(case.arrays(), dtypes.float32))
        settings, inputs = case.sample.settings_for(arrays), moving(op, arrays)
        compare(partial(gradient, op, inputs, settings), *arrays)


ALONG_AXES = [c for c in CASES if "dim" in c.sample.settings and len(c.arrays()) == 1]


@pytest.mark.slow
@pytest.mark.parametrize("shape", AXES, ids=str)
@pytest.mark.parametrize("case", ALONG_AXES, ids=str)
def test_every_axis(case: Case, shape: tuple[int, ...]) -> None:
    """0-d, empty and length-1 axes, every axis and set of axes."""
    arrays = [np.resize(a, shape) for a in case.arrays()]
    for settings in axis_settings(case.sample.settings, len(shape)):
        compare(partial(case.op, **settings), *arrays)


@pytest.mark.parametrize("op", ELEMENTS, ids=name_of)
def test_every_broadcast(op: Primitive) -> None:
    """0-d, size-1 and zero-size inputs, and pairs that broadcast."""
    for case in cases(op)[:1]:
        for shapes in SHAPES:
            arrays = [np.resize(a, s) for a, s in zip(case.arrays(), shapes, strict=False)]
            compare(partial(op, **case.sample.settings_for(arrays)), *arrays)


@pytest.mark.parametrize(("op", "kind"), of_kinds(ELEMENTS), ids=name_of)
def test_special_values(op: Primitive, kind: Any) -> None:
    """NaN, infinities, zeros of both signs, subnormal and huge numbers, the edges of integers."""
    if kind.is_floating_point:
        values = special_values(kind.numpy)
    elif kind is dtypes.bool_:
        values = np.array([False, True])
    else:
        edge = np.iinfo(kind.numpy)
        small = [-7, -3, -2, -1] if edge.min < 0 else []
        values = np.array([*small, 0, 1, 2, 3, 7, edge.min, edge.min + 1, edge.max - 1, edge.max], kind.numpy)
    arrays = [a.ravel() for a in np.meshgrid(*[values] * len(op.inputs), indexing="ij")]
    if op.dtype.first:
        arrays[0] = arrays[0] > 0
    compare(partial(op, **op.samples[0].settings_for(arrays)), *arrays, factor=4)


# Programs that were compiled wrongly once: a fold over the padding of a buffer, values read before they were
# stored or computed again from what was overwritten, a sum of gradients with and without values.
ONCE_WRONG = [
    ("plain", 95), ("plain", 900), ("plain", 1202), ("plain", 1439), ("plain", 2449), ("gradient", 53),
    ("loop", 632), ("large", 700420),
]  # fmt: skip


def check_program(form: str, seed: int) -> None:
    torch.manual_seed(seed)
    program = Program(seed, form)
    graph = trace(program.run, *[torch.tensor(a) for a in program.inputs], simplify=True)
    assert_same(graph, *program.inputs, factor=100, least=np.dtype(np.float32))


@pytest.mark.parametrize(("form", "seed"), ONCE_WRONG)
def test_programs_that_were_wrong_once(form: str, seed: int) -> None:
    check_program(form, seed)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("form", FORMS)
def test_random_programs(form: str, seed: int) -> None:
    check_program(form, seed)


@pytest.mark.parametrize("seed", range(15))
def test_large_programs_have_the_same_bits_on_any_number_of_threads(seed: int) -> None:
    torch.manual_seed(seed)
    program = Program(seed, "large")
    graph = trace(program.run, *[torch.tensor(a) for a in program.inputs], simplify=True)
    native = Native(graph)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            known = memory_of(graph, program.inputs)
            outputs = native.run([known[v].ctypes.data for v in (*graph.inputs, *graph.captures)])
            found.append([a.tobytes() for a in (*outputs, *(known[c] for c, _ in graph.writes))])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25, 90))
@pytest.mark.parametrize("form", FORMS)
def test_more_random_programs(form: str, seed: int) -> None:
    check_program(form, seed)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_nothing_at_all(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    graph = trace(
        lambda x: (x * 2 + 1, x.sum(), x.sum(0), (x > 0).all(), x.T if x.dim() == 2 else x), torch.tensor(x)
    )
    assert_same(graph, x)


def test_products_of_matrices_that_repeat_a_number() -> None:
    x = np.arange(12.0).reshape(3, 4)
    graph = trace(
        lambda x: (x @ torch.ones(4, 2, dtype=x.dtype), torch.full((2, 3), 0.5, dtype=x.dtype) @ x),
        torch.tensor(x),
    )
    assert_same(graph, x)


def test_an_index_that_names_nothing_is_an_error() -> None:
    x, i = np.arange(5.0, dtype=np.float32), np.array([0, 7])
    graph = trace(lambda x, i: x[i], torch.tensor(x), torch.tensor([0, 1]))
    with pytest.raises(IndexingError, match="every index must name an element that is there"):
        run_native(graph, x, i)


def test_pieces_of_a_large_sum_are_added_in_a_fixed_order() -> None:
    x = np.random.default_rng(0).standard_normal((3000, 700)).astype(np.float32)
    graph = trace(lambda x: (x.sum(), x.sum(0), x.sum(1), x.mean()), torch.tensor(x))
    first, _ = run_native(graph, x)
    again, _ = run_native(graph, x)
    want, _ = run_numpy(graph, x)
    for a, b, c in zip(first, again, want, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-4, atol=5e-2)
