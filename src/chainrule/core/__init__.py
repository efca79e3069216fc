"""What everything stands on and nothing here knows a Tensor: dtypes, shapes, errors, buffers, random streams."""
