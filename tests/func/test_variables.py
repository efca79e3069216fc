"""What stands in the place of a function, in each of the functions of functions."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule.func import grad, hessian, jacfwd, jacobian, jacrev, jvp, vjp, vmap

X = torch.tensor([1.0, 2.0])
CALLS: dict[str, Any] = {
    "grad": lambda y: grad(y),
    "hessian": lambda y: hessian(y),
    "jacfwd": lambda y: jacfwd(y),
    "jacobian": lambda y: jacobian(y, X),
    "jacrev": lambda y: jacrev(y),
    "jvp": lambda y: jvp(y, (X,), (X,)),
    "vjp": lambda y: vjp(y, X),
    "vmap": lambda y: vmap(y),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_in_the_place_of_the_function(name: str) -> None:
    with pytest.raises(torch.ArgumentError) as err:
        CALLS[name]((X * X).sum())
    assert err.value.summary == (
        f"{name} got Tensor in the place of the function\n"
        "  its first argument is the function itself, not what it returns\n"
        "  try: a lambda, or the name of a function without brackets"
    )
