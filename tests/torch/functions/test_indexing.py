"""Functions that select and place elements by index or mask, against PyTorch.

`x[...]` is in `../test_getitem.py`.
"""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

TABLE = table(
    """
    T.gather(x, 1, T.tensor([[0, 2], [1, 1]]))           :: 2x3; 3x3; 2x3t
    T.gather(x, 0, T.tensor([[0, 1, 0]]))                :: 2x3; 2x4
    T.gather(x, -1, T.tensor([[2]]))                     :: 2x3
    T.gather(x, 0, T.tensor([2, 0, 0]))                  :: 3; 2
    T.gather(x, 0, T.tensor(1))                          :: 3; ()
    T.gather(x, 0, T.tensor([0]))                        :: (); 3
    T.gather(x, 1, T.tensor([[0, 5]]))                   :: 2x3
    T.gather(x, 1, T.tensor([[-1]]))                     :: 2x3
    T.gather(x, 1, T.tensor([0]))                        :: 2x3
    T.gather(x, 0, T.tensor([[0, 1, 0, 1]]))             :: 2x3
    T.gather(x, 2, T.tensor([[0]]))                      :: 2x3
    T.gather(x, 0, T.tensor([0.0]))                      :: 3
    T.gather(x, 0, T.tensor([0], dtype=T.int32))         :: 3
    T.gather(x, dim=1, index=T.tensor([[0]]))            :: 2x3
    T.gather(x, 1, T.zeros(0, 2, dtype=T.int64))         :: 2x3
    T.gather(x, 1, T.zeros(0, dtype=T.int64))            :: 2x3
    T.take_along_dim(x, T.tensor([[0, 1]]), 1)           :: 2x3
    T.take_along_dim(x, T.tensor([[0], [2]]), dim=1)     :: 2x3
    T.take_along_dim(x, T.tensor([4, 0]))                :: 2x3
    T.take_along_dim(x, x.argsort(1), 1)                 :: 2x3
    T.take_along_dim(x, T.tensor([0]), 1)                :: 2x3
    T.take(x, T.tensor([0, 4]))                          :: 2x3; 6
    T.take(x, T.tensor([[0, -1]]))                       :: 2x3
    T.take(x, T.tensor([6]))                             :: 2x3
    T.take(x, T.tensor(1))                               :: 2x3
    T.take(x, T.tensor([0.5]))                           :: 2x3
    T.index_select(x, 0, T.tensor([1, 1, 0]))            :: 2x3; 2; 2x3t
    T.index_select(x, 1, T.tensor([2]))                  :: 2x3
    T.index_select(x, -1, T.tensor([0, 1], dtype=T.int32)) :: 2x3
    T.index_select(x, 0, T.tensor(1))                    :: 2x3; 2
    T.index_select(x, 0, T.tensor([2]))                  :: 2x3
    T.index_select(x, 0, T.tensor([-1]))                 :: 2x3
    T.index_select(x, 0, T.tensor([[0]]))                :: 2x3
    T.index_select(x, 0, T.tensor([0.0]))                :: 2x3
    T.index_select(x, 0, T.zeros(0, dtype=T.int64))      :: 2x3
    T.index_select(x, 0, T.tensor([0]))                  :: ()
    T.index_select(x, 0, T.tensor([1]))                  :: ()
    T.index_select(x, 0, T.tensor([0, 0]))               :: ()
    T.index_select(x, 0, T.tensor([True]))               :: 2x3
    T.masked_select(x, T.tensor([True, False, True]))    :: 3; 2x3; 2
    T.masked_select(x, x > 0)                            :: 2x3
    T.masked_select(x, T.tensor(True))                   :: 2x3; ()
    T.masked_select(x, T.tensor([1, 0, 1]))              :: 3
    T.masked_select(x, T.tensor([[True], [False]]))      :: 3; 2x3
    T.masked_fill(x, T.tensor([True, False, True]), 0)   :: 3; 2x3; 2
    T.masked_fill(x, T.tensor([True, False, True]), 1.5) :: 3
    T.masked_fill(x, T.tensor([[True], [False]]), 1)     :: 2x3; 3
    T.masked_fill(x, T.tensor([True, False, True]), T.tensor(2)) :: 3
    T.masked_fill(x, T.tensor([True, False, True]), T.tensor(2.5)) :: 3
    T.masked_fill(x, T.tensor([True, False, True]), T.tensor([2.0])) :: 3
    T.masked_fill(x, T.tensor([1, 0, 1]), 0)             :: 3
    T.masked_fill(x, T.tensor([True, False, True]), -inf) :: 3
    T.masked_fill(x, x > 0, y)                           :: 3 ()
    T.where(x > 0, x, y)                                 :: 2x3 2x3; 2x3 3; 2x1 3; () 2
    T.where(T.tensor([True, False, True]), x, 0)         :: 3; 2x3
    T.where(T.tensor([True, False, True]), 1.5, x)       :: 3
    T.where(T.tensor([True, False]), 1, 2)               :: 2
    T.where(T.tensor([True, False]), 1.0, 2)             :: 2
    T.where(x)                                           :: 2x3; (); 3
    T.where(T.tensor([1, 0, 1]), x, 0)                   :: 3
    T.where(T.tensor([True, False]), x, y)               :: 3 3
    x.where(T.tensor([True, False, True]), y)            :: 3 3; 3 ()
    x.where(T.tensor([True, False, True]), 0)            :: 3
    T.where(x > 0, x)                                    :: 3
    T.where(T.tensor([True, False, True]), x, T.tensor([1, 2, 3])) :: 3
    T.where(T.tensor([1, 0, 1], dtype=T.uint8), x, 0)    :: 3
    T.where([True], x, x)                                :: 1

    # writing
    T.scatter(x, 1, T.tensor([[1], [2]]), 1)             :: 2x3
    T.scatter(x, 1, T.tensor([[1], [2]]), 1.5)           :: 2x3
    T.scatter(x, 1, T.tensor([[1, 0], [2, 1]]), y)       :: 2x3 2x2; 2x3 2x3; 2x3 1x2
    T.scatter(x, 0, T.tensor([[1, 0, 1]]), y)            :: 2x3 1x3; 2x3 2x3
    T.scatter(x, 0, T.tensor([2, 0]), y)                 :: 3 2; 3 5; 2 2
    T.scatter(x, 0, T.tensor([0]), src=y)                :: 3 1
    T.scatter(x, 0, T.tensor([0, 1]), value=2)           :: 3
    T.scatter(x, 0, T.tensor([0, 1]), y, reduce='add')   :: 3 2
    T.scatter(x, 0, T.tensor([0, 1]), 2, reduce='add')   :: 3
    T.scatter(x, 0, T.tensor([0, 1]), 2, reduce='multiply')
        :: 3 :: differs: PyTorch itself advises against it, and has no gradient for it
    T.scatter(x, 0, T.tensor([5]), 1)                    :: 3
    T.scatter(x, 0, T.tensor([-1]), 1)                   :: 3
    T.scatter(x, 0, T.tensor([[0]]), y)                  :: 3 1
    T.scatter(x, 0, T.zeros(0, dtype=T.int64), y)        :: 3 1
    T.scatter(x, 0, T.tensor([0.0]), 1)                  :: 3
    T.scatter(x, 0, T.tensor(0), y)                      :: 3 (); () ()
    T.scatter(x, 0, T.tensor([0]), T.tensor([1.0], dtype=T.float64)) :: 3
    T.scatter(x, 0, T.tensor([0, 1]), 2, reduce='bad')   :: 3
    T.scatter_add(x, 0, T.tensor([0, 0, 2]), y)          :: 3 3; 3 4; 3 2
    T.scatter_add(x, 1, T.tensor([[1, 1], [0, 2]]), y)   :: 2x3 2x2; 2x3 2x3
    T.scatter_add(x, 0, T.tensor([[0, 1, 0]]), y)        :: 2x3 1x3
    T.scatter_add(x, 0, T.tensor([7]), y)                :: 3 1
    T.scatter_add(x, 0, T.tensor([0]), 1)                :: 3
    T.index_add(x, 0, T.tensor([1, 1]), y)               :: 2x3 2x3; 2 2; 2x3 1x3
    T.index_add(x, 1, T.tensor([0, 2]), y)               :: 2x3 2x2
    T.index_add(x, 0, T.tensor([1]), y, alpha=2)         :: 2x3 1x3
    T.index_add(x, 0, T.tensor([5]), y)                  :: 2x3 1x3
    T.index_add(x, 0, T.tensor([-1]), y)                 :: 2x3 1x3
    T.index_add(x, 0, T.tensor(1), y)                    :: 2 ()
    T.index_add(x, 0, T.tensor([0]), T.tensor([[1.0]], dtype=T.float64)) :: 2x1
    T.index_add(x, 0, T.tensor([[0]]), y)                :: 2x3 1x3
    T.index_add(x, 0, T.tensor([0, 1]), y)               :: 2x3 2x1
    T.index_copy(x, 0, T.tensor([1, 0]), y)              :: 2x3 2x3; 2 2; 2x3 1x3
    T.index_copy(x, 1, T.tensor([2]), y)                 :: 2x3 2x1
    T.index_copy(x, 0, T.tensor([5]), y)                 :: 2x3 1x3
    T.index_copy(x, 0, T.tensor([0]), T.ones(1, 3, dtype=T.float64)) :: 2x3
    T.index_copy(x, 0, T.tensor(1), y)                   :: 2x3 1x3; 2 ()
    T.index_fill(x, 0, T.tensor([1]), 2)                 :: 2x3; 2
    T.index_fill(x, 1, T.tensor([0, 2]), 1.5)            :: 2x3
    T.index_fill(x, 0, T.tensor([1]), T.tensor(2))       :: 2x3
    T.index_fill(x, 0, T.tensor([1]), y)                 :: 2x3 ()
    T.index_fill(x, 0, T.tensor([5]), 2)                 :: 2x3
    T.index_fill(x, 0, T.tensor([-1]), 2)                :: 2x3
    T.index_fill(x, 0, T.tensor([1]), T.tensor([2]))     :: 2x3
    T.index_fill(x, 0, T.tensor(1), 2)                   :: 2x3
    T.index_put(x, (T.tensor([0, 1]), T.tensor([2, 0])), y) :: 2x3 2; 2x3 (); 2x3 1; 2x3 3
    T.index_put(x, (T.tensor([0, 0]),), y, accumulate=True) :: 2x3 2x3; 2x3 3; 2x3 ()
    T.index_put(x, (x > 0,), y)                          :: 2x3 ()
    T.index_put(x, (T.tensor([0, 0]), T.tensor([1, 1])), y, True) :: 2x3 2; 2x3 ()
    T.index_put(x, [T.tensor([1])], y)                   :: 2 1
    T.index_put(x, (T.tensor([9]),), y)                  :: 2 1
    T.index_put(x, (T.tensor([0]),), T.tensor(1.0, dtype=T.float64)) :: 2
    T.nonzero(x)                                         :: 2x3; (); 0; 3
    T.nonzero(x, as_tuple=True)                          :: 2x3; (); 3
    T.nonzero(x, as_tuple=False)                         :: 3
    T.argwhere(x)                                        :: 2x3; (); 3
    x.nonzero()                                          :: 2x3
    """,
    types="float32 float16 int64 bool",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
