"""Benchmarks: `python -m benchmarks`. Read `measure.py` for how, `overhead.py` and `models.py` for what."""
