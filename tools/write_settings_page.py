"""Write `docs/settings.md` from `chainrule.core.settings`: `python tools/write_settings_page.py`."""

from __future__ import annotations

from pathlib import Path

from chainrule.core.settings import describe

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"


def page() -> str:
    """The whole page as Markdown."""
    lines = [
        "# Settings",
        "",
        "These environment variables change how chainrule behaves. Each is read when it is first needed and",
        "then kept for the rest of the program; a value that is not among the choices is an error that lists",
        "them.",
        "",
        "| variable | choices | default | what it does |",
        "|---|---|---|---|",
    ]
    for setting in describe():
        choices = ", ".join(f"`{choice}`" for choice in setting.choices)
        if setting.several:
            choices += "; several, separated by commas"
        if setting.other:
            choices += f", or {setting.other}"
        lines.append(f"| `{setting.name}` | {choices} | `{setting.default}` | {setting.help} |")
    lines += ["", "<!-- Written by tools/write_settings_page.py from src/chainrule/core/settings.py. -->"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
