"""What a loop over batches cannot be in a graph is refused, with the words that help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import eager, nn
from chainrule.graph import TraceError, trace
from chainrule.ops.primitive import tracing
from chainrule.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

X, Y = torch.arange(46.0).reshape(23, 2), torch.arange(23)


def loader(rows: int = 23, **options: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(X[:rows], Y[:rows]), **{"batch_size": 5, **options})


def message(function: Callable[[], Any]) -> str:
    """The refusal without the user's lines, which are checked to be in this file."""
    special = eager.special
    with pytest.raises(TraceError) as caught:
        trace(function)
    assert (tracing.tracer, eager.special) == (None, special)
    text, _, where = str(caught.value).rpartition("\n  at ")
    assert "test_loop_traps.py:" in where
    assert text == caught.value.summary
    first, _, rest = text.partition(", at ")
    if rest:
        place, _, rest = rest.partition(", ")
        assert "test_loop_traps.py:" in place
        return f"{first}, at PLACE, {rest}"
    return text


ANOTHER = (
    "  the loop is recorded once, so it must do the same for every batch\n"
    "  try: what changes from batch to batch has to be a tensor from before the loop that each of them "
    "changes in place"
)

BATCHES = {"a loop": 20, "a loop and a rest": 23}


# -- what is made inside ------------------------------------------------------------------------------------


def gone(shape: str = "()") -> str:
    return (
        f"for batch in loader got a tensor {shape} that was made inside the loop, at PLACE, and is used "
        "after it or for another batch\n"
        "  the loop is recorded once: what is made for one batch is gone after it, and only changes in place "
        "of tensors from before the loop stay\n"
        "  try: total += loss, or last.copy_(loss), with a tensor that is made before the loop; for an "
        "optimizer, which makes its state in its first step, take that one before"
    )


def test_the_value_of_the_last_batch() -> None:
    def f() -> Any:
        for x, _ in loader(20):
            loss = x.sum()
        return loss

    assert message(f) == gone()


@pytest.mark.parametrize("rows", BATCHES.values(), ids=BATCHES)
def test_a_sum_that_is_a_new_tensor_each_time(rows: int) -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader(rows):
            total = total + x.sum()
        return total

    assert message(f) == gone()


@pytest.mark.parametrize("rows", BATCHES.values(), ids=BATCHES)
def test_a_list_of_losses(rows: int) -> None:
    def f() -> Any:
        losses = []
        for x, _ in loader(rows):
            losses.append(x.sum())
        return losses

    assert message(f) == gone()


def test_a_batch_itself() -> None:
    def f() -> Any:
        for x, _ in loader(20):
            x += 1
        return x

    assert message(f) == gone("(5, 2)")


def test_a_tensor_made_and_changed_inside() -> None:
    def f() -> Any:
        for _ in loader(20):
            m = torch.zeros(2)
            m += 1
        return m

    assert message(f) == gone("(2,)")


MAKERS: dict[str, Callable[[Any], Any]] = {
    "tensor": lambda x: torch.tensor([1.0, 2.0]),
    "as_tensor": lambda x: torch.as_tensor([1.0, 2.0]),
    "from_numpy": lambda x: torch.from_numpy(np.ones(2, np.float32)),
    "Tensor": lambda x: torch.Tensor([1.0, 2.0]),
    "arange": lambda x: torch.arange(2.0),
    "full": lambda x: torch.full((2,), 3.0),
    "zeros_like": lambda x: torch.zeros_like(x[0]),
    "new_full": lambda x: x.new_full((2,), 0.5),
    "clone": lambda x: X[0].clone(),
    "rand": lambda x: torch.rand(2),
    "one_hot": lambda x: nn.functional.one_hot(torch.tensor(1), 2).float(),
    "eye": lambda x: torch.eye(2)[1],
}


