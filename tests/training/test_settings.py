"""The choices of a run: defaults, limits, and the full text of each refusal."""

from __future__ import annotations

from dataclasses import fields

import pytest

from chainrule.training import SettingError, Settings
from chainrule.training.settings import RULES, read_setting


def test_the_defaults_are_allowed_and_every_rule_is_for_a_setting() -> None:
    Settings()
    assert set(RULES) < {field.name for field in fields(Settings)}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("hidden", "64,32", (64, 32)),
        ("hidden", "8", (8,)),
        ("lr", "1e-3", 0.001),
        ("seed", "0", 0),
        ("model", "mlp", "mlp"),
        ("dropout", "0", 0.0),
        ("test_size", "0.25", 0.25),
    ],
)
def test_text_is_read(name: str, text: str, value: object) -> None:
    assert read_setting(name, text) == value
    Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("task", "guess", "must be one of auto, regression, classification, not 'guess'"),
        ("model", "svm", "must be one of auto, linear, softmax, mlp, not 'svm'"),
        ("hidden", "64,x", "must be whole numbers from 1, as in 64,64, not '64,x'"),
        ("hidden", "64,0", "must be whole numbers from 1, as in 64,64, not '64,0'"),
        ("hidden", "", "must be whole numbers from 1, as in 64,64, not ''"),
        ("dropout", "1", "must be a number from 0 to below 1, not '1'"),
        ("dropout", "-0.1", "must be a number from 0 to below 1, not '-0.1'"),
        ("optimizer", "lbfgs", "must be one of adamw, adam, sgd, rmsprop, not 'lbfgs'"),
        ("lr", "-1", "must be a number above 0, not '-1'"),
        ("lr", "0", "must be a number above 0, not '0'"),
        ("lr", "nan", "must be a number above 0, not 'nan'"),
        ("lr", "inf", "must be a number above 0, not 'inf'"),
        ("lr", "fast", "must be a number above 0, not 'fast'"),
        ("weight_decay", "-1", "must be a number from 0, not '-1'"),
        ("batch_size", "0", "must be a whole number from 1, not '0'"),
        ("batch_size", "1.5", "must be a whole number from 1, not '1.5'"),
        ("epochs", "0", "must be a whole number from 1, not '0'"),
        ("patience", "0", "must be a whole number from 1, not '0'"),
        ("seed", "-1", "must be a whole number from 0, not '-1'"),
        ("seed", str(2**63), f"must be a whole number from 0, not '{2**63}'"),
        ("test_size", "1", "must be a number from 0 to below 1, not '1'"),
        ("val_size", "20%", "must be a number from 0 to below 1, not '20%'"),
    ],
)
def test_text_that_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_setting(name, text)
    assert (caught.value.name, caught.value.problem) == (name, problem)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"lr": -1}, "lr must be a number above 0, not -1"),
        ({"lr": True}, "lr must be a number above 0, not True"),
        ({"epochs": 2.5}, "epochs must be a whole number from 1, not 2.5"),
        ({"hidden": [64, 0]}, "hidden must be whole numbers from 1, as in 64,64, not (64, 0)"),
        ({"hidden": "64"}, "hidden must be a list, not '64'"),
        ({"drop": "age"}, "drop must be a list, not 'age'"),
        ({"target": 3}, "target must be the name of a column, as text, not 3"),
        ({"model": None}, "model must be one of auto, linear, softmax, mlp, not None"),
        (
            {"test_size": 0.5, "val_size": 0.5},
            "test_size must leave rows to train on, but with the validation rows it takes 1 of all",
        ),
    ],
)
def test_values_that_are_refused(choice: dict[str, object], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings(**choice)  # type: ignore[arg-type]
    assert str(caught.value) == text
