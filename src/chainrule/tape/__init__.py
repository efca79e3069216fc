"""The tape: grad modes, nodes, the backward engine. Knows TensorBase, not Tensor; `../eager.py` writes it."""