@pytest.mark.parametrize("name", MAKERS)
def test_each_iteration_has_the_tensors_that_it_makes(name: str) -> None:
    batches, make = loader(20), MAKERS[name]

    def f() -> Any:
        total = torch.zeros(2)
        for x, _ in batches:
            m = make(x)
            m += x.sum(0)
            total += m
        return total

    torch.manual_seed(0)
    wanted = f()
    graph = trace(f)
    torch.manual_seed(0)
    assert graph().tolist() == wanted.tolist()


def test_a_tensor_of_which_nobody_knows_where_it_was_made() -> None:
    def f() -> Any:
        total = torch.zeros(2)
        for x, _ in loader(20):
            m = nn.Parameter(torch.ones(2)).detach()
            m += x.sum(0)
            total += m
        return total

    assert message(f) == (
        "for batch in loader got a tensor (2,) that it changes in place, where the second batch does not\n"
        + ANOTHER
    )


def test_a_list_outside_that_keeps_a_tensor() -> None:
    kept = []

    def f() -> None:
        for x, _ in loader(20):
            kept.append(x)

    assert message(f) == (
        "trace got a tensor (5, 2) that was made inside the traced function, at PLACE, and is still held "
        "outside\n"
        "  a later run would make another one, and what holds this one would never know\n"
        "  try: return it, or make it outside and change it in place; an optimizer makes its state in its "
        "first step: take that one before"
    )


def test_the_rest_is_an_ordinary_piece_of_the_program() -> None:
    def f() -> Any:
        for x, _ in loader(23):
            last = x.sum()
        return last

    assert trace(f)().item() == X[20:].sum().item()


def test_a_reshaped_tensor_whose_owner_the_loop_changes() -> None:
    def f() -> Any:
        t = torch.zeros(2, 3)
        turned = t.t().contiguous()
        for x, _ in loader(20):
            t += x.sum()
        return turned

    assert message(f).startswith("reading a reshaped or contiguous tensor got one (3, 2) after a write")


def test_a_reshaped_tensor_whose_owner_stays() -> None:
    def f(t: Any) -> Any:
        turned, total = t.t().contiguous(), torch.zeros(3, 2)
        for x, _ in loader(20):
            total += turned * x.sum()
        return total, turned

    t = torch.arange(6.0).reshape(2, 3)
    assert [y.tolist() for y in trace(f, t)(t)] == [y.tolist() for y in f(t)]


# -- leaving early -------------------------------------------------------------------------------------------

LEFT = (
    "for batch in loader got break or return before the last batch\n"
    "  the loop is recorded once and runs for every batch\n"
    "  try: a loader over fewer samples: Subset(dataset, range(n))"
)


def test_break() -> None:
    def f() -> Any:
        for x, _ in loader():
            if len(x) == 5:
                break
        return torch.ones(2) * 2

    assert message(f) == LEFT


def test_return() -> None:
    def f() -> Any:
        for x, _ in loader():
            return x
        return None

    assert message(f) == LEFT


def test_break_and_another_loop() -> None:
    def f() -> Any:
        for _ in loader():
            break
        for _ in loader():
            pass

    assert message(f) == LEFT


def test_break_inside_a_nested_loop() -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader():
            for _ in loader():
                break
            total += x.sum()
        return total

    assert message(f) == LEFT


def test_break_in_the_rest_and_in_a_single_batch() -> None:
    def f() -> Any:
        total = torch.zeros(())
        for x, _ in loader():
            total += x.sum()
            if len(x) < 5:
                break
        return total

    def g() -> Any:
        total = torch.zeros(())
        for x, _ in loader(7):
            total += x.sum()
            break
        return total

    assert trace(f)().item() == f().item()
    assert trace(g)().tolist() == g().tolist()


# -- who walks -----------------------------------------------------------------------------------------------

WALKED = (
    "for batch in loader got a DataLoader that is given to enumerate(), zip(), iter() or list()\n"
    "  the loop is recorded once: numbers that Python counts would be those of the first batch\n"
    "  try: for x, y in loader: with a tensor that counts: i = tensor(0) before the loop, i += 1 in it"
)

