"""What runs graphs: `cpu/` compiles them to native code. With NumPy they run in `../graph/evaluate.py`."""
