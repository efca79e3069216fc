"""Reductions, running totals and norms against PyTorch: axes one, several, negative, none, kept or not."""

from __future__ import annotations

import pytest

from tests.torch.both import DTYPES, FLOATS, Row, check, label, rows

SHAPES = "2x3; (); 0; 0x3; 3x0; 1; 3x1x2; 3x2t; 3x2s; 2x3x4"
AXES = ["0", "1", "-1", "(0, 1)", "(-1, 0)", "[1]", "()", "0, True", "(0, 1), True", "-1, keepdim=True"]
ONE_AXIS = ["0", "1", "-1", "-2, True", "1, keepdim=True"]

TABLE = [
    # all elements
    *[
        Row(f"T.{name}(x)", SHAPES)
        for name in """sum nansum mean var std prod amax amin max min argmax argmin all any count_nonzero median
            var_mean std_mean aminmax""".split()
    ],
    # over axes
    *[
        Row(f"T.{name}(x, {axes})", "2x3; 3x2t; 2x3x4; 2x0; 0x2")
        for name in "sum mean amax amin all any nansum".split()
        for axes in AXES
    ],
    *[Row(f"T.{name}(x, {axes})", "2x3; 4x3; 2x3x4; 2x1") for name in ("var", "std") for axes in AXES],
    *[
        Row(f"T.{name}(x, {axes})", "2x3; 3x2t; 2x3x4; 2x0; 0x2")
        for name in "prod max min argmax argmin median".split()
        for axes in ONE_AXIS
    ],
    *[
        Row(f"T.{name}(x, {axes})", "(); 1; 0")
        for name in "sum mean prod var std amax max argmax all any median nansum cumsum cumprod".split()
        for axes in ["0", "-1", "1"]
    ],
    *[Row(f"T.{name}(x, {d})", SHAPES) for name in ("cumsum", "cumprod", "softmax", "log_softmax") for d in (0, 1, -1)],
    *[Row(f"T.logsumexp(x, {axes})", "2x3; 3x2t; 2x3x4; 2x0; 0x2") for axes in AXES],
    Row("T.count_nonzero(x, 0)"), Row("T.count_nonzero(x, (0, -1))"), Row("T.count_nonzero(x, dim=[1])"),
    Row("T.aminmax(x, dim=0)", "2x3; (); 1"), Row("T.aminmax(x, dim=-1, keepdim=True)", "2x3; 2x3x4"),
    # names and options
    Row("T.sum(x, dim=1)"), Row("T.sum(x, axis=1)"), Row("T.sum(x, axis=1, keepdims=True)"), Row("x.sum(axis=(0, 1))"),
    Row("T.sum(x, dtype=T.float64)"), Row("T.sum(x, 0, dtype=T.int32)"), Row("T.sum(x, dtype=T.int8)"),
    Row("T.mean(x, dtype=T.float64)"), Row("T.mean(x, 1, dtype=T.float32)"), Row("T.mean(x, axis=0)"),
    Row("T.mean(x, dtype=T.int64)"), Row("T.prod(x, dtype=T.float64)"), Row("T.prod(x, 1, dtype=T.float32)"),
    Row("T.prod(x, dim=0, keepdim=True)"), Row("T.sum(x, (0, 0))"), Row("T.sum(x, 2)"), Row("T.sum(x, -3)"),
    Row("T.nansum(x, dtype=T.float64)"), Row("T.sum(x, None)"), Row("T.mean(x, None)"), Row("T.mean(x, None, True)"),
    Row("T.sum(x, None, True)"), Row("T.var(x, None)"), Row("T.amax(x, None)"), Row("T.max(x, None)"),
    Row("T.var(x, unbiased=False)"), Row("T.var(x, False)"), Row("T.std(x, True)"), Row("T.std(x, 0, False)"),
    Row("T.var(x, 1, unbiased=False, keepdim=True)"), Row("T.var(x, correction=2)"), Row("T.var(x, 0, correction=0)"),
    Row("T.std(x, dim=1, correction=1)"), Row("T.std(x, dim=(0, 1), keepdim=True)"), Row("T.var(x, correction=0.5)"),
    Row("T.var(x, correction=100)"), Row("T.std(x, 1)", "2x1; 1x1"), Row("T.var(x, axis=1)"),
    Row("T.var_mean(x, 0)"), Row("T.var_mean(x, (0, 1), correction=0)"), Row("T.std_mean(x, 1, keepdim=True)"),
    Row("T.var_mean(x, 0, False)"), Row("T.std_mean(x, unbiased=False)"), Row("T.var_mean(x, False)"),
    Row("T.std_mean(x, dim=1, unbiased=True, keepdim=True)"),
    Row("T.max(x, dim=0)"), Row("T.max(x, axis=0)"), Row("T.max(x, 1)[0]"), Row("T.max(x, 1).values"), Row("T.min(x, 1).indices"),
    Row("T.max(x, y)", "2x3 2x3; 2x3 3; () 2"), Row("T.min(x, y)", "2x3 2x3; 2x3 3; () 2"), Row("T.max(x, other=y)", "2 2"),
    Row("T.argmax(x, keepdim=True)", "2x3; (); 1"), Row("T.argmin(x, dim=1, keepdim=True)"), Row("T.argmax(x, None)"),
    Row("T.argmax(x, axis=1)"), Row("T.argmax(x, dim=(0, 1))"), Row("T.prod(x, (0, 1))"), Row("T.max(x, (0, 1))"),
    Row("T.all(x, dim=1)"), Row("T.any(x, 0, keepdim=True)"), Row("T.all(x, axis=1)"), Row("T.all(x, None)"),
    Row("T.cumsum(x, dim=1)"), Row("T.cumsum(x, 0, dtype=T.float64)"), Row("T.cumprod(x, 1, dtype=T.float32)"),
    Row("T.cumsum(x, axis=1)"), Row("T.cumsum(x)"), Row("T.cumsum(x, None)"),
    Row("T.softmax(x, dim=1, dtype=T.float64)"), Row("T.log_softmax(x, -1, dtype=T.float32)"), Row("T.softmax(x, 2)"),
    Row("T.softmax(x * 500, 1)", dtypes=FLOATS), Row("T.log_softmax(x * 500, 1)", dtypes=FLOATS),
    Row("T.logsumexp(x * 500, 1)", dtypes=FLOATS), Row("T.logsumexp(x, dim=(0, 1), keepdim=True)"), Row("T.logsumexp(x)"),
    Row("T.softmax(x)"), Row("x.softmax(-1)"), Row("x.log_softmax(0)"),
    # norms
    *[Row(f"T.norm(x, {p})", "2x3; (); 1; 0; 3x2t") for p in ("'fro'", 2, 1, 0, "inf", "-inf", 3, 1.5, -1, "None", "2.0")],
    *[Row(f"T.norm(x, {p}, dim={d})", "2x3; 2x3x4") for p in ("'fro'", 2, 1, 0, "inf", "-inf", 3) for d in (0, "(0, 1)", -1)],
    Row("T.norm(x)", SHAPES), Row("T.norm(x, dim=1)"), Row("T.norm(x, 2, 1, True)"), Row("T.norm(x, p=1, dim=0, keepdim=True)"),
    Row("T.norm(x, 2, dtype=T.float64)"), Row("T.norm(x, 'nuc')", "2x3; 3x3; 3", ("float32", "float64"), grad=False),
    Row("T.norm(x, 'bad')"), Row("T.dist(x, y)", "2x3 2x3; 3 2x3; () 3"), Row("T.dist(x, y, 1)", "3 3"), Row("T.dist(x, y, 0)", "3 3"),
    Row("T.dist(x, y, inf)", "3 3"), Row("T.dist(x, y, p=3)", "3 3"), Row("T.dist(x, x)", "3"),
    *[Row(f"T.linalg.vector_norm(x, {p})", "2x3; (); 0; 3x2t") for p in (2, 1, 0, "inf", "-inf", 3, 1.5)],
    Row("T.linalg.vector_norm(x)"), Row("T.linalg.vector_norm(x, 2, (0, 1), True)"), Row("T.linalg.vector_norm(x, dim=0)"),
    Row("T.linalg.vector_norm(x, ord=1, dim=-1, keepdim=True, dtype=T.float64)"),
    *[Row(f"T.linalg.norm(x, {p})", "2x3; 4x4") for p in ("None", "'fro'", 1, -1, "inf", "-inf")],
    *[Row(f"T.linalg.norm(x, {p})", "3; 2x3x4; ()") for p in ("None", "'fro'", 1, 2, 0, "inf", 3)],
    *[Row(f"T.linalg.norm(x, {p}, dim={d})", "2x3; 2x3x4") for p in ("None", "'fro'", 1, "inf") for d in (0, "(0, 1)", "(-1, 0)", "[1]")],
    *[Row(f"T.linalg.matrix_norm(x, {p})", "2x3; 2x3x4; 3") for p in ("'fro'", 1, -1, "inf", "-inf", 3)],
    *[Row(f"T.linalg.{f}(x, {p})", "2x3; 4x4; 2x3x4", ("float32", "float64"), grad=False) for f in ("matrix_norm",) for p in (2, -2, "'nuc'")],
    Row("T.linalg.matrix_norm(x, 'fro', (0, 2), True)", "2x3x4"), Row("T.linalg.matrix_norm(x, 1, (-1, 0), keepdim=True)", "2x3x4"),
    Row("T.linalg.matrix_norm(x, inf, (0, 0))", "2x3x4"), Row("T.linalg.norm(x, keepdim=True)", "2x3; 2x3x4"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "dtype"), rows(TABLE), ids=label)
def test_values_and_gradients(row: Row, dtype: str) -> None:
    check(row, dtype)
