"""What everything stands on, and knows no Tensor: dtypes, shapes, errors, buffers, random streams."""
