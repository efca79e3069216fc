"""Settings that all tests share: without PyTorch no comparisons with it, and random tests that repeat.

What pytest itself is told stands in `pyproject.toml`; `test_suite_itself.py` checks that all is collected.
"""

from __future__ import annotations

from importlib.util import find_spec

from hypothesis import settings

# Only the tests below `torch/` may import it; the others must pass on a machine that never saw it.
collect_ignore = [] if find_spec("torch") else ["torch"]

# The same examples in every run: a failure is a change in the code, not a change in luck. No deadline,
# because the machines that run this differ in speed.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
