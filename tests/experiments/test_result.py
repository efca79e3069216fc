"""Results: their table as text and as HTML, their numbers, their refusals."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule import experiments
from chainrule.experiments.result import Result


def result() -> Result:
    return Result(
        "A title <b>",
        ("method", "error", "good"),
        (("a", 0.123456, True), ("longer", 1e9, False), ("c", None, True)),
        ("One sentence.",),
        {"error": [0.123456, 1e9], "norm": 3},
        lambda ax: ax,
    )


def test_the_table() -> None:
    assert str(result()) == (
        "A title <b>\n"
        "\n"
        "method   error  good\n"
        "------  ------  ----\n"
        "a       0.1235   yes\n"
        "longer   1e+09    no\n"
        "c            –   yes\n"
        "\n"
        "One sentence."
    )
    assert repr(result()) == str(result())


def test_html() -> None:
    page = result()._repr_html_()
    assert page.startswith("<h4>A title &lt;b&gt;</h4><table><thead><tr><th>method</th>")
    assert "<td>0.1235</td><td>yes</td></tr>" in page
    assert page.endswith("</table><p>One sentence.</p>")


def test_numbers_and_columns() -> None:
    assert result()["norm"] == 3
    assert result().column("error") == [0.123456, 1e9, None]


def test_unknown_names() -> None:
    with pytest.raises(torch.ArgumentError) as caught:
        result()["eror"]
    assert caught.value.summary.startswith("the result of 'A title <b>' got ['eror']\n  it has error, norm")
    assert "'error'" in caught.value.summary
    with pytest.raises(torch.ArgumentError) as caught:
        result().column("x")
    assert caught.value.summary == (
        "the table of 'A title <b>' got the column 'x'\n  it has 'method', 'error', 'good'"
    )


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: experiments.polynomial([]),
            "experiments.polynomial got degrees = []\n  there must be at least one value to try",
        ),
        (
            lambda: experiments.polynomial(method="lbfgs"),
            "experiments.polynomial got method = 'lbfgs'\n  method must be 'sgd' or 'exact'",
        ),
        (
            lambda: experiments.polynomial([-1]),
            "experiments.polynomial got degrees = [-1]\n  a degree is a whole number from 0",
        ),
        (
            lambda: experiments.clipping(lr=0),
            "experiments.clipping got lr = 0\n  lr must be above 0",
        ),
        (
            lambda: experiments.batch_size([2000]),
            "experiments.batch_size got a batch of 2000 and 1000 rows\n"
            "  a batch cannot have more rows than there are",
        ),
        (
            lambda: experiments.k_fold(data=(torch.ones(5, 2), torch.ones(5, 1))),
            "experiments.k_fold got x (5, 2) and y (5, 1)\n  x must be (rows, inputs) and y (rows,)",
        ),
        (
            lambda: experiments.initialisation(starts=["xavie"]),
            "experiments.initialisation got 'xavie' in starts\n"
            "  starts are 'normal 0.01', 'normal 1', 'xavier', 'kaiming' (did you mean 'xavier'?)",
        ),
    ],
)
def test_refusals(call, text: str) -> None:
    with pytest.raises(torch.ArgumentError) as caught:
        call()
    assert caught.value.summary == text


SMALL = {
    "accumulation": {},
    "batch_size": {"sizes": [10], "epochs": 2},
    "clipping": {"steps": 5},
    "covariate_shift": {"rows": 50},
    "decoupled_decay": {"steps": 3},
    "dropout": {"draws": 50},
    "early_stopping": {"epochs": 3},
    "exploding_products": {},
    "initialisation": {"depth": 3, "width": 8, "starts": ["xavier"]},
    "k_fold": {},
    "leakage": {"seeds": 2, "inputs": 100},
    "learning_rate": {},
    "norm_constraint": {"steps": 20, "shares": [0.5]},
    "normalisation": {"depth": 2, "epochs": 2, "gains": [1.0]},
    "polynomial": {"epochs": 3},
    "sparsity": {"steps": 3},
    "weight_decay": {"epochs": 3},
    "xor": {"epochs": 3},
}


@pytest.mark.parametrize("name", [name for name in experiments.__all__ if name != "Result"])
def test_each_experiment(name: str) -> None:
    """It repeats itself, leaves the user's random stream alone, prints, and draws into a given Axes."""
    from matplotlib.figure import Figure

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    run = getattr(experiments, name)
    found = run(**SMALL[name])
    assert torch.equal(torch.rand(3), expected)
    assert run(**SMALL[name]).rows == found.rows
    if name not in ("clipping", "leakage"):  # the one has no chance in it, the other many seeds
        assert run(**SMALL[name], seed=1).rows != found.rows
    text = str(found)
    assert text.startswith(found.title)
    assert all(name in text for name in found.columns)
    assert all(len(row) == len(found.columns) for row in found.rows)
    ax = Figure().add_subplot()
    assert found.plot(ax) is ax
    assert ax.lines or ax.collections
    assert found.plot() is not ax
