"""`chainrule bench` from one end to the other, on tiny sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule.benchmarks.measure import show
from chainrule.cli import main


def test_a_run_prints_and_writes_what_it_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench"
    arguments = ["--quick", "--only", "linear,width-45,softmax-into,add", "--sides", "chainrule eager"]
    assert main(["bench", "compiled", "eager", *arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    facts = json.loads((out / "benchmarks.json").read_text(encoding="utf-8"))
    assert [work["name"] for work in facts["workloads"]] == ["linear", "width-45", "softmax-into", "add"]
    for work in facts["workloads"]:
        assert work["problems"] == []
        for entry in work["entries"]:
            assert len(entry["seconds"]) == 2
            assert show(entry["median"]) in printed
            assert entry["median"] >= entry["best"] > 0
    assert [entry["threads"] for entry in facts["workloads"][1]["entries"]] == [1, 2]
    assert facts["workloads"][0]["entries"][0]["found"] > 0
    assert list(facts["sides"]) == ["chainrule eager"]
    assert len(facts["moments"]) == 5
    assert facts["machine"]["text"] in printed
    assert "PROBLEM" not in printed
    assert "MISSED" not in printed  # tiny sizes promise nothing
    markdown = (out / "benchmarks.md").read_text(encoding="utf-8")
    assert markdown.startswith("| time of a step | chainrule eager |")
    assert "| MLP of width 45, 2 threads |" in markdown
    assert (out / "benchmarks.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "there is no kind 'speed'; there are: compiled, eager, start"),
        (["eagre"], "there is no kind 'eagre'; did you mean eager?"),
        (["--only", "mlp,lineer"], "there is no workload 'lineer'; did you mean linear?"),
        (["--sides", "Jax"], "there is no side 'Jax'; did you mean JAX?"),
        (["--rounds", "0"], "--rounds must be at least 1, not 0"),
    ],
)
def test_what_is_not_there_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr().err == f"chainrule: error: {message}\n"
