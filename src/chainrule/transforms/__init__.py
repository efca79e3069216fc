"""Levels: what sees every op that a function runs, or runs it otherwise. Used by `func/` and `explain/`."""
