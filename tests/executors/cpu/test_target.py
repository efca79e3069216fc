"""Compiling and loading: values, addresses, refusals, threads, fork, and what an object may not contain."""

from __future__ import annotations

import ctypes

from chainrule.executors.cpu import target

SQUARE = """
define i64 @square(i64 %x) {
  %y = mul i64 %x, %x
  ret i64 %y
}
"""


def call(loaded: target.Loaded, name: str, *args: int) -> int:
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(args))(loaded.address(name))
    return int(function(*args))


def test_a_module_can_be_called() -> None:
    loaded = target.compile_module(SQUARE)
    assert call(loaded, "square", 12) == 144
    assert loaded.names == ["square"]
