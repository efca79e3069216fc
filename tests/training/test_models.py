"""The models of the command line: which is chosen, what it is made of, what is refused."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule import optim
from chainrule.data import DataError
from chainrule.data.checked import Fields
from chainrule.training import Settings
from chainrule.training.models import ModelSpec, decide, make_loss, make_optimizer


@pytest.mark.parametrize(
    ("task", "rows", "model", "why"),
    [
        ("classification", 999, "softmax", "fewer than 1,000 rows"),
        ("classification", 1000, "mlp", "at least 1,000 rows"),
        ("regression", 999, "linear", "fewer than 1,000 rows"),
        ("regression", 1000, "mlp", "at least 1,000 rows"),
    ],
)
def test_the_model_is_chosen_by_task_and_rows(task: str, rows: int, model: str, why: str) -> None:
    decided, reason = decide(Settings(), task, rows, rows)  # type: ignore[arg-type]
    assert (decided.model, reason) == (model, why)


def test_what_is_left_open_is_decided_and_what_is_asked_for_is_kept() -> None:
    decided, why = decide(Settings(model="mlp", lr=0.5, hidden=(3,)), "regression", 50, 30)
    assert why == "as asked"
    assert (decided.lr, decided.hidden, decided.dropout, decided.weight_decay) == (0.5, (3,), 0.0, 0.1)
    labels, _ = decide(Settings(model="mlp"), "classification", 50, 30)
    assert (labels.lr, labels.hidden, labels.dropout, labels.weight_decay) == (0.002, (256,), 0.3, 0.5)
    linear, _ = decide(Settings(), "regression", 50, 30)
    assert (linear.lr, linear.weight_decay, linear.hidden) == (0.005, 0.01, None)
    sgd, _ = decide(Settings(optimizer="sgd"), "regression", 50, 30)
    assert (sgd.lr, sgd.weight_decay) == (0.01, 0.0001)


@pytest.mark.parametrize(
    ("rows", "size"),
    [(30, 4), (80, 8), (319, 16), (320, 32), (6400, 32), (6401, 64), (50_000, 256), (10**7, 1024)],
)
def test_batches_grow_with_the_table(rows: int, size: int) -> None:
    assert decide(Settings(), "regression", rows, rows)[0].batch_size == size


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (
            {"hidden": (64,)},
            "--hidden is for --model mlp; this is softmax regression (fewer than 1,000 rows)",
        ),
        (
            {"dropout": 0.5},
            "--dropout is for --model mlp; this is softmax regression (fewer than 1,000 rows)",
        ),
        (
            {"dropout": 0.5, "model": "softmax"},
            "--dropout is for --model mlp; this is softmax regression (as asked)",
        ),
    ],
)
def test_choices_that_would_do_nothing_are_refused(choice: dict[str, object], text: str) -> None:
    with pytest.raises(DataError) as caught:
        decide(Settings(**choice), "classification", 50, 30)  # type: ignore[arg-type]
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("spec", "words", "weights"),
    [
        (ModelSpec("linear", 5, 1), "linear regression", 6),
        (ModelSpec("softmax", 5, 3), "softmax regression", 18),
        (
            ModelSpec("mlp", 5, 3, hidden=(8, 4), dropout=0.5),
            "mlp 5-8-4-3",
            5 * 8 + 8 + 8 * 4 + 4 + 4 * 3 + 3,
        ),
        (ModelSpec("mlp", 5, 3), "mlp 5-3", 18),
    ],
)
def test_what_a_model_is_made_of(spec: ModelSpec, words: str, weights: int) -> None:
    model = spec.build()
    assert spec.describe() == words
    assert sum(weight.numel() for weight in model.parameters()) == weights
    assert model(cr.zeros(7, 5)).shape == (7, spec.outputs)
    assert sum(isinstance(layer, cr.nn.Dropout) for layer in model.modules()) == 2 * (spec.dropout > 0)
    assert ModelSpec.from_json(Fields(spec.to_json())) == spec


def test_linear_models_start_next_to_zero() -> None:
    cr.manual_seed(0)
    model = ModelSpec("linear", 10_000, 1).build()
    assert model.bias.tolist() == [0.0]
    assert model.weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adamw", optim.AdamW), ("adam", optim.Adam), ("sgd", optim.SGD), ("rmsprop", optim.RMSprop)],
)
def test_optimizers(name: str, kind: type) -> None:
    settings, _ = decide(Settings(optimizer=name, lr=0.25, weight_decay=0.125), "regression", 50, 30)
    optimizer = make_optimizer(settings, ModelSpec("linear", 2, 1).build())
    assert type(optimizer) is kind
    assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["weight_decay"]) == (0.25, 0.125)


def test_losses() -> None:
    assert isinstance(make_loss("regression"), cr.nn.MSELoss)
    assert isinstance(make_loss("classification"), cr.nn.CrossEntropyLoss)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "svm"}, "model.kind must be one of linear, softmax, mlp, not 'svm'"),
        ({"inputs": 0}, "model.inputs must be at least 1, not 0"),
        ({"inputs": 2.5}, "model.inputs must be a whole number, not 2.5"),
        ({"hidden": [3, 0]}, "model.hidden[1] must be a whole number from 1, not 0"),
        ({"dropout": 1}, "model.dropout must be below 1, not 1"),
    ],
)
def test_damaged_json(change: dict[str, object], text: str) -> None:
    with pytest.raises(DataError) as caught:
        ModelSpec.from_json(Fields({**ModelSpec("mlp", 2, 2).to_json(), **change}, "model"))
    assert str(caught.value) == text
