"""Ways to run a graph as a whole; `cpu/` writes native code for it."""