WALKS: dict[str, Callable[[Any], Any]] = {
    "enumerate": lambda batches: [0 for i, (x, y) in enumerate(batches)],
    "zip": lambda batches: [0 for i, (x, y) in zip(range(9), batches, strict=False)],
    "next": lambda batches: next(iter(batches)),
    "list": lambda batches: list(batches),
    "star": lambda batches: max(*batches),
}


@pytest.mark.parametrize("name", WALKS)
def test_only_for_may_walk(name: str) -> None:
    batches = loader()

    def f() -> Any:
        return WALKS[name](batches)

    assert message(f) == WALKED


def test_a_list_that_python_unpacks() -> None:
    assert message(lambda: [*loader(20)]) == gone("(5, 2)")


def test_a_progress_bar_may_stand_between() -> None:
    shown = []

    def bar(batches: Any) -> Iterator[Any]:
        for batch in batches:
            yield batch
            shown.append("#")

    def f() -> Any:
        total = torch.zeros(())
        for x, _ in bar(loader()):
            total += x.sum()
        return total

    assert trace(f)().item() == X.sum().item()
    assert shown == ["#", "#", "#"]


class Squares(torch.utils.data.Dataset[int]):
    def __getitem__(self, i: int) -> int:
        return i * i

    def __len__(self) -> int:
        return 9


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(9))


class Backwards(SequentialSampler):
    pass


LOADERS: dict[str, Callable[[], DataLoader[Any]]] = {
    "a DataLoader over a Squares, with a SequentialSampler": lambda: DataLoader(Squares(), 3),
    "a DataLoader over a TensorDataset, with a Backwards": lambda: loader(sampler=Backwards(X)),
    "a DataLoader over an IterableDataset, Stream": lambda: DataLoader(Stream(), 3),
    "a DataLoader with a collate_fn of its own": lambda: loader(collate_fn=lambda x: default_collate(x)),
    "a DataLoader with batch_sampler=list": lambda: DataLoader(TensorDataset(X), batch_sampler=[[0], [1]]),
    "a DataLoader without batches (batch_size=None)": lambda: loader(batch_size=None),
}


@pytest.mark.parametrize("what", LOADERS)
def test_data_that_are_not_in_memory(what: str) -> None:
    batches = LOADERS[what]()

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        f"for batch in loader got {what}\n"
        "  its batches are made by Python, one by one, and would be fixed in the graph\n"
        "  try: DataLoader(TensorDataset(x, y), batch_size=n), or trace only what is done for one batch"
    )


def test_weights() -> None:
    batches = loader(sampler=WeightedRandomSampler([1.0] * 23, 10))

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        "for batch in loader got a DataLoader with a WeightedRandomSampler\n"
        "  its draws are no operations of a graph\n"
        "  try: DataLoader(TensorDataset(x, y), batch_size=n), or trace only what is done for one batch"
    )


def test_data_that_require_a_gradient() -> None:
    batches = DataLoader(TensorDataset(torch.ones(6, 2, requires_grad=True)), 2)

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        "for batch in loader got a data set with a tensor (6, 2) that requires a gradient\n"
        "  no gradient flows from a batch to the data\n"
        "  try: detach() it"
    )


# -- gradients -----------------------------------------------------------------------------------------------

LEFTOVER = (
    "for batch in loader got a gradient (2,) that the first batch leaves for the second, in .grad\n"
    "  each iteration must find .grad as the one before it did\n"
    "  try: optimizer.zero_grad() as the first line of the loop, or w.grad = None"
)


def _accumulates(w: Any, x: Any) -> None:
    (x @ w).sum().backward()


def _set_too_late(w: Any, x: Any) -> None:
    _accumulates(w, x)
    w.grad = None
    _accumulates(w, x)


def _zero_too_early(w: Any, x: Any) -> None:
    if w.grad is not None:
        w.grad.zero_()
    _accumulates(w, x)


