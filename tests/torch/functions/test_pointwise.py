"""Elementwise functions against PyTorch: values, types, gradients and refusals, for all element types."""

from __future__ import annotations

import pytest

from tests.torch.both import DTYPES, FLOATS, Row, both_have, as_method, check, label, rows

# Contiguous, 0-d, empty, with axes of size 1, transposed and with gaps in memory.
SHAPES = "2x3; (); 0; 0x3; 1; 3x1x2; 3x2t; 3x2s; 7"
PAIRS = "2x3 2x3; 2x3 3; 2x1 1x3; () 2x3; 2 (); () (); 0x3 3; 3x2t 3x2s; 1 0; 2x1x3 4x1"

UNARY = """abs absolute neg negative sign reciprocal square relu floor ceil trunc fix round frac exp exp2 expm1 log log2
    log10 log1p sqrt rsqrt sin cos tan asin arcsin acos arccos atan arctan sinh cosh tanh asinh arcsinh acosh arccosh
    atanh arctanh erf erfc erfinv lgamma digamma sigmoid isnan isinf isfinite signbit logical_not bitwise_not
    nan_to_num""".split()

BINARY = """add sub subtract mul multiply div divide true_divide maximum minimum remainder fmod floor_divide atan2
    arctan2 logaddexp eq ne not_equal lt less le less_equal gt greater ge greater_equal logical_and logical_or
    logical_xor bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift pow""".split()

TABLE = [
    *[Row(f"T.{name}(x)", SHAPES) for name in UNARY if name not in ("absolute", "negative", "fix")],
    *[Row(f"T.{name}(x)", SHAPES, values="unit") for name in ("asin", "acos", "atanh", "erfinv", "log", "sqrt")],
    *[Row(f"T.{name}(x, y)", PAIRS) for name in BINARY],
    *[Row(f"T.{name}(x, y)", PAIRS, values="positive") for name in BINARY],
]


@pytest.mark.parametrize(("row", "dtype"), rows(TABLE), ids=label)
def test_values_and_gradients(row: Row, dtype: str) -> None:
    check(row, dtype)
