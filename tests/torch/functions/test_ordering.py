"""Sorting, ranks, quantiles and counting against PyTorch."""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

TABLE = table(
    """
    T.sort(x)                                          :: 2x3; 5; () :: floats
    T.argsort(x)                                       :: 2x3; 5 :: floats
    x.sort(-1, True)                                   :: 5 :: floats
    T.sort(x, descending=True).values                  :: 2x3
    T.sort(x, 5)
    x.sort(descending=True)[0]                         :: 7
    T.topk(x, 4)
    T.topk(x, 1)                                       :: (); 1
    T.topk(x, 2)                                       :: (); 1
    T.topk(x, -1)                                      :: 3
    T.topk(x, 2)[0]                                    :: 5
    T.topk(x, 3, largest=False)[0]                     :: 7
    T.kthvalue(x, 1)                                   :: (); 1
    T.kthvalue(x, 1)                                   :: 0
    T.kthvalue(x, 2, 0)[0]                             :: 5
    T.median(x)                                        :: 2x3; 5; 4; (); 1
    T.median(x, 1)                                     :: 2x3; 2x4; 2x3x4 :: floats
    T.median(x, 0, True)                               :: 2x3; () :: floats
    T.median(x, dim=-1).values                         :: 2x4
    T.quantile(x, T.tensor(0.3, dtype=x.dtype), 0)     :: 2x3; 5
    T.quantile(x, 0.5)                                 :: 0; ()
    T.quantile(x, 0.4, interpolation='lower')          :: 2x3; 5
    T.quantile(x, 0.4, 0, interpolation='nearest')     :: 2x3; 5
    T.quantile(x, 0.4, interpolation='higher')         :: 5
    T.quantile(x, 0.4, interpolation='midpoint')       :: 5
    T.quantile(x, T.tensor([0.5], dtype=x.dtype))      :: 5
    T.quantile(x, [0.5])                               :: 5
    T.quantile(x, T.tensor([0.5], dtype=T.float64))    :: 5 :: float32
    T.bincount(x)                                      :: 7; 0; 2x3 :: values
    T.bincount(x)                                      :: 7; 1 :: positive values
    T.bincount(x, minlength=9)                         :: 5; 0 :: positive values
    T.bincount(x, y)                                   :: 5 5; 5 4 :: positive values
    T.bincount(x, weights=y.float(), minlength=2)      :: 5 5 :: positive values
    T.bincount(x, minlength=-1)                        :: 5 :: positive values
    x.bincount(y.double())                             :: 5 5 :: positive values
    T.histc(x * 0, 4)                                  :: 3 :: values
    T.histc(x, 3)                                      :: () :: values
    T.searchsorted(T.sort(x, stable=True)[0], 0.5)     :: 5; 0; 2x3 :: numbers values
    T.searchsorted(T.sort(x, stable=True)[0], 1, right=True) :: 5 :: numbers values
    T.searchsorted(T.tensor([1, 3]), x)                :: 3 :: int64 float32 values
    T.bucketize(0.5, x)                                :: 3 :: float32 values

    # options
    T.{sort|argsort}(x, {dim=0|dim=-1|dim=0, descending=True}, stable=True) :: 2x3; 3; 2x3x4; 3x2t; 0; 2x0; ()
    T.{sort|argsort}(x, stable=True)                   :: 2x3; 3; 2x3x4; 3x2t; 0; 2x0; ()
    T.topk(x, {2|1, 0|k=2, dim=-1, largest=False|2, 1, True, True|0|3}) :: 2x3; 4x3; 2x3x4; 3x4t :: floats
    T.kthvalue(x, {1|2, 0|2, dim=-1, keepdim=True|3, 1|0|9}) :: 2x3; 2x3x4 :: floats
    T.quantile(x, {0.5|0.3, 0|0.25, dim=1, keepdim=True|0.0|1.0|0.7, -1|1.5|-0.1}) :: 2x3; 5; 1; 4x5
    T.quantile(x, {0.5, keepdim=True|0.5, None, True}) :: 2x3; 5; 1; 4x5
    T.quantile(x, Q{|, 0|, dim=1, keepdim=True|, keepdim=True}) :: 2x3; 5; 4x5
    T.unique(x{|, return_inverse=True|, return_counts=True|, True, True, True|, sorted=True})
        :: 2x3; 7; (); 0; 1 :: values
    T.unique(x{, dim=0|, dim=1, return_counts=True|, dim=-1, return_inverse=True})
        :: 2x3; 4x2; 3 :: int64 bool float32 values
    T.histc(x{|, 4|, bins=5, min=-1, max=1|, 3, 0, 0|, 4, 1, -1|, 0|, bins=3, min=1, max=1})
        :: 2x3; 7; 0 :: values
    T.searchsorted(S, y{|, right=True|, side='right'|, side='left'|, out_int32=True})
        :: SEARCH :: numbers values
    T.searchsorted(S, y{|, side='bad'|, right=True, side='left'}) :: SEARCH :: numbers values
    T.bucketize(x, R{|, right=True|, out_int32=True})  :: 4 5; 2x3 5; () 5; 3 0; 3 2x2 :: numbers values
    """,
    Q="T.tensor([0.1, 0.5, 0.9], dtype=x.dtype)",
    S="T.sort(x, stable=True)[0]",
    R="T.sort(y, stable=True)[0]",
    SEARCH="5 4; 5 2x3; 5 (); 0 3; 5 0; 2x5 2x3; 2x5 3",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
