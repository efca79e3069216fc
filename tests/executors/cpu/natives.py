"""Native functions for the tests of the run-time parts, and how to call them."""

from __future__ import annotations

import ctypes
from typing import Any

from chainrule.executors.cpu import target

# seven(): 7.
# add_one(ctx, i): one more in place i of an array of int64.
# slow(ctx, i): the same in place i + 1, after ctx[0] turns of a loop.
# nest(ctx, i): a job of its own with ctx[1] indices of add_one, through the pool_run at ctx[0].
# many(pool_run, body, ctx, count, times): so many jobs in a row.
TEXT = """
define i64 @seven() {
  ret i64 7
}

define void @add_one(ptr %ctx, i64 %i) {
  %p = getelementptr i64, ptr %ctx, i64 %i
  %old = load i64, ptr %p
  %new = add i64 %old, 1
  store i64 %new, ptr %p
  ret void
}

define void @slow(ptr %ctx, i64 %i) {
entry:
  %own = alloca i64
  %turns = load i64, ptr %ctx
  br label %loop
loop:
  %k = phi i64 [0, %entry], [%next, %loop]
  %next = add i64 %k, 1
  store volatile i64 %turns, ptr %own
  %again = icmp slt i64 %next, %turns
  br i1 %again, label %loop, label %end
end:
  %place = add i64 %i, 1
  call void @add_one(ptr %ctx, i64 %place)
  ret void
}

define void @nest(ptr %ctx, i64 %i) {
  %run = load ptr, ptr %ctx
  %n.at = getelementptr i64, ptr %ctx, i64 1
  %n = load i64, ptr %n.at
  %rows = getelementptr i64, ptr %ctx, i64 2
  %skip = mul i64 %i, %n
  %row = getelementptr i64, ptr %rows, i64 %skip
  %r = call i32 %run(ptr @add_one, ptr %row, i64 %n)
  ret void
}

define void @many(ptr %run, ptr %body, ptr %ctx, i64 %count, i64 %times) {
entry:
  br label %loop
loop:
  %k = phi i64 [0, %entry], [%next, %loop]
  %r = call i32 %run(ptr %body, ptr %ctx, i64 %count)
  %next = add i64 %k, 1
  %again = icmp slt i64 %next, %times
  br i1 %again, label %loop, label %end
end:
  ret void
}
"""


def function(loaded: target.Loaded, name: str, *args: Any, result: Any = ctypes.c_int64) -> Any:
    """A function of a module, callable from Python; the types of arguments are int64 if none are given."""
    callable_ = ctypes.CFUNCTYPE(result, *args)(loaded.address(name))
    callable_.code = loaded  # which goes with its last reference
    return callable_
