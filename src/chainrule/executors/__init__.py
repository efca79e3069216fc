"""What runs graphs: `cpu/` compiles them to native code, `reference.py` evaluates them with NumPy."""
