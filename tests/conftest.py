"""Settings that all tests share: without PyTorch no comparisons with it, and random tests that repeat.

What pytest itself is told stands in `pyproject.toml`; `test_suite_itself.py` checks that all is collected.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from importlib.util import find_spec

from hypothesis import settings

# Only the tests below `torch/` may import it; the others must pass on a machine that never saw it.
collect_ignore = [] if find_spec("torch") else ["torch"]

# The same examples in every run: a failure is a change in the code, not a change in luck. No deadline,
# because the machines that run this differ in speed.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

# What the tests compile is not kept among the user's own, and not found there either.
if "CHAINRULE_CACHE" not in os.environ:
    os.environ["CHAINRULE_CACHE"] = tempfile.mkdtemp(prefix="chainrule-cache-")
    atexit.register(shutil.rmtree, os.environ["CHAINRULE_CACHE"], ignore_errors=True)

# A shell that runs the tests in the background has them, and every process they start, ignore Ctrl-C. The
# tests of what Ctrl-C does need it to arrive.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
