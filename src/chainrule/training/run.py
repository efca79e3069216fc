"""A trained model that knows its table: predictions for new rows, and the folder it is kept in.

    model.safetensors   the weights
    run.json            settings, model, preparation, target, metrics, verdict, versions
    metrics.jsonl       one line for each epoch
    curve.png           the learning curve

Loading reads numbers and text, checks each, and runs nothing. How a run is made: `job.py`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from .. import __version__, from_numpy, get_rng_state, load, no_grad, save, set_rng_state
from ..data import DataError, Preparation, Target
from ..data.checked import Fields
from ..data.problems import shown
from ..data.values import named
from ..nn import Module
from .curve import draw_curve
from .directory import new_directory
from .loop import Epoch, History
from .metrics import Scores, classification_scores, regression_scores
from .models import ModelSpec
from .settings import Settings
from .verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
ROWS_AT_ONCE = 4096  # a bounded amount of memory, whatever the size of the table

Unseen = Literal["refuse", "missing"]


@dataclass(frozen=True)
class Predictions:
    """A label or number for each row; for labels also the probability of each: (rows, labels)."""

    values: npt.NDArray[Any]
    labels: tuple[Any, ...] = ()
    probabilities: npt.NDArray[np.float64] | None = None

    def to_frame(self) -> pd.DataFrame:
        """A column `prediction`, and `probability_LABEL` for each label."""
        import pandas as pd

        columns: dict[str, Any] = {"prediction": self.values}
        if self.probabilities is not None:
            for index, label in enumerate(self.labels):
                columns[f"probability_{label}"] = self.probabilities[:, index]
        return pd.DataFrame(columns)


@dataclass
class Run:
    """What training on a table gives. `metrics`: train, validation, test and their baselines (None: no rows).

    `missing` are the words that meant "no value" in the table's file; `facts` is what is stored about the
    data.
    """

    settings: Settings
    spec: ModelSpec
    model: Module
    preparation: Preparation
    target: Target
    history: History
    metrics: dict[str, Scores | None]
    verdict: Verdict
    missing: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def outputs(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What the model gives for prepared rows: (rows, inputs) -> (rows, outputs)."""
        self.model.eval()
        parts = [np.zeros((0, self.spec.outputs), dtype=np.float32)]
        with no_grad():
            parts += [
                self.model(from_numpy(inputs[start : start + ROWS_AT_ONCE])).numpy()
                for start in range(0, len(inputs), ROWS_AT_ONCE)
            ]
        return np.concatenate(parts)

    def predict(self, frame: pd.DataFrame, *, unseen: Unseen = "refuse") -> Predictions:
        """Predict each row of a frame; its columns are found by name.

        Raises:  DataError: for what `Preparation.transform` refuses, with column, row and value.
        """
        outputs = self.outputs(self.preparation.transform(frame, unseen=unseen))
        wrong = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
        if len(wrong):
            raise DataError(f"the model gives no finite number for row {wrong[0] + 1}")
        if self.target.task == "regression":
            return Predictions(self.target.decode(outputs))
        return Predictions(self.target.decode(outputs), self.target.labels, softmax(outputs))

    def score(self, frame: pd.DataFrame, predictions: Predictions) -> tuple[Scores, int]:
        """The measures of predictions for a frame with the target, and on how many rows (those with a value).

        Raises:  DataError: a target that is not a number, or not one of the labels; the row is named.
        """
        target = named(frame)[self.target.name]
        known = target.notna().to_numpy()
        truth = target[known]
        if predictions.probabilities is not None:
            indices = self.target.encode(truth)
            return classification_scores(predictions.probabilities[known], indices), len(truth)
        return regression_scores(predictions.values[known], self.target.numbers(truth)), len(truth)

    def text_columns(self) -> list[str]:
        """The columns of a file to read as they are written (see `read_table`)."""
        has_text = self.target.task == "classification" and isinstance(self.target.labels[0], str)
        return [*self.preparation.text_columns(), *([self.target.name] if has_text else [])]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the run into a new folder, which appears whole or not at all (then a DataError says why)."""
        target = Path(path)
        with new_directory(target) as folder:
            (folder / "curve.png").write_bytes(draw_curve(self.history, self.target.task))
            lines = [json.dumps(dataclasses.asdict(epoch), allow_nan=False) for epoch in self.history.epochs]
            (folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            save(dict(self.model.state_dict()), folder / "model.safetensors")
            text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
            (folder / "run.json").write_text(text + "\n", encoding="utf-8")
        return target

    def to_json(self) -> dict[str, Any]:
        """Everything but weights and epochs, as plain data."""
        return {
            "schema": SCHEMA,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {
                "chainrule": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "data": {**self.facts, "missing": list(self.missing)},
            "settings": dataclasses.asdict(self.settings),
            "target": self.target.to_json(),
            "preparation": self.preparation.to_json(),
            "model": self.spec.to_json(),
            "training": {
                "epochs": len(self.history.epochs),
                "best_epoch": self.history.best,
                "stopped": self.history.stopped,
                "interrupted": self.history.interrupted,
            },
            "metrics": self.metrics,
            "verdict": {"kind": self.verdict.kind, "text": self.verdict.text},
        }


def softmax(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities from scores (rows, classes), each row adding up to 1."""
    exact = scores.astype(np.float64)
    powers = np.exp(exact - exact.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run back from its folder.

    Raises:  DataError: it is no run, was made by a later version, or its files are damaged; what is wrong is
             named.
    """
    folder = Path(path)
    file = folder / "run.json"
    if not folder.is_dir():
        what = "is a file, not the folder of a run" if folder.exists() else "is not there"
        raise DataError(f"the run '{folder}' {what}; `chainrule train` makes one")
    if not file.is_file():
        raise DataError(f"'{folder}' is not a run: it has no run.json; `chainrule train` makes one")
    try:
        data = Fields(json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse_constant))
        run = _from_json(data)
    except (DataError, ValueError) as problem:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise DataError(f"'{file}' is damaged: {problem}") from problem
    except (OSError, RecursionError) as problem:
        raise DataError(f"cannot read '{file}': {getattr(problem, 'strerror', None) or problem}") from problem
    _load_weights(run.model, folder / "model.safetensors")
    run.history.epochs = _load_epochs(folder / "metrics.jsonl")
    return run


def _from_json(data: Fields) -> Run:
    schema = data.whole("schema", least=1)
    if schema > SCHEMA:
        raise DataError(f"schema {schema} is newer than this chainrule ({__version__}), which knows {SCHEMA}")
    preparation, target = (
        Preparation.from_json(data.object("preparation")),
        Target.from_json(data.object("target")),
    )
    spec = ModelSpec.from_json(data.object("model"))
    if spec.inputs != len(preparation.names):
        raise DataError(
            f"model.inputs is {spec.inputs}, but preparation.columns makes {len(preparation.names)}"
        )
    if spec.outputs != target.outputs:
        raise DataError(f"model.outputs is {spec.outputs}, but the target needs {target.outputs}")
    training, verdict = data.object("training"), data.object("verdict")
    stopped = training.choice("stopped", ("epochs", "patience", "interrupt"))
    kind = verdict.choice("kind", ("good", "agrees", "overfits", "underfits", "unknown"))
    table = data.object("data")
    return Run(
        settings=_settings_from(data.object("settings")),
        spec=spec,
        model=_build_undisturbed(spec),
        preparation=preparation,
        target=target,
        history=History(best=training.whole("best_epoch"), stopped=cast(Any, stopped)),
        metrics=_metrics_from(data.object("metrics")),
        verdict=Verdict(cast(Any, kind), verdict.text("text")),
        missing=tuple(table.texts("missing")),
        facts={key: value for key, value in table.data.items() if key != "missing"},
    )


def _build_undisturbed(spec: ModelSpec) -> Module:
    """A model whose first weights, soon replaced, take no numbers from the user's random stream."""
    before = get_rng_state()
    try:
        return spec.build()
    finally:
        set_rng_state(before)


def _settings_from(data: Fields) -> Settings:
    known = {item.name for item in dataclasses.fields(Settings)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.data.items()
    }
    strange = sorted(set(values) - known)
    if strange:
        raise DataError(f"{data.where(strange[0])} is not a setting")
    return Settings(**values)


def _metrics_from(data: Fields) -> dict[str, Scores | None]:
    result: dict[str, Scores | None] = {}
    for part, scores in data.data.items():
        for name, value in Fields(scores, data.where(part)).data.items() if scores is not None else ():
            if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
                raise DataError(f"{data.where(part)}.{name} must be a number, not {shown(value)}")
        result[part] = scores
    return result


def _load_weights(model: Module, file: Path) -> None:
    try:
        weights = load(file)
        model.load_state_dict(weights)
    except OSError as problem:
        raise DataError(f"cannot read '{file}': {problem.strerror or problem}") from problem
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError) as problem:
        reason = " ".join(str(problem).split())
        raise DataError(
            f"'{file}' is damaged, or does not belong to the run.json beside it: {reason}"
        ) from problem


def _load_epochs(file: Path) -> list[Epoch]:
    try:
        lines = [Fields(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
        return [
            Epoch(
                line.whole("number", least=1),
                line.number("train_loss"),
                None if line.data.get("val_loss") is None else line.number("val_loss"),
                {name: line.object("metrics").number(name) for name in line.object("metrics").data},
            )
            for line in lines
        ]
    except OSError as problem:
        raise DataError(f"cannot read '{file}': {problem.strerror or problem}") from problem
    except (DataError, ValueError) as problem:
        raise DataError(f"'{file}' is damaged: {problem}") from problem


def _refuse_constant(word: str) -> float:
    raise DataError(f"{word} is not a number that JSON knows")
