"""Reading graphs back: every refusal with its full text."""

from __future__ import annotations

import pytest

from chainrule.graph import GraphError, parse

HEAD = "def f(x: float32[3], *, c: float32[3]):\n"

REFUSED = {
    "x =": "parse got line 1: 'x ='\n  invalid syntax",
    "a = 1": "parse got text that is not one function\n  a graph starts with `def`",
    "def f(x):\n    return x": "parse got line 1: 'def f(x):'\n  a value has a type like float32[10, 2]",
    "def f(x: int[3]):\n    return x": (
        "parse got line 1: 'def f(x: int[3]):'\n  a value has a type like float32[10, 2]"
    ),
    HEAD + "    import os\n    return x": (
        "parse got line 2: 'import os'\n  a line defines a value, writes to an input, or returns"
    ),
    HEAD + "    v1: float32[3] = 5\n    return v1": (
        "parse got line 2: 'v1: float32[3] = 5'\n  a value is defined by a call of an op"
    ),
    HEAD + "    v1: float32[3]\n    return v1": (
        "parse got line 2: 'v1: float32[3]'\n  a value is defined as `name: type = op(...)`"
    ),
    HEAD + "    x: float32[3] = exp(x)\n    return x": (
        "parse got line 2: 'x: float32[3] = exp(x)'\n  x is defined twice"
    ),
    HEAD + "    v1: float32[3] = expp(x)\n    return v1": (
        "parse got line 2: 'v1: float32[3] = expp(x)'\n  there is no op 'expp' (did you mean 'exp'?)"
    ),
    HEAD + "    value: float32[3] = exp(x)\n    return valeu": (
        "parse got line 3: 'return valeu'\n  valeu is not defined before this line (did you mean 'value'?)"
    ),
    HEAD + "    v1: float32[3] = mul(x, open('f'))\n    return v1": (
        "parse got line 2: \"v1: float32[3] = mul(x, open('f'))\"\n"
        "  \"open('f')\" is neither a number, a type, a slice, nor a tuple or list of them"
    ),
    HEAD + "    v1: float32[65] = constant(...)\n    return v1": (
        "parse got line 2: 'v1: float32[65] = constant(...)'\n"
        "  a large constant is not printed, so it cannot be read back; make it an input"
    ),
    HEAD + "    v1: float32[3] = constant([1.0, 2.0])\n    return v1": (
        "parse got line 2: 'v1: float32[3] = constant([1.0, 2.0])'\n  the constant is no float32 of shape "
        "(3,)"
    ),
    HEAD + "    v1: float32[3] = constant()\n    return v1": (
        "parse got line 2: 'v1: float32[3] = constant()'\n  a constant is written as constant(number or list)"
    ),
    HEAD + "    c = x\n    return x": "parse got line 2: 'c = x'\n  a write is `input[...] = value`",
    HEAD + "    v1: float32[3] = overwrite(x, x, steps=(('slise', {}),))\n    return v1": (
        "parse got line 2: \"v1: float32[3] = overwrite(x, x, steps=(('slise', {}),))\"\n"
        "  there is no op 'slise' (did you mean 'slice'?)"
    ),
    HEAD + "    return (x + 1)": "parse got line 2: 'return (x + 1)'\n  a name of a value belongs here",
    HEAD + "    v1: float32[3] = exp(*x)\n    return v1": (
        "parse got line 2: 'v1: float32[3] = exp(*x)'\n"
        "  '*x' is neither a number, a type, a slice, nor a tuple or list of them"
    ),
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_refused(text: str) -> None:
    with pytest.raises(GraphError) as caught:
        parse(text)
    assert str(caught.value) == REFUSED[text]


def test_nothing_is_evaluated() -> None:
    with pytest.raises(GraphError):
        parse(HEAD + "    v1: float32[3] = __import__('os').abort()\n    return v1")


def test_comments_and_blank_lines_may_be_added() -> None:
    g = parse(HEAD + "    # twice\n\n    v: float32[3] = mul(x, 2.0)\n    c[...] = v\n    return v, c")
    assert str(g) == HEAD + "    v: float32[3] = mul(x, 2.0)\n    c[...] = v\n    return v, c"
