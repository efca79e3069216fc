"""Sorting, ranks and counting against PyTorch."""

from __future__ import annotations

import pytest

from tests.torch.both import DTYPES, FLOATS, Row, check, label, rows

TABLE = [
    *[Row(f"T.sort(x, {args})", "2x3; 3; 2x3x4; 3x2t; 0; 2x0; ()") for args in ("0, stable=True", "-1, stable=True", "dim=0, descending=True, stable=True", "stable=True")],
    *[Row(f"T.argsort(x, {args})", "2x3; 3; 2x3x4; 3x2t; 0; 2x0; ()") for args in ("0, stable=True", "-1, stable=True", "dim=0, descending=True, stable=True", "stable=True")],
    Row("T.sort(x)", "2x3; 5; ()", FLOATS), Row("T.argsort(x)", "2x3; 5", FLOATS), Row("x.sort(-1, True)", "5", FLOATS), Row("T.sort(x, descending=True).values", "2x3"), Row("T.sort(x, 5)"), Row("x.sort(descending=True)[0]", "7"),
    *[Row(f"T.topk(x, {args})", "2x3; 4x3; 2x3x4; 3x4t", FLOATS) for args in ("2", "1, 0", "k=2, dim=-1, largest=False", "2, 1, True, True", "0", "3")],
    Row("T.topk(x, 4)"), Row("T.topk(x, 1)", "(); 1"), Row("T.topk(x, 2)", "(); 1"), Row("T.topk(x, -1)", "3"), Row("T.topk(x, 2)[0]", "5"), Row("T.topk(x, 3, largest=False)[0]", "7"),
    *[Row(f"T.kthvalue(x, {args})", "2x3; 2x3x4", FLOATS) for args in ("1", "2, 0", "2, dim=-1, keepdim=True", "3, 1", "0", "9")], Row("T.kthvalue(x, 1)", "(); 1"), Row("T.kthvalue(x, 1)", "0"), Row("T.kthvalue(x, 2, 0)[0]", "5"),
    Row("T.median(x)", "2x3; 5; 4; (); 1"), Row("T.median(x, 1)", "2x3; 2x4; 2x3x4", FLOATS), Row("T.median(x, 0, True)", "2x3; ()", FLOATS), Row("T.median(x, dim=-1).values", "2x4"),
    *[Row(f"T.quantile(x, {q})", "2x3; 5; 1; 4x5") for q in ("0.5", "0.3, 0", "0.25, dim=1, keepdim=True", "0.0", "1.0", "0.7, -1", "1.5", "-0.1", "0.5, keepdim=True", "0.5, None, True")],
    *[Row(f"T.quantile(x, T.tensor([0.1, 0.5, 0.9], dtype=x.dtype){rest})", "2x3; 5; 4x5") for rest in ("", ", 0", ", dim=1, keepdim=True", ", keepdim=True")],
    Row("T.quantile(x, T.tensor(0.3, dtype=x.dtype), 0)", "2x3; 5"), Row("T.quantile(x, 0.5)", "0; ()"), Row("T.quantile(x, 0.4, interpolation='lower')", "2x3; 5"), Row("T.quantile(x, 0.4, 0, interpolation='nearest')", "2x3; 5"), Row("T.quantile(x, 0.4, interpolation='higher')", "5"), Row("T.quantile(x, 0.4, interpolation='midpoint')", "5"), Row("T.quantile(x, T.tensor([0.5], dtype=x.dtype))", "5"), Row("T.quantile(x, [0.5])", "5"), Row("T.quantile(x, T.tensor([0.5], dtype=T.float64))", "5", ("float32",)),
    *[Row(f"T.unique(x{args})", "2x3; 7; (); 0; 1", grad=False) for args in ("", ", return_inverse=True", ", return_counts=True", ", True, True, True", ", sorted=True")],
    *[Row(f"T.unique(x{args})", "2x3; 4x2; 3", ("int64", "bool", "float32"), grad=False) for args in (", dim=0", ", dim=1, return_counts=True", ", dim=-1, return_inverse=True")],
    Row("T.bincount(x)", "7; 0; 2x3", grad=False), Row("T.bincount(x)", "7; 1", values="positive", grad=False), Row("T.bincount(x, minlength=9)", "5; 0", values="positive", grad=False), Row("T.bincount(x, y)", "5 5; 5 4", values="positive", grad=False), Row("T.bincount(x, weights=y.float(), minlength=2)", "5 5", values="positive", grad=False), Row("T.bincount(x, minlength=-1)", "5", values="positive", grad=False), Row("x.bincount(y.double())", "5 5", values="positive", grad=False),
    *[Row(f"T.histc(x{args})", "2x3; 7; 0", grad=False) for args in ("", ", 4", ", bins=5, min=-1, max=1", ", 3, 0, 0", ", 4, 1, -1", ", 0", ", bins=3, min=1, max=1")], Row("T.histc(x * 0, 4)", "3", grad=False), Row("T.histc(x, 3)", "()", grad=False),
    *[Row(f"T.searchsorted(T.sort(x, stable=True)[0], y{args})", "5 4; 5 2x3; 5 (); 0 3; 5 0; 2x5 2x3; 2x5 3", DTYPES[:6], grad=False) for args in ("", ", right=True", ", side='right'", ", side='left'", ", out_int32=True", ", side='bad'", ", right=True, side='left'")],
    Row("T.searchsorted(T.sort(x, stable=True)[0], 0.5)", "5; 0; 2x3", DTYPES[:6], grad=False), Row("T.searchsorted(T.sort(x, stable=True)[0], 1, right=True)", "5", DTYPES[:6], grad=False), Row("T.searchsorted(T.tensor([1, 3]), x)", "3", ("int64", "float32"), grad=False), Row("x.bucketize(T.tensor([-1, 0, 2]))", "3", grad=False),
    *[Row(f"T.bucketize(x, T.sort(y, stable=True)[0]{args})", "4 5; 2x3 5; () 5; 3 0; 3 2x2", DTYPES[:6], grad=False) for args in ("", ", right=True", ", out_int32=True")], Row("T.bucketize(0.5, x)", "3", ("float32",), grad=False),
]  # fmt: skip


@pytest.mark.parametrize(("row", "dtype"), rows(TABLE), ids=label)
def test_values_and_gradients(row: Row, dtype: str) -> None:
    check(row, dtype)
