"""Elementwise functions against PyTorch: values, types, gradients and refusals, for all element types."""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

TABLE = table(
    """
    # one input: contiguous, 0-d, empty, with axes of size 1, transposed and with gaps in memory
    T.{abs|neg|sign|reciprocal|square|relu|floor|ceil|trunc|round|frac}(x)         :: SHAPES
    T.{exp|exp2|expm1|log|log2|log10|log1p|sqrt|rsqrt|sigmoid}(x)                  :: SHAPES
    T.{sin|cos|tan|asin|arcsin|acos|arccos|atan|arctan}(x)                         :: SHAPES
    T.{sinh|cosh|tanh|asinh|arcsinh|acosh|arccosh|atanh|arctanh}(x)                :: SHAPES
    T.{erf|erfc|erfinv|lgamma}(x)                                                  :: SHAPES
    T.digamma(x)                                                                   :: SHAPES
    T.polygamma({0|1|2|-1|1.5}, x)  :: SHAPES :: positive  # PyTorch's poles are large numbers, not inf
    T.{isnan|isinf|isfinite|signbit|logical_not|bitwise_not|nan_to_num}(x)         :: SHAPES
    T.{asin|acos|atanh|erfinv|log|sqrt|rsqrt|lgamma}(x)                            :: SHAPES :: unit
    x.{absolute|negative|fix|sgn}()                                                :: SHAPES

    T.vmap(T.sin)(x)                                                               :: 2x3; 4

    # two inputs, broadcast against each other
    T.{add|sub|subtract|mul|multiply|div|divide|true_divide}(x, y)                 :: PAIRS
    T.{maximum|minimum|remainder|fmod|atan2|arctan2|logaddexp|pow|floor_divide}(x, y) :: PAIRS
    T.{eq|ne|not_equal|lt|less|le|less_equal|gt|greater|ge|greater_equal}(x, y)    :: PAIRS
    T.{logical_and|logical_or|logical_xor|bitwise_and|bitwise_or|bitwise_xor}(x, y) :: PAIRS
    T.{bitwise_left_shift|bitwise_right_shift}(x, y)                               :: PAIRS :: positive
    T.{pow|remainder|fmod|floor_divide|div|atan2}(x, y)                            :: PAIRS :: positive
    x {+|-|*|/|//|%|**|==|!=|<|<=|>|>=|&|\\||^} y                                   :: PAIRS
    x {<<|>>} y                                                                    :: PAIRS :: positive

    # numbers on one side
    T.{add|sub|mul|div|remainder|fmod|floor_divide|eq|lt|ge|logical_and}(x, {2|2.5|-3|0.5|True})
    T.pow(x, {2|2.5|-3|0.5|True})                                                  :: 2x3 :: numbers
    T.{maximum|minimum|atan2|logaddexp}(x, {2|0.5})
    x {+|-|*|/|//|%|==|<|>=|&|\\||^} {2|2.5|-3|True}                                :: 2x3; ()
    x ** {2|2.5|-3|True}                                                           :: 2x3; () :: numbers
    {2|2.5|-3|True} {+|-|*|/|//|%|==|<|>=|&|\\||^} x                                :: 2x3; () :: positive
    {2|2.5|True} ** x                                                              :: 2x3; () :: positive
    2 {<<|>>} x                                                                    :: 2x3 :: positive
    x {<<|>>} 2                                                                    :: 2x3 :: positive
    {-|+|~|abs}(x)                                                                 :: 2x3; ()
    T.pow({2|2.5|-2.0|0|1}, x)                                                     :: 2x3; () :: positive
    x ** {0|1|-1|3|0.5|-0.5|2.0|1.5|-2}                                            :: 2x3; 0 :: positive
    T.{bitwise_and|bitwise_or|bitwise_xor}(x, 2)                              :: 2x3 :: integers bool
    {'a'|None|[1, 2]|(1,)} * x                                                     :: 3
    x {+|*|==|<} {None|'a'|[1, 2, 3]|(1, 2, 3)}                                    :: 3
    x {+|-|*|/} np.{float64(2.5)|float32(2.5)|int64(2)}                            :: 3
    np.ones(3) * x          :: 3 :: differs: ours takes NumPy arrays as operands on either side
    x * np.ones(3)          :: 3 :: floats differs: PyTorch lets NumPy multiply, and so cannot take a gradient

    # options
    T.{add|sub}(x, y, alpha={2|-1|0.5|2.5})                                        :: 3 3; 2x3 3
    T.{add|sub}(x, 3, alpha=2)
    T.div(x, y, rounding_mode={'floor'|'trunc'|None|'bad'})                        :: 2x3 2x3 :: positive
    T.div(x, {2|2.5|-2}, rounding_mode={'floor'|'trunc'})                          :: 7
    T.round(x, decimals={0|1|2|-1})                                                :: 7 :: floats
    T.round(x)                                                                     :: 7
    T.nan_to_num(x / 0, {0.0|nan=1.5, posinf=2.0, neginf=-2.0|1.0, 2.0})           :: 7 :: floats
    T.nan_to_num(x * inf)                                                          :: 7 :: floats

    # limits and choices
    T.{clamp|clip}(x, {-1, 1|min=0|max=1|-0.5, 0.5|0|None, 1|2, -2|min=-1, max=2.5}) :: 2x3; (); 0
    T.clamp(x, y)                                                                  :: 2x3 2x3; 2x3 3; 3 ()
    T.clamp(x, y, z)                                                               :: 2x3 2x3 2x3; 2x3 3 3
    T.clamp(x, {max=y|min=y|y, None})                                              :: 2x3 3
    T.clamp(x, {|None|'a'|0, 'a'})                                                 :: 3
    T.clamp(x, {0, y|y, 0})
        :: 3 3 :: numbers differs: ours takes a number for one limit and a tensor for the other
    T.{clamp_min|clamp_max}(x, {0|0.5|y})                                          :: 2x3 3
    T.clamp(x, nan, 1)                                                             :: 3 :: floats
    T.clamp(x, y / 0 * 0)                                                          :: 3 3 :: real

    # mixtures
    T.lerp(x, y, {0.25|0|1|1.5})                                                   :: 2x3 2x3; 3 2x3
    T.lerp(x, y, {T.tensor(0.5)|T.tensor(0.5, dtype=T.float64)})                   :: 2x3 2x3; 3 2x3 :: floats
    T.lerp(x, y, z)                                                                :: 2x3 2x3 2x3; 3 2x3 3
    T.lerp(x, y.double(), 0.5)                                                     :: 3 3 :: float32 int64
    T.lerp(x, 1.0, 0.5)                                                            :: 3
    T.addcmul(x, y, z{|, value=2|, value=0.5})                                     :: 2x3 2x3 2x3; 3 2x1 1x3
    T.addcdiv(x, y, z{|, value=2|, value=0.5})        :: 2x3 2x3 2x3; 3 2x1 1x3 :: positive
    T.{addcmul|addcdiv}(x, 2, y)                                                   :: 3 3
    T.addcdiv(x, y.long(), z.long())                  :: 3 3 3 :: float32 positive

    # closeness
    T.{isclose|allclose|equal}(x, y)                                               :: 3 3; 2x3 3; () (); 0 0
    T.{isclose|allclose|equal}(x, x)                                               :: 3; 0; ()
    T.{isclose|allclose}(x, y, {rtol=0.5|atol=2.0|0.1, 1.0|equal_nan=True|rtol=-1}) :: 7 7
    T.{isclose|allclose}(x / 0, x / 0{|, equal_nan=True})                          :: 7 :: floats
    T.{isclose|allclose}(x / 0 * 0, x / 0 * 0{|, equal_nan=True})                  :: 7 :: floats
    T.{isclose|allclose|equal}(x, x.double())                                      :: 3 :: float32 int64
    T.{isclose|equal}(x, 1)                                                        :: 3
    """,
    SHAPES="2x3; (); 0; 0x3; 1; 3x1x2; 3x2t; 3x2s; 7",
    PAIRS="2x3 2x3; 2x3 3; 2x1 1x3; () 2x3; 2 (); () (); 0x3 3; 3x2t 3x2s; 1 0; 2x1x3 4x1; 2 3",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
