"""Shapes, joining, splitting, repeating and padding against PyTorch."""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

TABLE = table(
    """
    # another shape
    T.reshape(x, (3, 2))                                 :: 2x3; 3x2t; 3x2s; 6; 5; 2x3t
    x.reshape(3, 2)                                      :: 2x3; 3x2t
    x.reshape([3, -1])                                   :: 2x3; 3x2t
    T.reshape(x, (-1,))                                  :: ANY
    x.reshape(-1)                                        :: ANY
    x.reshape(2, -1)                                     :: 2x3; 5; 0; 0x3
    x.reshape(-1, -1)                                    :: 2x3
    x.reshape(())                                        :: (); 1; 2
    x.reshape(0, -1)                                     :: 0; 0x3
    x.reshape(-2, 3)                                     :: 2x3
    x.reshape(T.Size([3, 2]))                            :: 2x3
    x.view(3, 2)                                         :: 2x3; 3x2t; 3x2s; 6
    x.view(-1)                                           :: ANY
    x.view((6,))                                         :: 2x3; 3x2t
    x.view(T.Size([6]))                                  :: 2x3
    x.view(2, 1, 3)                                      :: 2x3; 2x3t; 2x3s
    x.view(1, 2, 3)                                      :: 2x3t; 2x3s
    x.view()                                             :: (); 2
    x.view_as(y)                                         :: 2x3 3x2; 2x3 5
    x.reshape_as(y)                                      :: 2x3 3x2; 2x3 5; 3x2t 2x3
    T.flatten(x)                                         :: ANY
    T.flatten(x, 1)                                      :: 2x3; 2x3x4; 2x0x3
    T.flatten(x, 0, 1)                                   :: 2x3x4; 2x3x4t; 2
    T.flatten(x, -2)                                     :: 2x3x4; 2
    T.flatten(x, 1, 0)                                   :: 2x3
    T.flatten(x, start_dim=1, end_dim=2)                 :: 2x3x4x2
    T.flatten(x, 3)                                      :: 2x3
    T.unflatten(x, 1, (3, -1))                           :: 2x6; 2x0; 2x4; 6
    T.unflatten(x, -1, [2, 3])                           :: 2x6; 6
    T.unflatten(x, 0, (2, 3))                            :: 6x2; 5x2
    x.unflatten(1, (2, 3))                               :: 2x6
    T.unflatten(x, 0, ())                                :: 1x2
    T.ravel(x)                                           :: ANY
    T.permute(x, (1, 0))                                 :: 2x3; 2x3t; 2
    x.permute(2, 0, 1)                                   :: 2x3x4
    x.permute([-1, 0, 1])                                :: 2x3x4
    x.permute(0, 0)                                      :: 2x3
    x.permute(0)                                         :: 2x3; 2
    x.permute(0, 2)                                      :: 2x3
    T.permute(x, ())                                     :: (); 2
    T.transpose(x, 0, 1)                                 :: ANY
    T.transpose(x, -1, 0)                                :: ANY
    T.transpose(x, 0, 2)                                 :: 2x3; 2x3x4
    T.swapaxes(x, 0, 1)                                  :: 2x3
    T.swapdims(x, 0, -1)                                 :: 2x3x4
    T.t(x)                                               :: ANY
    x.mT                                                 :: ANY
    x.T                                                  :: 2x3; 3x2t
    T.movedim(x, 0, -1)                                  :: ANY
    T.movedim(x, (0, 1), (2, 0))                         :: 2x3x4; 2
    T.moveaxis(x, [0, 1], [1, 0])                        :: 2x3x4
    T.movedim(x, (0, 0), (1, 2))                         :: 2x3x4
    T.movedim(x, (0,), (1, 2))                           :: 2x3x4
    T.movedim(x, 0, 5)                                   :: 2x3

    # sizes
    x.expand(2, 3)                                       :: 2x3; 3; 1x3; 2x1; (); 1; 4; 2x2
    x.expand(4, -1, 3)                                   :: 2x3; 2x1; 1x3
    x.expand(-1, 3)                                      :: 2x1; 3; 2x2
    x.expand((2, 3))                                     :: 3
    x.expand([2, 3])                                     :: 3
    x.expand(0, 3)                                       :: 1x3; 3
    x.expand(0)                                          :: 1; ()
    x.expand(3)                                          :: 2x3
    x.expand(-1, -1, 3)                                  :: 2x3
    x.expand_as(y)                                       :: 3 2x3; 1 2x3; 2 2x3; () 2
    T.broadcast_to(x, (2, 3))                            :: 3; 2; 2x1
    T.broadcast_tensors(x, y)                            :: 2x1 3; () 2; 2 3; 2x3 2x3
    T.broadcast_tensors(x, y, z)                         :: 2x1 3 4x1x1
    T.squeeze(x)                                         :: ANY
    T.squeeze(x, 0)                                      :: ANY
    T.squeeze(x, (0, 2))                                 :: 1x3x1; 2x3x1; 1x3
    T.squeeze(x, -1)                                     :: ANY
    T.squeeze(x, 3)                                      :: 2x3
    T.squeeze(x, dim=(0, 0))                             :: 1x2
    T.squeeze(x, ())                                     :: 1x2x1
    T.unsqueeze(x, 0)                                    :: ANY
    T.unsqueeze(x, -1)                                   :: ANY
    T.unsqueeze(x, 1)                                    :: ANY
    T.unsqueeze(x, 2)                                    :: ANY
    T.unsqueeze(x, -3)                                   :: 2x3; 2
    T.unsqueeze(x, 4)                                    :: 2x3
    T.unsqueeze(x)                                       :: 2
    T.atleast_1d(x)                                      :: ANY
    T.atleast_2d(x)                                      :: ANY
    T.atleast_1d(x, y)                                   :: () 2
    T.atleast_2d([x, y])                                 :: () 2

    # parts
    T.narrow(x, 0, 1, 1)                                 :: 2x3; 3x2t; 1; ()
    T.narrow(x, 1, 0, 3)                                 :: 2x3; 2x2
    T.narrow(x, -1, -2, 2)                               :: 2x3; 3
    T.narrow(x, 0, 0, 0)                                 :: 2x3; 0
    T.narrow(x, 0, 2, 0)                                 :: 2; 1
    T.narrow(x, 0, 0, -1)                                :: 2
    x.narrow(dim=0, start=1, length=1)                   :: 3
    T.narrow(x, 0, T.tensor(1), 1)                       :: 3
    T.select(x, 0, 1)                                    :: 2x3; 1x3; 3x2t; ()
    T.select(x, -1, -1)                                  :: 2x3; 3
    x.select(1, 5)                                       :: 2x3
    x.select(dim=0, index=0)                             :: 2x3
    T.unbind(x)                                          :: 2x3; 0x3; 3; ()
    T.unbind(x, 1)                                       :: 2x3; 2x0; 2
    T.unbind(x, dim=-1)                                  :: 2x3
    T.split(x, 2)                                        :: 5; 4x3; 1; 0; 0x3; ()
    T.split(x, 2, dim=1)                                 :: 2x5; 2x0
    T.split(x, [1, 2], -1)                               :: 2x3; 2x4
    T.split(x, (0, 3), 1)                                :: 2x3
    T.split(x, 0)                                        :: 0; 2
    T.split(x, -1)                                       :: 2
    T.split(x, [-1, 3])                                  :: 2
    x.split(split_size=2, dim=0)                         :: 5
    x.split([2, 3])                                      :: 5
    T.chunk(x, 2)                                        :: 5; 4x3; 1; 0; ()
    T.chunk(x, 4, 1)                                     :: 2x6; 2x3; 2x0
    T.chunk(x, 0)                                        :: 2
    T.chunk(x, 3, dim=-1)                                :: 2x7
    T.tensor_split(x, 3)                                 :: 7; 2; 0; 2x3
    T.tensor_split(x, (1, 3), 1)                         :: 2x5; 2x2
    T.tensor_split(x, [2], dim=0)                        :: 5
    T.tensor_split(x, 0)                                 :: 2
    T.tensor_split(x, (3, 1))                            :: 5
    T.tensor_split(x, (-1,))                             :: 5
    T.tensor_split(x, 2)                                 :: ()

    # joining
    T.cat((x, y))
        :: 2x3 1x3; 2 3; 0 2x3; 2x3 0; 2x3 0x3; 2x3 2x2; () ()
    T.cat([x, y], 1)                                     :: 2x3 2x1; 2x3 2x0; 3x2t 3x2s
    T.cat([x, y, z], dim=-1)                             :: 2x1 2x2 2x3
    T.cat((x,))                                          :: 2x3
    T.cat((x, x))                                        :: 2x3
    {T.cat((x, y))|T.stack((x, y))|x.roll(1, 0)|T.vstack((x, y))|x.tile(2)}.is_contiguous()
        :: 2x3t 2x3t; 2x3s 2x3s
    T.concat((x, y), axis=0)                             :: 2 3
    T.concatenate((x, y), 0)                             :: 2 3
    T.cat(())                                            :: 2
    T.cat((x, y), 2)                                     :: 2x3 2x3
    T.cat(x)                                             :: 2x3
    T.cat((x, 1))                                        :: 2
    T.cat((x, y))                                        :: 2x3 3
    T.stack((x, y))                                      :: 2x3 2x3; () (); 0 0; 2 3
    T.stack([x, y], 1)                                   :: 2x3 2x3; 3 3
    T.stack((x, y), dim=-1)                              :: 2x3 2x3
    T.stack((x, y), 3)                                   :: 2x3 2x3
    T.stack(())                                          :: 2
    T.stack((x,), -3)                                    :: 2x3
    T.vstack((x, y))                                     :: 2x3 1x3; 3 3; () (); 3 2x3
    T.hstack((x, y))                                     :: 2x3 2x1; 3 2; () (); 2x3 3
    T.column_stack((x, y))                               :: 3 3; 3 3x2; () ()
    T.vstack([x])                                        :: 3

    # repeating and reordering
    x.repeat(2)                                          :: 3; ()
    x.repeat(2, 3)                                       :: 2; 2x3; (); 0; 3x2t
    x.repeat((2, 1, 2))                                  :: 3; 2x3
    x.repeat(2)                                          :: 2x3
    x.repeat(0, 2)                                       :: 2x3
    x.repeat(-1)                                         :: 2
    T.tile(x, (2,))                                      :: 2x3; (); 3
    x.tile(2, 1, 2)                                      :: 2x3; 3
    T.tile(x, ())                                        :: 2x3
    T.repeat_interleave(x, 2)                            :: 3; 2x3; (); 0
    T.repeat_interleave(x, 2, 1)                         :: 2x3; 2x0
    T.repeat_interleave(x, T.tensor([1, 0, 2]))          :: 3; 2
    T.repeat_interleave(x, T.tensor([2, 1]), dim=0)      :: 2x3; 3x3
    x.repeat_interleave(T.tensor([2]), dim=1)            :: 2x3
    T.repeat_interleave(x, -1)                           :: 3
    T.repeat_interleave(x, T.tensor([1.0]))              :: 1
    T.repeat_interleave(x, T.tensor(2), 0)               :: 2x3
    T.flip(x, (0,))                                      :: 2x3; 3; 0; 3x2t; ()
    x.flip(0, 1)                                         :: 2x3; 3x2s
    T.flip(x, [-1])                                      :: 2x3
    x.flip(0, 0)                                         :: 2x3
    x.flip(3)                                            :: 2x3
    T.flip(x, ())                                        :: 2x3
    T.fliplr(x)                                          :: ANY
    T.flipud(x)                                          :: ANY
    T.roll(x, 1)                                         :: 3; 2x3; 0; ()
    T.roll(x, -2, 1)                                     :: 2x3
    T.roll(x, (1, 2), (0, 1))                            :: 2x3
    T.roll(x, 5, 0)                                      :: 3
    T.roll(x, (1, 2), 0)                                 :: 2x3
    T.roll(x, shifts=1, dims=-1)                         :: 2x3
    T.roll(x, (1,), (0,))                                :: 3
    T.roll(x, (1, 1), (0, 0))                            :: 3
    T.roll(x, (1, 2))                                    :: 6

    # diagonals and triangles
    T.diagonal(x)                                        :: 3x3; 2x3; 2x3x4; 3
    T.diagonal(x, 1)                                     :: 3x3; 2x3; 2x1
    T.diagonal(x, -1)                                    :: 3x3; 2x3
    T.diagonal(x, 0, 1, 2)                               :: 2x3x4
    T.diagonal(x, 0, -2, -1)                             :: 2x3x4
    T.diagonal(x, 0, 0, 0)                               :: 2x3
    T.diagonal(x, 9)                                     :: 2x3
    T.diagonal(x, -9)                                    :: 2x3
    x.diagonal(offset=1, dim1=0, dim2=1)                 :: 3x3
    T.diag(x)                                            :: 3; 3x3; 2x3; (); 0; 2x3x4
    T.diag(x, 1)                                         :: 3; 3x3
    x.diag(-2)                                           :: 2; 3x3
    T.diag_embed(x)                                      :: 3; 2x3; 0
    T.diag_embed(x, 1)                                   :: 3; 2x3
    T.diag_embed(x, -1)                                  :: 2x3
    T.diag_embed(x, 0, 0, 1)                             :: 2x3
    T.diag_embed(x, offset=1, dim1=0, dim2=-1)           :: 2x3
    T.trace(x)                                           :: 3x3; 2x3; 3; 0x0
    T.tril(x)                                            :: 3x3; 2x4; 2x3x3; 3
    T.triu(x)                                            :: 3x3; 4x2; 2x3x3; 0x3
    T.tril(x, 1)                                         :: 3x3
    T.tril(x, -1)                                        :: 3x3
    x.triu(diagonal=1)                                   :: 3x3
    T.triu(x, -9)                                        :: 3x3

    # grids, padding, copies
    T.meshgrid(x, y, indexing='ij')                      :: 2 3; () 3; 0 2; 2x2 3
    T.meshgrid(x, y, indexing='xy')                      :: 2 3
    T.meshgrid((x, y, z), indexing='xy')                 :: 2 3 4
    T.meshgrid(x, y, indexing='zz')                      :: 2 3
    T.meshgrid(x, indexing='ij')                         :: 3
    T.meshgrid(x, y)                                     :: 2 3
    T.nn.functional.pad(x, (1, 2))                       :: 3; 2x3; 2x0
    T.nn.functional.pad(x, (1, 0, 0, 2))                 :: 2x3; 2x3x4
    T.nn.functional.pad(x, (-1, 1))                      :: 2x3; 3
    T.nn.functional.pad(x, (1, 1), value=3.0)            :: 3
    T.nn.functional.pad(x, (0, 0))                       :: 2x3
    T.nn.functional.pad(x, (1,))                         :: 3
    T.nn.functional.pad(x, (1, 1, 1, 1))                 :: 3
    T.nn.functional.pad(x, (-2, -2))                     :: 3
    T.nn.functional.pad(x, ())                           :: 3
    T.clone(x)                                           :: ANY
    x.contiguous()                                       :: ANY
    x.detach()                                           :: ANY
    x.numel()                                            :: ANY
    x.nelement()                                         :: ANY
    x.dim()                                              :: ANY
    x.ndimension()                                       :: ANY
    x.ndim                                               :: ANY
    x.size()                                             :: ANY
    tuple(x.shape)                                       :: ANY
    x.size(0)                                            :: ANY
    x.size(-1)                                           :: ANY
    x.size(5)                                            :: 2x3
    x.is_contiguous()                                    :: ANY
    x.tolist()                                           :: (); 2; 2x3; 0x3
    len(x)                                               :: 2x3; ()
    x.item()                                             :: (); 1; 1x1; 2; 0
    float(x)                                             :: (); 1; 2
    int(x)                                               :: (); 1x1; 2
    bool(x)                                              :: (); 1; 2; 0
    complex(x)                                           :: (); 2
    list(x)                                              :: 2x3; 0; (); 0x3
    list(reversed(x))                                    :: 2x3; 3
    x[0] in x                                            :: 3; 2x3
    7 in x                                               :: 3
    [*x]                                                 :: 2
    x.itemsize, x.element_size(), x.nbytes               :: 2x3; 0
    x.is_floating_point(), x.is_signed(), x.is_complex() :: 2
    T.is_tensor(x), T.is_tensor(3)                       :: 2
    x.type()                                             :: 2
    format(x, '.2f')                                     :: 2
    hash(x) == hash(x)                                   :: 2
    """,
    types="float32 int64 bool",
    ANY="2x3; (); 0; 1; 2x3x4; 3x2t; 3x2s; 1x3x1; 0x3",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
