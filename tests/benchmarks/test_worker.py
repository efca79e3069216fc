"""A side's process: it answers, says what went wrong, and its end is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.benchmarks.worker import SideError, Workers


def test_a_side_answers_and_says_what_went_wrong(tmp_path: Path) -> None:
    with Workers() as workers:
        side = workers.of("chainrule eager", 1)
        assert workers.of("chainrule eager", 1) is side
        assert side.ask("open", work="mlp-full-batch", quick=True) == {"forms": ["eager"]}
        assert side.ask("build", form="eager") == {"steps": 10}
        file = tmp_path / "results.npz"
        assert side.ask("train", form="eager", runs=2, file=str(file))["first"] > 0
        with np.load(file) as saved:
            assert [saved[name].shape for name in saved.files][:2] == [(32, 4), (32,)]
        assert side.ask("warm", form="eager")["calls"] >= 1
        assert side.ask("time", form="eager", calls=2)["seconds"] > 0
        with pytest.raises(SideError) as info:
            side.ask("build", form="compiled")
        assert str(info.value) == "KeyError: 'compiled'"
        assert side.ask("open", work="call", quick=True) == {"forms": ["as written"]}  # it goes on


def test_the_end_of_a_process_is_an_error_and_a_new_one_can_be_had() -> None:
    with Workers() as workers:
        side = workers.of("chainrule eager", 1)
        side.ask("open", work="call", quick=True)
        side.close()
        assert side.ended
        again = workers.of("chainrule eager", 1)
        assert again is not side
        assert again.ask("open", work="call", quick=True) == {"forms": ["as written"]}


def test_the_last_words_of_a_process_are_passed_on() -> None:
    with Workers() as workers:
        side = workers.of("chainrule eager", 1)
        side._process.stdin.write("not JSON\n")  # type: ignore[union-attr]
        with pytest.raises(SideError) as info:
            side.ask("open", work="call", quick=True)
        assert str(info.value).startswith(
            "the process of chainrule eager ended: json.decoder.JSONDecodeError: "
        )


def test_the_machine_is_measured_without_a_side() -> None:
    with Workers() as workers:
        answer = workers.of("NumPy", 2).ask("machine")
    assert sorted(answer) == ["control", "copy", "products"]
    assert answer["products"] > 1e8
    assert answer["copy"] > 1e7
    assert 0 < answer["control"] < 10
