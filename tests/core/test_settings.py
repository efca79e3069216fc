"""Environment variables: defaults, wrong values, reading once, and the page made from the declarations."""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainrule.core import settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    readers = (
        settings.cache_folder,
        settings.check,
        settings.show,
        settings.threads,
        settings.traceback,
    )
    for reader in readers:
        reader.cache_clear()
    yield
    for reader in readers:
        reader.cache_clear()


@pytest.mark.parametrize(("value", "expected"), [(None, "short"), ("", "short"), ("full", "full")])
def test_traceback(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str) -> None:
    if value is None:
        monkeypatch.delenv("CHAINRULE_TRACEBACK", raising=False)
    else:
        monkeypatch.setenv("CHAINRULE_TRACEBACK", value)
    assert settings.traceback() == expected


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_check(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool) -> None:
    if value is None:
        monkeypatch.delenv("CHAINRULE_CHECK", raising=False)
    else:
        monkeypatch.setenv("CHAINRULE_CHECK", value)
    assert settings.check() is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), ("1", ""), ("0", None), ("", None), ("/a/b", "/a/b")]
)
def test_cache_folder(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str | None) -> None:
    if value is None:
        monkeypatch.delenv("CHAINRULE_CACHE", raising=False)
    else:
        monkeypatch.setenv("CHAINRULE_CACHE", value)
    assert settings.cache_folder() == expected


def test_cache_folder_below_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_CACHE", "~/objects")
    assert settings.cache_folder() == os.path.join(str(tmp_path), "objects")


def test_a_cache_folder_that_is_not_a_full_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", "objects")
    with pytest.raises(ValueError) as caught:
        settings.cache_folder()
    assert str(caught.value) == (
        "environment variable CHAINRULE_CACHE got 'objects'\n"
        "  it must be one of '0', '1' or the full path of a folder\n"
        "  try: CHAINRULE_CACHE=1, which is the default"
    )


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("", None), ("all", None), ("1", 1), (" 12 ", 12)]
)
def test_threads(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: int | None) -> None:
    if value is None:
        monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    else:
        monkeypatch.setenv("CHAINRULE_THREADS", value)
    assert settings.threads() == expected


@pytest.mark.parametrize("value", ["0", "-1", "1025", "2.5", "two"])
def test_a_number_of_threads_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", value)
    with pytest.raises(ValueError) as caught:
        settings.threads()
    assert str(caught.value) == (
        f"environment variable CHAINRULE_THREADS got {value!r}\n"
        "  it must be 'all' or a whole number from 1 to 1024\n"
        "  try: CHAINRULE_THREADS=all, which is the default"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", set()), ("none", set()), ("graph", {"graph"}), ("graph, simplified", {"graph", "simplified"})],
)
def test_show(monkeypatch: pytest.MonkeyPatch, value: str, expected: set[str]) -> None:
    monkeypatch.setenv("CHAINRULE_SHOW", value)
    assert settings.show() == expected


def test_a_wrong_part_of_a_list_lists_the_right_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_SHOW", "graph,simplify")
    with pytest.raises(ValueError) as caught:
        settings.show()
    assert str(caught.value) == (
        "environment variable CHAINRULE_SHOW got 'simplify' (did you mean 'simplified'?)\n"
        "  each part must be one of 'none', 'graph', 'simplified'\n"
        "  try: CHAINRULE_SHOW=none, which is the default"
    )


def test_a_setting_is_read_at_first_use_and_then_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "full")
    assert settings.traceback() == "full"
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "short")
    assert settings.traceback() == "full"


def test_a_wrong_value_lists_the_right_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "ful")
    with pytest.raises(ValueError) as caught:
        settings.traceback()
    assert str(caught.value) == (
        "environment variable CHAINRULE_TRACEBACK got 'ful' (did you mean 'full'?)\n"
        "  it must be one of 'short', 'full'\n"
        "  try: CHAINRULE_TRACEBACK=short, which is the default"
    )


def test_a_wrong_value_is_reported_again_until_it_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "1")
    for _ in range(2):
        with pytest.raises(ValueError):
            settings.traceback()
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "full")
    assert settings.traceback() == "full"


def test_every_setting_has_a_sound_declaration() -> None:
    declared = settings.describe()
    assert [s.name for s in declared] == sorted({s.name for s in declared})
    for setting in declared:
        assert setting.name.startswith("CHAINRULE_")
        assert setting.default in setting.choices
        assert setting.help.endswith(".")
        assert "\n" not in setting.help


def test_the_docs_page_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "tools" / "write_settings_page.py"))["page"]
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page()
