"""Seeing what a program computes: derivations and drawings."""