@pytest.mark.parametrize("body", [_accumulates, _set_too_late, _zero_too_early])
def test_gradients_that_add_up_from_batch_to_batch(body: Callable[[Any, Any], None]) -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        for x, _ in loader():
            body(w, x)

    assert message(f) == LEFTOVER
    assert w.grad is None


def test_a_gradient_from_before_that_only_the_first_batch_uses() -> None:
    w = torch.ones(2, requires_grad=True)
    w.grad = torch.ones(2)

    def f() -> None:
        for x, _ in loader():
            with torch.no_grad():
                w.sub_(w.grad)
            w.grad = None
            _accumulates(w, x)

    assert message(f) == LEFTOVER
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_gradient_from_before_that_is_cleared_first() -> None:
    def make() -> tuple[Any, Callable[[], None]]:
        w = torch.ones(2, requires_grad=True)
        w.grad = torch.ones(2)

        def f() -> None:
            for x, _ in loader():
                w.grad = None
                _accumulates(w, x)
                with torch.no_grad():
                    w.sub_(w.grad, alpha=1e-4)

        return w, f

    w, f = make()
    f()
    other, g = make()
    trace(g)()
    assert other.tolist() == w.tolist()


BOUNDARY = (
    "for batch in loader got backward through a tensor {} that was computed outside of this iteration, or "
    "was changed in it and is carried on\n"
    "  each iteration is differentiated on its own\n"
    "  try: compute it in the same iteration as the loss, or detach() it"
)


def test_no_gradient_flows_into_the_loop() -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        doubled = w * 2
        for x, _ in loader():
            _accumulates(doubled, x)

    assert message(f) == BOUNDARY.format("(2,)")


@pytest.mark.parametrize("where", ["inside", "after"])
def test_no_gradient_flows_out_of_an_iteration(where: str) -> None:
    w = torch.ones(2, requires_grad=True)

    def f() -> None:
        total = torch.zeros(())
        for x, _ in loader():
            total += (x @ w).sum()
            if where == "inside":
                total.backward()
        total.backward()

    assert message(f) == BOUNDARY.format("()")


def test_what_was_recorded_before_the_loop_can_be_differentiated_after_it() -> None:
    def f(w: Any) -> Any:
        before = (w * 3).sum()
        count = torch.zeros(())
        for x, _ in loader():
            count += len(x) * before.detach()
        return torch.autograd.grad(before, w)[0], count

    w = torch.ones(2, requires_grad=True)
    assert [x.tolist() for x in trace(f, w)(w)] == [[3.0, 3.0], 138.0]


# -- what Python does otherwise for the second batch ---------------------------------------------------------


def _counts(total: Any, x: Any, state: dict[str, Any]) -> None:
    state["n"] = state.get("n", 0) + 1
    total += x.sum(0) * state["n"]


def _skips(total: Any, x: Any, state: dict[str, Any]) -> None:
    if "started" in state:
        total += 1
    state["started"] = True


def _starts(total: Any, x: Any, state: dict[str, Any]) -> None:
    if not state:
        total += 1
    state["started"] = True


def _takes_turns(total: Any, x: Any, state: dict[str, Any]) -> None:
    first, second = PAIR
    state["turn"] = second if state.get("turn") is first else first
    total += state["turn"]


def _squares(total: Any, x: Any, state: dict[str, Any]) -> None:
    total += x.sum(0) ** 2 if state else x.exp().sum(0)
    state["started"] = True


def _remembers(total: Any, x: Any, state: dict[str, Any]) -> None:
    total += state.get("last", torch.zeros(2))
    state["last"] = x.sum(0)


PAIR = [torch.ones(2), torch.ones(2)]

OTHERWISE: dict[Callable[[Any, Any, dict[str, Any]], None], str] = {
    _counts: "mul(..., 1.0) for the first batch, and mul(..., 2.0) for the second\n" + ANOTHER,
    _skips: "a tensor (2,) that it changes in place, where the first batch did not\n" + ANOTHER,
    _starts: "a tensor (2,) that it changes in place, where the second batch does not\n" + ANOTHER,
    _takes_turns: "a tensor (2,) for the first batch, and another one for the second\n" + ANOTHER,
    _squares: "sum(..., dim=(0,), keepdim=False) for the first batch, and square(...) for the second\n"
    + ANOTHER,
}


