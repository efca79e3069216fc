"""Reductions, running totals and norms against PyTorch: axes one, several, negative, none, kept or not."""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

TABLE = table(
    """
    T.count_nonzero(x, 0)
    T.count_nonzero(x, (0, -1))
    T.count_nonzero(x, dim=[1])
    T.aminmax(x, dim=0)                                 :: 2x3; (); 1
    T.aminmax(x, dim=-1, keepdim=True)                  :: 2x3; 2x3x4

    # names and options
    T.sum(x, dim=1)
    T.sum(x, axis=1)
    T.sum(x, axis=1, keepdims=True)
    x.sum(axis=(0, 1))
    T.sum(x, dtype=T.float64)
    T.mean(x, dtype=T.float64)
    T.mean(x, 1, dtype=T.float32)
    T.mean(x, axis=0)
    T.mean(x, dtype=T.int64)
    T.prod(x, dtype=T.float64)
    T.prod(x, 1, dtype=T.float32)
    T.prod(x, dim=0, keepdim=True)
    T.sum(x, (0, 0))
    T.sum(x, 2)
    T.sum(x, -3)
    T.nansum(x, dtype=T.float64)
    T.sum(x, None)
    T.mean(x, None)
    T.mean(x, None, True)
    T.sum(x, None, True)
    T.var(x, None)
    T.amax(x, None)
    T.var(x, unbiased=False)
    T.var(x, False)
    T.std(x, True)
    T.std(x, 0, False)
    T.var(x, 1, unbiased=False, keepdim=True)
    T.var(x, correction=2)
    T.var(x, 0, correction=0)
    T.std(x, dim=1, correction=1)
    T.std(x, dim=(0, 1), keepdim=True)
    T.var(x, correction=0.5)
    T.std(x, 1)                                         :: 2x1; 1x1
    T.var(x, axis=1)
    T.var_mean(x, 0)
    T.var_mean(x, (0, 1), correction=0)
    T.std_mean(x, 1, keepdim=True)
    T.var_mean(x, 0, False)
    T.std_mean(x, unbiased=False)
    T.var_mean(x, False)
    T.std_mean(x, dim=1, unbiased=True, keepdim=True)
    T.max(x, dim=0)
    T.max(x, axis=0)
    T.max(x, 1)[0]
    T.max(x, 1).values
    T.min(x, 1).indices
    T.max(x, y)                                         :: 2x3 2x3; 2x3 3; () 2
    T.min(x, y)                                         :: 2x3 2x3; 2x3 3; () 2
    T.max(x, other=y)                                   :: 2 2
    T.argmax(x, keepdim=True)                           :: 2x3; (); 1
    T.argmin(x, dim=1, keepdim=True)
    T.argmax(x, None)
    T.argmax(x, axis=1)
    T.argmax(x, dim=(0, 1))
    T.prod(x, (0, 1))
    T.max(x, (0, 1))
    T.all(x, dim=1)
    T.any(x, 0, keepdim=True)
    T.all(x, axis=1)
    T.all(x, None)
    T.cumsum(x, dim=1)
    T.cumsum(x, 0, dtype=T.float64)
    T.cumprod(x, 1, dtype=T.float32)
    T.cumsum(x, axis=1)
    T.cumsum(x)
    T.cumsum(x, None)
    T.softmax(x, dim=1, dtype=T.float64)
    T.log_softmax(x, -1, dtype=T.float32)
    T.softmax(x, 2)
    T.softmax(x * 500, 1)                               :: 2x3 :: floats
    T.log_softmax(x * 500, 1)                           :: 2x3 :: floats
    T.logsumexp(x * 500, 1)                             :: 2x3 :: floats
    T.logsumexp(x, dim=(0, 1), keepdim=True)
    T.logsumexp(x)
    T.softmax(x)
    x.softmax(-1)
    x.log_softmax(0)

    # norms
    T.norm(x)                                           :: SHAPES
    T.norm(x, dim=1)
    T.norm(x, 2, 1, True)
    T.norm(x, p=1, dim=0, keepdim=True)
    T.norm(x, 2, dtype=T.float64)
    T.norm(x, 'nuc')                                    :: 2x3; 3x3; 3 :: real values
    T.norm(x, 'bad')
    T.dist(x, y)                                        :: 2x3 2x3; 3 2x3; () 3
    T.dist(x, y, 1)                                     :: 3 3
    T.dist(x, y, 0)                                     :: 3 3
    T.dist(x, y, inf)                                   :: 3 3
    T.dist(x, y, p=3)                                   :: 3 3
    T.dist(x, x)                                        :: 3
    T.linalg.vector_norm(x)
    T.linalg.vector_norm(x, 2, (0, 1), True)
    T.linalg.vector_norm(x, dim=0)
    T.linalg.vector_norm(x, ord=1, dim=-1, keepdim=True, dtype=T.float64)
    T.linalg.matrix_norm(x, 'fro', (0, 2), True)        :: 2x3x4
    T.linalg.matrix_norm(x, 1, (-1, 0), keepdim=True)   :: 2x3x4
    T.linalg.matrix_norm(x, inf, (0, 0))                :: 2x3x4
    T.linalg.norm(x, keepdim=True)                      :: 2x3; 2x3x4

    # every function that takes axes
    T.{sum|nansum|mean|var|std|prod|amax|amin|argmax|argmin|all|any|count_nonzero}(x) :: SHAPES
    T.{var_mean|std_mean|aminmax}(x)                    :: SHAPES
    T.{max|min}(x)                                      :: SHAPES
    T.median(x)                                         :: 2x3; (); 1; 3x1x2; 3x2t; 3x2s; 2x3x4
    T.median(x)                                         :: 0; 0x3 :: floats
    T.{sum|mean|amax|amin|nansum}(x, {0|1|-1|(0, 1)|(-1, 0)|[1]|()}) :: AXES
    T.{sum|mean|amax|amin|nansum}(x, {0, True|(0, 1), True|-1, keepdim=True}) :: AXES
    T.{all|any}(x, {0|1|-1|(0, 1)|(-1, 0)|[1]|()|0, True|(0, 1), True|-1, keepdim=True}) :: AXES
    T.{var|std}(x, {0|1|-1|(0, 1)|(-1, 0)|[1]})         :: 2x3; 4x3; 2x3x4; 2x1
    T.{var|std}(x, {0, keepdim=True|(0, 1), keepdim=True|-1, keepdim=True}) :: 2x3; 4x3; 2x3x4; 2x1
    T.{prod|max|min|argmax|argmin|median}(x, {0|1|-1|-2, True|1, keepdim=True}) :: AXES
    T.{sum|mean|prod|var|std|amax|max|argmax|all|any|median|nansum|cumsum|cumprod}(x, {0|-1|1}) :: (); 1; 0
    T.{softmax|log_softmax}(x, {0|1|-1})                :: 2x3; (); 1; 3x1x2; 3x2t; 3x2s; 2x3x4
    T.{softmax|log_softmax}(x, {0|1|-1})                :: 0; 0x3; 3x0 :: floats
    T.cumsum(x, {0|1|-1})                               :: SHAPES
    T.cumprod(x, {0|1|-1})                              :: SHAPES :: float32 float64 whole
    T.cumprod(x, {0|1|-1})                              :: 2x3; (); 1; 0 :: float16
    T.logsumexp(x, {0|1|-1|(0, 1)|(-1, 0)|[1]|0, True|(0, 1), True|-1, keepdim=True}) :: AXES
    T.norm(x, {'fro'|2|1|0|inf|-inf|3|1.5|-1|None|2.0}) :: 2x3; (); 1; 0; 3x2t
    T.norm(x, {'fro'|2|1|0|inf|-inf|3}, dim={0|(0, 1)|-1}) :: 2x3; 2x3x4
    T.linalg.vector_norm(x, {2|1|0|inf|-inf|3|1.5})     :: 2x3; (); 0; 3x2t
    T.linalg.norm(x, {None|'fro'|1|-1|inf|-inf})        :: 2x3; 4x4
    T.linalg.norm(x, {None|'fro'|1|2|0|inf|3})          :: 3; 2x3x4; ()
    T.linalg.norm(x, {None|'fro'|1|inf}, dim={0|(0, 1)|(-1, 0)|[1]}) :: 2x3; 2x3x4
    T.linalg.matrix_norm(x, {'fro'|1|-1|inf|-inf|3})    :: 2x3; 2x3x4; 3
    T.linalg.matrix_norm(x, {2|-2|'nuc'})               :: 2x3; 4x4; 2x3x4 :: real values

    # meant to differ
    T.{var|std}(x, ())
        :: 2x3 :: floats differs: PyTorch's gradient is infinite, as if one element were left
    T.sum(x, dtype={T.int32|T.int8})
        :: 2x3 :: floats differs: PyTorch refuses a float tensor with gradient; ours is a constant
    T.var(x, correction=100)
        :: 2x3 :: floats differs: nothing to divide by; PyTorch's gradient is infinite, ours NaN
    T.logsumexp(x, ())
        :: 2x3 :: floats differs: PyTorch refuses an empty list of axes here, and only here
    T.median(x)
        :: 0 :: integers differs: PyTorch gives the smallest integer for the median of nothing
    T.max(x, None)
        :: 2x3 :: differs: in PyTorch None is not even a default here
    """,
    SHAPES="2x3; (); 0; 0x3; 3x0; 1; 3x1x2; 3x2t; 3x2s; 2x3x4",
    AXES="2x3; 3x2t; 2x3x4; 2x0; 0x2",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
