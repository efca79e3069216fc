"""Seeing what a program does: derivations, drawings, memory, and the gradient doctor (`doctor/`)."""
