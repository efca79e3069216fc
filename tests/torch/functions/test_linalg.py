"""Products, einsum, inverses, factorisations and solvers against PyTorch."""

from __future__ import annotations

import pytest

from tests.torch.both import Row, check, rows, table

# Well-conditioned matrices from any x (n, n).
DEFINITE = "(x @ x.mT + 2 * T.eye(x.shape[-1], dtype=x.dtype))"
SQUARE = "(x + 5 * T.eye(x.shape[-1], dtype=x.dtype))"

TABLE = table(
    """
    x @ y                                                :: 2x3 3x2; 3 3; 2x3s 3x2s
    x @ 2                                                :: 2x3
    x.__rmatmul__(y)                                     :: 3x2 2x3
    x @ y.double()                                       :: 2x3 3x2 :: float32
    T.mm(x, y)
        :: 2x3 3x4; 2x3 2x3; 3 3x2; 2x3 3; 5x2x3 5x3x2; 0x3 3x2 :: numbers
    T.mm(x, y.double())                                  :: 2x3 3x2 :: float32 int64
    T.bmm(x, y)
        :: 5x2x3 5x3x4; 5x2x3 4x3x4; 2x3 3x4; 5x2x3 5x2x3; 0x2x3 0x3x4 :: numbers
    T.mv(x, y)                                           :: 2x3 3; 2x3 2; 3 3; 2x3 3x1; 0x3 3 :: numbers
    T.mv(x.long(), y.float())                            :: 2x3 3 :: int64
    T.dot(x, y)                                          :: 3 3; 0 0; 3 2; 2x3 3; () ()
    T.dot(x, y.double())                                 :: 3 3 :: float32 int64
    T.vdot(x, y)                                         :: 3 3; 3 2
    T.inner(x, y)                                        :: 3 3; 2x3 3; 2x3 4x3; () 3; 2x3 2; 2x3 ()
    T.outer(x, y)                                        :: 3 4; 0 3; 2x3 3; () 3
    T.ger(x, y)                                          :: 3 4
    x.outer(y.double())                                  :: 2 2 :: float32 int64
    T.tensordot(x, y)                                    :: 2x3x4 3x4x5
    T.tensordot(x, y, -1)                                :: 2x3 3x4
    T.tensordot(x, y, 0)                                 :: () ()
    T.addmm(x, y, z)
        :: 2x4 2x3 3x4; 4 2x3 3x4; () 2x3 3x4; 2x4 2x3 2x4; 3x4 2x3 3x4
    T.addmm(x, y, z, beta=2, alpha=3)                    :: 2x4 2x3 3x4
    T.addmm(x, y, z, beta=0.5, alpha=1.5)                :: 2x4 2x3 3x4
    T.addmm(x, y, z, beta=0)                             :: 2x4 2x3 3x4
    T.addmm(x.double(), y, z)                            :: 2x4 2x3 3x4 :: float32
    T.addmm(x / 0, y, z, beta=0)                         :: 2x4 2x3 3x4 :: float32 values
    T.addmv(x, y, z)                                     :: 2 2x3 3; () 2x3 3; 3 2x3 3
    T.addmv(x, y, z, beta=2, alpha=3)                    :: 2 2x3 3
    T.addmv(x / 0, y, z, beta=0)                         :: 2 2x3 3 :: float32 values
    T.chain_matmul(x, y, z)                              :: 2x3 3x4 4x2; 2x3 3x4 3x2
    T.chain_matmul(x)                                    :: 2x3
    T.linalg.multi_dot([x, y, z])                        :: 2x3 3x4 4x2; 3 3x4 4; 3 3x4 4x2; 2x3 3x4 4
    T.linalg.multi_dot([x])                              :: 2x3
    T.linalg.multi_dot([x, y])                           :: 2x3 3x2; 3 3
    T.linalg.matmul(x, y)                                :: 2x3 3x4

    # solvers and factorisations
    T.linalg.inv(x * 0)                                  :: 2x2 :: real
    T.linalg.det(x * 0)                                  :: 2x2 :: real values
    T.det(x)                                             :: 0x0; 2x2 :: real values
    T.logdet(-T.eye(3, dtype=x.dtype) + 0 * x)           :: 3x3 :: real values
    x.det()                                              :: 3x3 :: real
    T.linalg.solve(x * 0, y)                             :: 2x2 2 :: real
    T.linalg.solve(x, y)                                 :: 2x3 2; 3x3 3 :: int64 float32
    T.linalg.solve(x, y.double())                        :: 3x3 3 :: float32
    T.linalg.cholesky(-T.eye(2, dtype=x.dtype))          :: 2 :: real
    T.linalg.svdvals(x)                                  :: 3x2; 2x3; 2x4x3; 3x3 :: real values
    T.linalg.matrix_rank(x)                              :: 3x2; 2x3x4; 3x3; 3 :: real values
    T.linalg.matrix_rank(T.ones(3, 3, dtype=x.dtype))    :: 1 :: real values
    T.linalg.matrix_rank(x, tol=1.0)                     :: 4x3 :: real values
    T.linalg.matrix_rank(x, rtol=0.5)                    :: 4x3 :: real values
    T.linalg.matrix_rank(x, atol=1.0, rtol=0.1)          :: 4x3 :: real values
    T.linalg.pinv(x)                                     :: 3x2; 2x3; 2x4x3 :: real values
    T.linalg.pinv(x, rcond=0.5)                          :: 4x3 :: real values
    T.linalg.pinv(x, rtol=0.5)                           :: 4x3 :: real values
    x.pinverse()                                         :: 3x2 :: real values
    T.linalg.cond(x)                                     :: 3x3; 2x3; 2x4x3 :: real values
    T.linalg.eigvalsh(x)                                 :: 3x3 :: real values
    T.linalg.eigvalsh(x, 'U')                            :: 3x3 :: real values
    T.linalg.eigh(x, UPLO='U')[0]                        :: 3x3 :: real values
    T.linalg.eigh(x, UPLO='Z')                           :: 3x3 :: real values
    T.linalg.qr(x).R.abs()                               :: 3x2; 2x3; 3x3; 2x4x3 :: real values
    T.linalg.qr(x)[0].abs()                              :: 3x2 :: real values
    T.qr(x)[1].abs()                                     :: 3x2 :: real values
    T.linalg.qr(x, 'complete').Q.abs()                   :: 3x2; 2x3 :: real values
    T.linalg.qr(x, mode='r')[1].abs()                    :: 3x2 :: real values
    T.linalg.qr(x, 'bad')                                :: 3x2 :: real values
    T.qr(x, False)[0].abs()                              :: 3x2 :: real values
    T.linalg.svd(x).S                                    :: 3x2; 2x3; 3x3 :: real values
    T.linalg.svd(x, full_matrices=False).U.abs()         :: 3x2; 2x3 :: real values
    T.linalg.svd(x)[2].abs()                             :: 3x2; 3x3 :: real values
    T.svd(x)[1]                                          :: 3x2 :: real values
    T.svd(x)[2].abs()                                    :: 3x2; 2x3 :: real values
    T.svd(x).V.abs()                                     :: 3x2 :: real values
    T.svd(x, False)[0].abs().shape                       :: 3x2 :: real values
    x.svd()[0].abs()                                     :: 3x2 :: real values
    T.linalg.lstsq(x, y).solution                        :: 4x2 4; 2x4x2 2x4x1; 2x4x2 2x4 :: real values
    T.linalg.lstsq(x, y, driver='gelsd').rank            :: 4x2 4x1 :: real values
    T.linalg.lstsq(x, y, driver='gelsd').singular_values :: 4x2 4x1 :: real values
    T.linalg.lstsq(x, y).singular_values                 :: 4x2 4x1 :: real values
    T.linalg.lstsq(x, y).rank                            :: 4x2 4x1 :: real values
    T.cosine_similarity(x, y, dim=0)                     :: 3 3; 2x3 3; 0 0
    T.cosine_similarity(x * 0, y, dim=0)                 :: 3 3
    T.cosine_similarity(x, y)                            :: 3 3

    # shapes and options
    T.matmul(x, y)
        :: 2x3 3x4; 3 3; 2x3 3; 3 3x4; 5x2x3 3x4; 5x2x3 5x3x4; 2x3 5x3x4; 5x2x3 3; 3 5x3x4
    T.matmul(x, y)
        :: 1x2x3 5x3x4; 3x2t 2x4t; 4x2x3 5x3x2; 2x3 4x2; 2 3; () 2; 2x3 ()
    T.matmul(x, y)                                       :: 2x0 0x3; 0x3 3x2 :: numbers
    T.tensordot(x, y, {1|2|0|dims=([1], [0])|([1, 2], [0, 1])|([0], [0])|dims=((-1,), (-1,))})
        :: 2x3 3x4; 2x3x4 3x4x5; 3 3
    T.linalg.{inv|det|slogdet|pinv|cond|svdvals|eigvalsh}(SQUARE) :: 3x3; 2x3x3; 1x1 :: real values
    T.{inverse|det|logdet|linalg.inv|linalg.det}(SQUARE) :: 3x3; 2x3x3; 1x1 :: real
    T.{slogdet|linalg.slogdet}(SQUARE)[1]                :: 3x3; 2x3x3; 1x1 :: real
    T.{linalg.inv|inverse|det|logdet|slogdet|linalg.eigh|linalg.cholesky|linalg.eigvalsh}(x)
        :: 2x3; 3; 2; () :: all values
    T.{det|slogdet}(x)                                   :: 3x3 :: int64 bool
    T.linalg.{inv|qr|svd|eigh|cholesky|svdvals|pinv|matrix_rank|cond}(x) :: 3x3 :: int64 bool
    T.linalg.solve(SQUARE, y)
        :: 3x3 3; 3x3 3x2; 2x3x3 2x3; 2x3x3 2x3x2; 2x3x3 3x1; 3x3 2; 3x3 2x3 :: real
    T.linalg.cond(x, {2|-2|1|inf|'fro'|'nuc'})           :: 3x3 :: real values
    T.linalg.lstsq(x, y){.solution|.residuals|[0]}
        :: 4x2 4x1; 4x2 4x3; 3x3 3x2; 5x2 4x1; 3x4 3x1 :: real values
    T.linalg.lstsq(x, y, driver='{gels|gelsd|gelss}').{residuals|rank|singular_values}
        :: 4x2 4x1; 4x2 4; 2x4x2 2x4x1; 2x3 2x1 :: real values
    T.cosine_similarity(x, y{|, 0|, dim=-1|, dim=1, eps=1e-3}) :: 2x3 2x3; 2x3 1x3; 4x3x2 4x3x2
    T.linalg.cholesky(DEFINITE{|, upper=True})           :: 3x3; 2x3x3; 1x1 :: real
    T.cholesky(DEFINITE{|, upper=True})                  :: 3x3; 2x3x3; 1x1 :: real
    DEFINITE.cholesky()                                  :: 3x3 :: real
    T.linalg.eigvalsh(DEFINITE)                          :: 3x3; 2x3x3 :: real values
    T.linalg.eigh(DEFINITE).eigenvectors.abs()           :: 3x3 :: real values

    # einsum
    T.einsum('{ij,jk->ik|ij,jk|ij,kj->ik|ij,ij->ij|ij,ij->i|ij,ij|ij,kl->ijkl|...j,...k->jk}', x, y)
        :: 2x3 3x2; 2x3 2x3; 2x3 1x3 :: floats int64
    T.einsum('{ij->ji|ij->|ij->j|ij|ji|...j->...|i...->...i|ijk->|ij->k|ii|ii->i|i1|ij->ii}', x)
        :: 2x3; 3x3; 2x3x4
    T.einsum('{bij,bjk->bik|...ij,...jk->...ik|bij,bjk|bij,bkj->b|bij,cjk->bcik|b...,b...->...}', x, y)
        :: 5x2x3 5x3x4; 1x2x3 5x3x4 :: floats int64
    T.einsum('{bn,anm,bm->ba|bn, anm, bm -> ba|bn,anm,bm}', x, y, z)
        :: 2x3 5x3x4 2x4; 0x3 5x3x4 0x4 :: floats int64
    T.einsum('ij,jk->ik', [x, y])                        :: 2x3 3x2
    T.einsum('ij,jk->ik', x, y.double())                 :: 2x3 3x2 :: float32 int64
    T.einsum('ij,jk,kl->il', x, y)                       :: 2x3 3x2 :: floats int64
    T.einsum('i,i->', x, y)                              :: 3 3; 0 0; 3 4 :: floats int64
    T.einsum('->', x)                                    :: ()
    """,
    DEFINITE=DEFINITE,
    SQUARE=SQUARE,
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_values_and_gradients(row: Row) -> None:
    check(row)