@pytest.mark.parametrize("body", OTHERWISE)
def test_every_batch_must_do_the_same(body: Callable[..., None]) -> None:
    batches = loader(20)

    def f() -> Any:
        total, state = torch.zeros(2), dict[str, Any]()
        for x, _ in batches:
            body(total, x, state)
        return total

    assert message(f) == "for batch in loader got " + OTHERWISE[body]


def test_what_python_remembers_from_batch_to_batch() -> None:
    def f() -> Any:
        total, state = torch.zeros(2), dict[str, Any]()
        for x, _ in loader(20):
            _remembers(total, x, state)
        return total

    assert message(f) == gone("(2,)")


def test_a_step_before_the_first_gradient() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)

    def f() -> None:
        for x, _ in loader(20):
            opt.step()
            opt.zero_grad()
            _accumulates(w, x)

    assert message(f) == gone("(2,)")
    assert w.grad is None


# -- the state afterwards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_body_leaves_nothing_behind(kind: type[BaseException]) -> None:
    net = nn.Linear(2, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    total = torch.zeros(())
    before = [p.tolist() for p in net.parameters()], [p._v for p in net.parameters()], eager.special
    state = torch.get_rng_state()

    def f(fail: bool) -> None:
        for x, _ in loader(shuffle=True):
            opt.zero_grad()
            loss = net(x).sum()
            loss.backward()
            opt.step()
            total.add_(loss.detach())
            if fail:
                raise kind("stop")

    with pytest.raises(kind, match="stop"):
        trace(lambda: f(True))
    assert tracing.tracer is None
    assert ([p.tolist() for p in net.parameters()], [p._v for p in net.parameters()], eager.special) == before
    assert [p.grad for p in net.parameters()] == [None, None]
    assert all(isinstance(p.grad_fn, type(None)) and p.requires_grad for p in net.parameters())
    assert not total.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    trace(lambda: f(False))()
    assert [p.tolist() for p in net.parameters()] != before[0]


def test_an_error_caught_inside_the_function_is_as_a_break() -> None:
    def f() -> Any:
        try:
            for _ in loader():
                raise ValueError
        except ValueError:
            pass
        return torch.ones(2)

    assert message(f) == LEFT


# -- what is fixed, and noted --------------------------------------------------------------------------------


def test_the_graph_notes_what_it_relies_on() -> None:
    data = TensorDataset(X, Y)
    indices = list(range(20))
    subset = Subset(data, indices)
    sampler = RandomSampler(subset)
    batches = DataLoader(subset, 5, sampler=sampler)

    def f() -> Any:
        total = torch.zeros(())
        for x, _ in batches:
            total += x.sum()
        return total

    graph = trace(f)
    (assumption,) = graph.assumptions
    assert assumption.what == "a DataLoader walks over the same data"
    assert assumption.holds()
    for place, name, other in [
        (data, "tensors", (X.clone(), Y)),
        (subset, "indices", indices[:15]),
        (sampler, "replacement", True),
        (sampler, "generator", torch.Generator()),
        (batches.batch_sampler, "drop_last", True),
        (batches.batch_sampler, "batch_size", 4),
    ]:
        before = getattr(place, name)
        setattr(place, name, other)
        assert not assumption.holds()
        setattr(place, name, before)
        assert assumption.holds()
    indices.append(20)
    assert not assumption.holds()


def test_data_are_read_anew_at_each_run() -> None:
    x = torch.zeros(6, 2)
    batches = DataLoader(TensorDataset(x), 2)

    def f() -> Any:
        total = torch.zeros(())
        for (batch,) in batches:
            total += batch.sum()
        return total

    graph = trace(f)
    x += 1
    assert graph().item() == 12.0
