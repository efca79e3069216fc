"""Products, inverses, factorisations and solvers against PyTorch."""

from __future__ import annotations

import pytest

from tests.torch.both import DTYPES, FLOATS, Row, check, label, rows

REAL = ("float32", "float64")
NOT_HALF = tuple(d for d in DTYPES if d != "float16")
# A well-conditioned matrix from any x (n, n): its symmetric part plus n on the diagonal.
DEFINITE = "(x @ x.mT + 2 * T.eye(x.shape[-1], dtype=x.dtype))"
SQUARE = "(x + 5 * T.eye(x.shape[-1], dtype=x.dtype))"

TABLE = [
    *[Row(f"T.matmul(x, y)", "2x3 3x4; 3 3; 2x3 3; 3 3x4; 5x2x3 3x4; 5x2x3 5x3x4; 2x3 5x3x4; 5x2x3 3; 3 5x3x4; 1x2x3 5x3x4; 2x0 0x3; 0x3 3x2; 3x2t 2x4t; 4x2x3 5x3x2; 2x3 4x2; 2 3; () 2; 2x3 ()")],
    Row("x @ y", "2x3 3x2; 3 3; 2x3s 3x2s"), Row("x @ 2", "2x3"), Row("x.__rmatmul__(y)", "3x2 2x3"), Row("x @ y.double()", "2x3 3x2", ("float32",)), Row("T.mm(x, y)", "2x3 3x4; 2x3 2x3; 3 3x2; 2x3 3; 5x2x3 5x3x2; 0x3 3x2"), Row("T.mm(x, y.double())", "2x3 3x2", ("float32", "int64")),
    Row("T.bmm(x, y)", "5x2x3 5x3x4; 5x2x3 4x3x4; 2x3 3x4; 5x2x3 5x2x3; 0x2x3 0x3x4"), Row("T.mv(x, y)", "2x3 3; 2x3 2; 3 3; 2x3 3x1; 0x3 3"), Row("T.mv(x.long(), y.float())", "2x3 3", ("int64",)), Row("T.dot(x, y)", "3 3; 0 0; 3 2; 2x3 3; () ()"), Row("T.dot(x, y.double())", "3 3", ("float32", "int64")),
    Row("T.vdot(x, y)", "3 3; 3 2"), Row("T.inner(x, y)", "3 3; 2x3 3; 2x3 4x3; () 3; 2x3 2; 2x3 ()"), Row("T.outer(x, y)", "3 4; 0 3; 2x3 3; () 3"), Row("T.ger(x, y)", "3 4"), Row("x.outer(y.double())", "2 2", ("float32", "int64")),
    *[Row(f"T.tensordot(x, y, {d})", "2x3 3x4; 2x3x4 3x4x5; 3 3") for d in ("1", "2", "0", "dims=([1], [0])", "([1, 2], [0, 1])", "([0], [0])", "dims=((-1,), (-1,))")], Row("T.tensordot(x, y)", "2x3x4 3x4x5"), Row("T.tensordot(x, y, -1)", "2x3 3x4"), Row("T.tensordot(x, y, 0)", "() ()"),
    Row("T.addmm(x, y, z)", "2x4 2x3 3x4; 4 2x3 3x4; () 2x3 3x4; 2x4 2x3 2x4; 3x4 2x3 3x4"), Row("T.addmm(x, y, z, beta=2, alpha=3)", "2x4 2x3 3x4"), Row("T.addmm(x, y, z, beta=0.5, alpha=1.5)", "2x4 2x3 3x4"), Row("T.addmm(x, y, z, beta=0)", "2x4 2x3 3x4"), Row("T.addmm(x.double(), y, z)", "2x4 2x3 3x4", ("float32",)), Row("T.addmm(x / 0, y, z, beta=0)", "2x4 2x3 3x4", ("float32",), grad=False),
    Row("T.addmv(x, y, z)", "2 2x3 3; () 2x3 3; 3 2x3 3"), Row("T.addmv(x, y, z, beta=2, alpha=3)", "2 2x3 3"), Row("T.addmv(x / 0, y, z, beta=0)", "2 2x3 3", ("float32",), grad=False),
    Row("T.chain_matmul(x, y, z)", "2x3 3x4 4x2; 2x3 3x4 3x2"), Row("T.chain_matmul(x)", "2x3"), Row("T.linalg.multi_dot([x, y, z])", "2x3 3x4 4x2; 3 3x4 4; 3 3x4 4x2; 2x3 3x4 4"), Row("T.linalg.multi_dot([x])", "2x3"), Row("T.linalg.multi_dot([x, y])", "2x3 3x2; 3 3"), Row("T.linalg.matmul(x, y)", "2x3 3x4"),
    # solvers and factorisations
    *[Row(f"{f}({SQUARE})", "3x3; 2x3x3; 1x1", REAL) for f in ("T.linalg.inv", "T.inverse", "T.det", "T.linalg.det", "T.logdet", "T.slogdet", "T.linalg.slogdet", "T.linalg.pinv", "T.linalg.cond")],
    *[Row(f"{f}(x)", "2x3; 3; 2; ()", DTYPES) for f in ("T.linalg.inv", "T.inverse", "T.det", "T.logdet", "T.slogdet", "T.linalg.eigh", "T.linalg.cholesky", "T.linalg.eigvalsh")],
    *[Row(f"{f}(x)", "3x3", ("int64", "bool")) for f in ("T.linalg.inv", "T.det", "T.slogdet", "T.linalg.qr", "T.linalg.svd", "T.linalg.eigh", "T.linalg.cholesky", "T.linalg.svdvals", "T.linalg.pinv", "T.linalg.matrix_rank", "T.linalg.cond")],
    Row("T.linalg.inv(x * 0)", "2x2", REAL), Row("T.linalg.det(x * 0)", "2x2", REAL, grad=False), Row("T.det(x)", "0x0; 2x2", REAL, grad=False), Row("T.logdet(-T.eye(3, dtype=x.dtype) + 0 * x)", "3x3", REAL, grad=False), Row("x.det()", "3x3", REAL),
    *[Row(f"T.linalg.solve({SQUARE}, y)", "3x3 3; 3x3 3x2; 2x3x3 2x3; 2x3x3 2x3x2; 2x3x3 3x1; 3x3 2; 3x3 2x3", REAL)], Row("T.linalg.solve(x * 0, y)", "2x2 2", REAL), Row("T.linalg.solve(x, y)", "2x3 2; 3x3 3", ("int64", "float32")), Row("T.linalg.solve(x, y.double())", "3x3 3", ("float32",)),
    Row(f"T.linalg.cholesky({DEFINITE})", "3x3; 2x3x3; 1x1", REAL), Row(f"T.linalg.cholesky({DEFINITE}, upper=True)", "3x3", REAL), Row(f"T.cholesky({DEFINITE})", "3x3", REAL), Row(f"T.cholesky({DEFINITE}, upper=True)", "3x3", REAL), Row("T.linalg.cholesky(-T.eye(2, dtype=x.dtype))", "2", REAL), Row(f"{DEFINITE}.cholesky()", "3x3", REAL),
    Row("T.linalg.svdvals(x)", "3x2; 2x3; 2x4x3; 3x3", REAL, grad=False), Row("T.linalg.matrix_rank(x)", "3x2; 2x3x4; 3x3; 3", REAL, grad=False), Row("T.linalg.matrix_rank(T.ones(3, 3, dtype=x.dtype))", "1", REAL, grad=False), Row("T.linalg.matrix_rank(x, tol=1.0)", "4x3", REAL, grad=False), Row("T.linalg.matrix_rank(x, rtol=0.5)", "4x3", REAL, grad=False), Row("T.linalg.matrix_rank(x, atol=1.0, rtol=0.1)", "4x3", REAL, grad=False),
    Row("T.linalg.pinv(x)", "3x2; 2x3; 2x4x3", REAL, grad=False), Row("T.linalg.pinv(x, rcond=0.5)", "4x3", REAL, grad=False), Row("T.linalg.pinv(x, rtol=0.5)", "4x3", REAL, grad=False), Row("x.pinverse()", "3x2", REAL, grad=False), Row("T.linalg.cond(x)", "3x3; 2x3; 2x4x3", REAL, grad=False), *[Row(f"T.linalg.cond(x, {p})", "3x3", REAL, grad=False) for p in ("2", "-2", "1", "inf", "'fro'", "'nuc'")],
    Row(f"T.linalg.eigvalsh({DEFINITE})", "3x3; 2x3x3", REAL, grad=False), Row("T.linalg.eigvalsh(x)", "3x3", REAL, grad=False), Row("T.linalg.eigvalsh(x, 'U')", "3x3", REAL, grad=False), Row("T.linalg.eigh(x, UPLO='U')[0]", "3x3", REAL, grad=False), Row("T.linalg.eigh(x, UPLO='Z')", "3x3", REAL, grad=False), Row(f"T.linalg.eigh({DEFINITE}).eigenvectors.abs()", "3x3", REAL, grad=False),
    Row("T.linalg.qr(x).R.abs()", "3x2; 2x3; 3x3; 2x4x3", REAL, grad=False), Row("T.linalg.qr(x)[0].abs()", "3x2", REAL, grad=False), Row("T.qr(x)[1].abs()", "3x2", REAL, grad=False), Row("T.linalg.qr(x, 'complete').Q.abs()", "3x2; 2x3", REAL, grad=False), Row("T.linalg.qr(x, mode='r')[1].abs()", "3x2", REAL, grad=False), Row("T.linalg.qr(x, 'bad')", "3x2", REAL, grad=False), Row("T.qr(x, False)[0].abs()", "3x2", REAL, grad=False),
    Row("T.linalg.svd(x).S", "3x2; 2x3; 3x3", REAL, grad=False), Row("T.linalg.svd(x, full_matrices=False).U.abs()", "3x2; 2x3", REAL, grad=False), Row("T.linalg.svd(x)[2].abs()", "3x2; 3x3", REAL, grad=False), Row("T.svd(x)[1]", "3x2", REAL, grad=False), Row("T.svd(x)[2].abs()", "3x2; 2x3", REAL, grad=False), Row("T.svd(x).V.abs()", "3x2", REAL, grad=False), Row("T.svd(x, False)[0].abs().shape", "3x2", REAL, grad=False), Row("x.svd()[0].abs()", "3x2", REAL, grad=False),
    *[Row(f"T.linalg.lstsq(x, y){part}", "4x2 4x1; 4x2 4x3; 3x3 3x2; 5x2 4x1; 3x4 3x1", REAL, grad=False) for part in (".solution", ".residuals", "[0]")], Row("T.linalg.lstsq(x, y).solution", "4x2 4; 2x4x2 2x4x1; 2x4x2 2x4", REAL, grad=False), Row("T.linalg.lstsq(x, y, driver='gelsd').rank", "4x2 4x1", REAL, grad=False), Row("T.linalg.lstsq(x, y, driver='gelsd').singular_values", "4x2 4x1", REAL, grad=False), Row("T.linalg.lstsq(x, y).singular_values", "4x2 4x1", REAL, grad=False), Row("T.linalg.lstsq(x, y).rank", "4x2 4x1", REAL, grad=False),
    *[Row(f"T.cosine_similarity(x, y{a})", "2x3 2x3; 2x3 1x3; 4x3x2 4x3x2") for a in ("", ", 0", ", dim=-1", ", dim=1, eps=1e-3")], Row("T.cosine_similarity(x, y, dim=0)", "3 3; 2x3 3; 0 0"), Row("T.cosine_similarity(x * 0, y, dim=0)", "3 3"), Row("T.cosine_similarity(x, y)", "3 3"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "dtype"), rows(TABLE), ids=label)
def test_values_and_gradients(row: Row, dtype: str) -> None:
    check(row, dtype)
