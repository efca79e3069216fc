"""Names of values: from variables, modules, and from the code through its seam."""

from __future__ import annotations

import sys
from typing import Any

import chainrule as torch
from chainrule import nn
from chainrule.core.errors import line_of
from chainrule.explain.drawing.from_tape import leaves, reachable, tape_scene
from chainrule.explain.drawing.naming import Naming


def titles(y: Any, naming: Naming) -> list[str]:
    return [n.title for n in tape_scene("", [y], reachable([y]), naming, {}).nodes.values()]


def test_names_from_the_code() -> None:
    # The seam: here a name for each line of this file, as a reader of bytecode would give it.
    x = torch.ones(2, requires_grad=True)
    b = x
    line = sys._getframe().f_lineno + 2
    for _ in range(3):
        b = torch.sin(b)
    z = b.std()
    naming = Naming(lambda site: {line: "b", line + 1: "z"}.get(_line(site), ""))
    naming.add("x", x)
    found = titles(z, naming)
    assert found[:4] == ["x", "b1 = sin(x)", "b2 = sin(b1)", "b3 = sin(b2)"]
    assert [t for t in found if t.startswith("z")] == found[
        -1:
    ]  # the last of the operations that make one call of std


def _line(site: Any) -> int:
    return line_of(site)


def test_draw_uses_the_variables_of_the_users_code() -> None:
    def f(x: Any, w: Any) -> Any:
        a = x @ w
        for _ in range(2):
            a = torch.tanh(a)
        b = a - 1
        return (b**2).sum()

    drawing = torch.draw(f, torch.ones(2, 3), torch.ones(3, 1))
    shown = [line.strip().partition(":")[0] for line in str(drawing).splitlines()[3:]]
    assert shown == ["a1 = x @ w", "a2 = tanh(a1)", "a3 = tanh(a2)", "b = a3 - 1", "v1 = b**2", "y = sum(v1)"]


def test_a_call_of_several_operations_has_one_name() -> None:
    x = torch.ones(3, requires_grad=True)
    loss = (x**2).mean()
    assert [line.strip().partition(":")[0] for line in str(torch.draw(loss)).splitlines()[1:]] == [
        "x",
        "v1 = x**2",
        "v2 = sum(v1)",
        "loss = v2 / 3",
    ]


def test_the_whole_model_goes_before_its_parts() -> None:
    first = nn.Linear(2, 2)
    net = nn.Sequential(first, nn.Linear(2, 1))
    y = net(torch.ones(1, 2))
    nodes = reachable([y])
    naming = Naming()
    naming.add_frame(sys._getframe(), leaves(nodes))
    assert [naming.tensor(p) for p in net.parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [p.path for p in naming.places(first.weight)] == ["0"]


def test_two_models_are_told_apart() -> None:
    one, two = nn.Linear(2, 1), nn.Linear(2, 1)
    y = one(torch.ones(1, 2)) + two(torch.ones(1, 2))
    naming = Naming()
    naming.add_frame(sys._getframe(), leaves(reachable([y])))
    assert naming.tensor(one.weight) == "one.weight"
    assert naming.tensor(two.bias) == "two.bias"


def test_free_names() -> None:
    naming = Naming()
    naming.add("v2", torch.ones(1))
    assert [naming.fresh("v"), naming.fresh("v"), naming.free("v1"), naming.free("y")] == [
        "v1",
        "v3",
        "v11",
        "y",
    ]
