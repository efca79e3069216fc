"""PyTorch's functions, composed of primitives; the same objects are the methods of Tensor."""
