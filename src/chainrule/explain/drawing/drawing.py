"""Drawing: what `draw` returns; a picture in several forms. The function itself is in `draw.py`."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from ...core.errors import ArgumentError
from . import raster
from .dot import dot
from .mermaid import mermaid
from .page import page
from .phrases import bytes_text, counted
from .picture import picture
from .scene import Scene
from .svg import svg

_SHOWN = 30  # lines of `print(drawing)`
_KINDS = (".svg", ".html", ".png", ".pdf", ".dot", ".mmd")


class Drawing:
    """A computation graph, drawn. Notebooks show it; `save` writes it to a file.

    svg, dot, mermaid, html:  it as text in these forms.
    groups:                   paths of all groups, as `fold=` takes them; a trailing `#2` is a second part.
    """

    def __init__(self, whole: Scene, shown: Scene, *, backward: bool) -> None:
        self._whole = whole
        self._shown = shown
        self._backward = backward

    @property
    def groups(self) -> list[str]:
        return [group.path for group in self._whole.groups.values()]

    @cached_property
    def svg(self) -> str:
        return svg(picture(self._shown, backward=self._backward))

    @cached_property
    def html(self) -> str:
        return page(self._whole, self._shown, backward=self._backward, summary=self._summary())

    @property
    def dot(self) -> str:
        return dot(self._shown, backward=self._backward)

    @property
    def mermaid(self) -> str:
        return mermaid(self._shown, backward=self._backward)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file; its ending says in which form. Returns the path.

        .svg, .html (folded groups can be opened), .png and .pdf (drawn with matplotlib), .dot (Graphviz),
        .mmd (Mermaid).
        Raises:  ArgumentError for another ending; OSError if the file cannot be written.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind not in _KINDS:
            raise ArgumentError.of(
                "save",
                given=repr(str(path)),
                must=f"the ending says which form is written: {', '.join(_KINDS)}",
                hint=f"save({target.stem + '.svg'!r})",
            )
        if kind in (".png", ".pdf"):
            raster.write(picture(self._shown, backward=self._backward), target, kind[1:])
            return target
        texts = {".svg": "svg", ".html": "html", ".dot": "dot", ".mmd": "mermaid"}
        target.write_text(getattr(self, texts[kind]), encoding="utf-8")
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _summary(self) -> str:
        s = self._whole
        leaves = sum(1 for node in s.nodes.values() if not node.count)
        parts = [counted(s.operations, "operation"), counted(leaves, "leaf", "leaves")]
        if s.groups:
            parts.append(counted(len(s.groups), "group"))
        hidden = len(s.nodes) - len(self._shown.nodes)
        text = f"{s.name or 'graph'}: {', '.join(parts)}"
        if s.kept_bytes:
            text += f"; {bytes_text(s.kept_bytes)} kept for backward beside the leaves"
        if hidden > 0:
            text += f"; drawn as {counted(len(self._shown.nodes), 'node')}, the rest is folded"
        return text

    def __str__(self) -> str:
        nodes = list(self._shown.nodes.values())
        lines = [f"  {node.title}: {node.details[0]}" for node in nodes]
        if len(lines) > _SHOWN:
            left = len(lines) - _SHOWN
            lines[_SHOWN // 2 : len(lines) - _SHOWN // 2] = [f"  ... {counted(left, 'more node')}"]
        return "\n".join([self._summary(), *lines])

    def __repr__(self) -> str:
        return f"<drawing {self._summary()}>"
