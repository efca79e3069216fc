"""`draw` as users meet it: what is in the pictures, and that they can be read."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.core.errors import ArgumentError, GradError
from chainrule.explain import drawing as package
from chainrule.explain.drawing.scene import Node
from tests.explain.drawing.geometry import Read, check
from tests.messages import untested


def worked() -> Any:
    """The worked example of the notes at (2, 5)."""
    x1 = torch.tensor(2.0, requires_grad=True)
    x2 = torch.tensor(5.0, requires_grad=True)
    y = torch.log(x1) + x1 * x2 - torch.sin(x2)
    return torch.draw(y)


def mlp() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))


def nodes(d: Any) -> dict[str, Node]:
    return {node.name: node for node in d._shown.nodes.values()}


def test_worked_example() -> None:
    d = worked()
    read = check(d.svg)
    assert len(read.nodes) == 14  # two leaves and five operations, forward and backward
    assert str(d) == (
        "y: 5 operations, 2 leaves\n"
        "  x1: = 2 float32\n"
        "  x2: = 5 float32\n"
        "  v1 = log(x1): = 0.69315 float32\n"
        "  v2 = x1 * x2: = 10 float32\n"
        "  v3 = v1 + v2: = 10.693 float32\n"
        "  v4 = sin(x2): = -0.95892 float32\n"
        "  y = v3 - v4: = 11.652 float32"
    )
    assert nodes(d)["v2"].keeps == "keeps x1, x2"
    assert nodes(d)["v2"].rules == ["∂x1 += ∂v2 * x2", "∂x2 += ∂v2 * x1"]
    assert nodes(d)["y"].rules == ["∂v3 = ∂y", "∂v4 = -∂y"]
    assert nodes(d)["v1"].rules == ["∂x1 += ∂v1 / x1"]


def test_worked_example_as_dot() -> None:
    assert worked().dot == (Path(__file__).parent / "golden" / "worked.dot").read_text(encoding="utf-8")


def test_worked_example_as_mermaid() -> None:
    assert worked().mermaid == (Path(__file__).parent / "golden" / "worked.mmd").read_text(encoding="utf-8")


def test_what_the_rules_say_is_what_backward_computes() -> None:
    # Evaluate the printed rules in Python, from the result up, and compare with `backward`.
    import math

    d = worked()
    values = {"x1": 2.0, "x2": 5.0, "v1": math.log(2.0), "v2": 10.0, "v4": math.sin(5.0)}
    values["v3"] = values["v1"] + 10.0
    names: dict[str, float] = {f"d_{name}": 0.0 for name in nodes(d)} | {"d_y": 1.0} | values
    for node in reversed(list(nodes(d).values())):
        for rule in node.rules if node.count else []:
            exec(rule.replace("∂", "d_"), {"cos": math.cos}, names)
    x1, x2 = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, 5.0))
    (torch.log(x1) + x1 * x2 - torch.sin(x2)).backward()
    assert names["d_x1"] == pytest.approx(x1.grad.item(), rel=1e-12)
    assert names["d_x2"] == pytest.approx(x2.grad.item(), rel=1e-12)
    assert names["d_x2"] == pytest.approx(1.7163, abs=1e-4)


def test_multilayer_perceptron_from_its_loss() -> None:
    model, x, t = mlp(), torch.randn(5, 4), torch.randn(5, 1)
    loss = nn.functional.mse_loss(model(x), t)
    d = torch.draw(loss)
    check(d.svg)
    assert d.groups == ["0", "2", "4"]
    assert nodes(d)["v1"].title == "v1 = x @ 0.weight.T"
    assert nodes(d)["v1"].keeps == "keeps x"
    assert nodes(d)["v2"].rules == ["∂v1 = ∂v2", "∂0.bias = ∂v2, summed to (8,)"]
    assert "·" in nodes(d)["v9"].title  # the target: no rule reads it, and the tape does not know it


def test_multilayer_perceptron_that_is_run() -> None:
    model, x = mlp(), torch.randn(5, 4)
    d = torch.draw(model, x)
    check(d.svg)
    assert d.groups == ["0", "1", "2", "3", "4"]
    assert "3 · Tanh" in d.svg
    assert all(not m._hooks or not m._hooks.forward_pre for m in model.modules())
    once = torch.draw(model, x, fold="2", backward=False)
    check(once.svg)
    assert nodes(once)["2 · Linear"].details == ["2 operations, 2 parameters", "gives v5: (5, 8) float32"]
    assert "backward" not in once.dot


def test_nested_modules_and_a_module_that_is_called_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU())

        def forward(self, x: Any) -> Any:
            return self.inner(self.inner(x)).sum()

    d = torch.draw(Twice(), torch.randn(2, 3))
    check(d.svg)
    assert d.groups == ["inner", "inner.0", "inner.1", "inner#2", "inner.0#2", "inner.1#2"]
    parameters = [n.name for n in d._shown.nodes.values() if n.role == "parameter"]
    assert parameters == ["inner.0.weight", "inner.0.bias"]  # each drawn once, outside of both calls
    assert d._whole.parents()[next(n.key for n in d._shown.nodes.values() if n.role == "parameter")] is None
    for depth in range(4):
        check(torch.draw(Twice(), torch.randn(2, 3), depth=depth).svg)


def test_a_parameter_used_twice_gets_a_sum() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (w * w).sum() + w.sum()
    d = torch.draw(y)
    check(d.svg)
    assert sum(n.name == "w" for n in d._shown.nodes.values()) == 1
    assert [r for n in nodes(d).values() for r in n.rules if r.startswith("∂w")] == [
        "∂w += ∂v1 * w",
        "∂w += ∂v1 * w",
        "∂w += spread(∂v3, w.shape, (0,), False)",
    ]


def test_in_place_operations_and_detached_parts() -> None:
    w = torch.ones(3, requires_grad=True)
    h = w * 2
    h += 1
    h[0] = w.sum()
    off = h.detach()
    z = (h * off * w).sum()
    d = torch.draw(z)
    check(d.svg)
    assert re.fullmatch(r"h = (\w+) with \1\[\.\.\.\] = \w+", nodes(d)["h"].title)
    assert nodes(d)["off"].role == "constant"
    assert not nodes(d)["off"].rules
    z.backward()
    after = torch.draw(z)
    assert "what it kept was freed" in after.svg
    assert nodes(after)["w"].rules == [".grad holds a gradient"]


def test_changed_leaves_do_not_show_a_value_that_was_not_used() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x
    with torch.no_grad():
        x += 1
    assert nodes(torch.draw(y))["x"].details == ["scalar float32"]


def test_freed_graphs_show_gradients_that_were_stored() -> None:
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    y.backward()
    assert nodes(torch.draw(y))["x"].rules == [".grad = 6"]


def test_functions_name_their_inputs_and_want_gradients_of_their_own() -> None:
    def f(x1: Any, x2: Any) -> Any:
        return torch.log(x1) + x1 * x2 - torch.sin(x2)

    d = torch.draw(f, 2, 5)
    assert str(d).splitlines()[0] == "f: 5 operations, 2 leaves"
    assert [n.name for n in d._shown.nodes.values() if not n.count] == ["x1", "x2"]
    x = torch.ones(2)
    torch.draw(lambda x: (x * 3 + 1).sum(), x)
    assert not x.requires_grad


def test_names_from_params() -> None:
    def build() -> Any:
        a = torch.ones(2, requires_grad=True)
        return (a * 2).sum(), a

    y, leaf = build()
    assert "kernel" in nodes(torch.draw(y, params={"kernel": leaf}))


def test_loops_are_grouped_by_iteration() -> None:
    w = torch.full((3, 3), 0.1, requires_grad=True)
    h = torch.ones(1, 3)
    for _ in range(6):
        h = torch.tanh(h @ w)
    d = torch.draw(h.sum())
    check(d.svg)
    here = [g for g in d._whole.groups.values() if g.parent is None]
    assert [g.title.partition(" · ")[0] for g in here] == ["6 times the same"]
    steps = [d._whole.groups[k] for k in here[0].children if k in d._whole.groups]
    assert [g.title for g in steps] == [f"{i} of 6" for i in range(1, 7)]
    first = steps[0]
    titles = [d._whole.nodes[k].title for k in first.children]
    assert [t.partition("= ")[2].partition("(")[0] for t in titles if "tanh" in t or "@" in t] == [
        "c1 @ w",
        "tanh",
    ]
    folded = torch.draw(h.sum(), fold="loop*/*")
    check(folded.svg)
    assert [n.count for n in folded._shown.nodes.values() if n.role == "folded"] == [2] * 6


def test_hundreds_of_nodes_stay_fast_and_large_graphs_fold() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(6, 12), nn.Linear(12, 6)

        def forward(self, x: Any) -> Any:
            return x + self.fc2(torch.relu(self.fc1(x)))

    model = nn.Sequential(*[Block() for _ in range(60)])
    x = torch.randn(2, 6)
    start = time.perf_counter()
    d = torch.draw(model, x)
    assert d.svg
    seconds = time.perf_counter() - start
    assert d._whole.operations == 360
    assert len(d._shown.nodes) <= 150
    check(d.svg)
    assert seconds < 3  # 0.2 s where nothing else runs
    assert "the rest is folded" in repr(d)
    opened = torch.draw(model, x, depth=9)
    assert len(opened._shown.nodes) == 360 + 240 + 1


def test_deep_chains_need_no_recursion() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x
    for _ in range(3000):
        y = torch.sin(y)
    d = torch.draw(y)
    assert len(d._shown.nodes) <= 150
    check(d.svg)
    assert "more nodes" in str(d)
    assert len(str(d).splitlines()) <= 32
    different = x
    for i in range(400):  # written without a loop, nothing repeats itself: steps are grouped
        different = eval(f"different * {i}.5 if {i} % 3 else different + x")
    d = torch.draw(different)
    assert len(d._shown.nodes) <= 150
    check(d.svg)


def test_special_characters_are_escaped() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    y = (x < 2).float() * x
    name = 'a<b> & "c"\n\x00学习'
    d = torch.draw(y, params={name: x}, title="<script>&")
    read = check(d.svg)
    assert any('a<b> & "c"  学习' in line for line, _, _ in read.texts)
    assert "<script>" not in d.svg + d.html
    assert '\\"c\\"' in d.dot
    assert "#lt;b#gt; #amp; #quot;c#quot;" in d.mermaid


def test_users_functions_and_missing_rules() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * g * x**2

    x = torch.tensor(2.0, requires_grad=True)
    y = Cube.apply(x)
    d = torch.draw(y)
    assert nodes(d)["y"].title == "y = Cube(x)"
    assert nodes(d)["y"].rules == ["∂x = Cube.backward(∂y)"]
    a = torch.tensor([[2.0, 0.0], [1.0, 1.0]], requires_grad=True)
    q, _ = torch.linalg.qr(a)
    assert "no gradient rule: backward is an error" in torch.draw(q).svg


def test_several_results_and_leaves() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    a, b = x * 2, x.sin()
    d = torch.draw([a, b])
    check(d.svg)
    assert [n.name for n in d._shown.nodes.values() if n.role == "result"] == ["a", "b"]
    check(torch.draw(x).svg)


def test_light_and_dark_and_the_notebook() -> None:
    d = worked()
    assert d._repr_svg_() == d.svg
    assert "prefers-color-scheme:dark" in d.svg
    assert " id=" not in d.svg
    assert not {"script", "foreignObject"} & {e.tag.rpartition("}")[2] for e in Read(d.svg).root.iter()}


def test_page_opens_what_is_folded() -> None:
    model = mlp()
    d = torch.draw(model, torch.randn(2, 4), depth=0)
    assert d.html.count("<details>") == 5
    assert 'href="#inside-g0"' in d.html
    assert 'id="inside-g0"' in d.html
    assert "0.weight" in d.html
    assert "0.weight" not in d.svg


def test_saving(tmp_path: Path) -> None:
    d = worked()
    for kind, start in {
        ".svg": b"<svg ", ".html": b"<!DOCTYPE html>", ".png": b"\x89PNG", ".pdf": b"%PDF",
        ".dot": b"digraph ", ".mmd": b"flowchart TB",
    }.items():  # fmt: skip
        path = d.save(tmp_path / f"graph{kind}")
        assert path.read_bytes().startswith(start)


def test_png_shows_the_same_boxes(tmp_path: Path) -> None:
    import numpy as np
    from matplotlib.image import imread

    d = worked()
    image = imread(d.save(tmp_path / "y.png"))[..., :3]
    read = Read(d.svg)
    assert abs(image.shape[1] - 2 * read.paper.width) <= 3
    for box in read.nodes:  # just inside the frame's upper edge there is fill, not paper
        pixel = image[round(2 * (box.y + 4)), round(2 * box.middle)]
        assert not np.allclose(pixel, 1.0)


# -- messages ------------------------------------------------------------------------------------------


def _folding() -> Any:
    return torch.draw(mlp(), torch.ones(1, 4), fold="encoder.0")


MESSAGES = {
    "no graph": (
        lambda: torch.draw(torch.ones(2, 3)),
        GradError,
        "draw got a tensor (2, 3) that needs no gradient, so that nothing was recorded\n"
        "  a graph is recorded where an input wants a gradient, outside of no_grad\n"
        "  try: x.requires_grad_() before computing it, or draw(f, x), which runs f for the picture",
    ),
    "not a result": (
        lambda: torch.draw(3),
        ArgumentError,
        "draw got int\n"
        "  it draws how a tensor was computed, an explicit graph, or what a function does\n"
        "  try: draw(loss), draw(model, x), or draw(graph)",
    ),
    "inputs with a result": (
        lambda: torch.draw(torch.ones(2), torch.ones(2)),
        ArgumentError,
        "draw got Tensor and 1 more argument\n"
        "  inputs are for a function or a module, which is run with them\n"
        "  try: draw(model, x), draw(y), or draw([y1, y2]) for several results",
    ),
    "whole numbers": (
        lambda: torch.draw(lambda x: x * 2, torch.tensor([1, 2])),
        GradError,
        "draw got a function of a tensor (2,) of torch.int64, and no parameter that needs a gradient\n"
        "  a graph is recorded where an input can be differentiated, and only floating-point numbers can\n"
        "  try: x.float()",
    ),
    "detached": (
        lambda: torch.draw(lambda x: x.detach() * 2, torch.ones(2)),
        GradError,
        "draw got a function with a result (2,) that no gradient reaches\n"
        "  its operations are recorded only where a gradient flows\n"
        "  try: look for no_grad, detach(), item(), argmax or comparisons in it",
    ),
    "no tensor": (
        lambda: torch.draw(lambda x: x.item(), 2.0),
        ArgumentError,
        "draw got a function 'lambda' that returns no tensor\n"
        "  what is drawn is how the result is computed\n"
        "  try: return the tensor itself, without item() or float()",
    ),
    "no inputs": (
        lambda: torch.draw(mlp()),
        ArgumentError,
        "draw got Sequential and 0 inputs: missing a required argument: 'input'\n"
        "  it is run for its picture, and takes (input)\n"
        "  try: draw(model, input), or draw a result: draw(y)",
    ),
    "depth": (
        lambda: torch.draw(torch.ones(2, requires_grad=True), depth=-1),
        ArgumentError,
        "draw got depth=-1\n  depth is how many levels of groups stay open: 0, 1, 2, ...",
    ),
    "fold": (
        _folding,
        ArgumentError,
        "draw got fold='encoder.0'\n"
        "  the groups of this drawing are '0', '1', '2', '3', '4'\n"
        "  try: fold=['encoder.*'] for several groups, or depth=1",
    ),
    "fold without groups": (
        lambda: torch.draw(torch.ones(2, requires_grad=True), fold="0"),
        ArgumentError,
        "draw got fold='0'\n  this drawing has no groups\n  try: draw(...) without fold",
    ),
    "params": (
        lambda: torch.draw(torch.ones(2, requires_grad=True), params=3),
        ArgumentError,
        "draw got params=int\n"
        "  params gives names to leaves: a module, or tensors with their names\n"
        "  try: params=model, or params={'w': w, 'b': b}",
    ),
    "ending": (
        lambda: worked().save("graph.jpg"),
        ArgumentError,
        "save got 'graph.jpg'\n"
        "  the ending says which form is written: .svg, .html, .png, .pdf, .dot, .mmd\n"
        "  try: save('graph.svg')",
    ),
}


@pytest.mark.parametrize("which", MESSAGES)
def test_messages(which: str) -> None:
    action, kind, message = MESSAGES[which]
    with pytest.raises(kind) as caught:
        action()
    assert caught.value.summary == message


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = Path(package.__file__).parent.glob("*.py")
    assert untested(paths, [action for action, _, _ in MESSAGES.values()], monkeypatch) == []
