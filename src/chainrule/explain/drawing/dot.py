"""A scene as text for Graphviz: `dot -Tsvg graph.dot`. Nothing here needs the program."""

from __future__ import annotations

from .scene import Node, Scene
from .style import LIGHT
from .text import visible


def dot(s: Scene, *, backward: bool = True) -> str:
    """The forward graph and, in its own box with arrows upward, the backward graph."""
    lines = [
        f"digraph {_quoted(s.name or 'graph')} {{",
        '  node [shape=box style="rounded,filled" fontname="monospace" fontsize=11]',
        '  edge [color="#4a6287"]',
        "  compound=true",
    ]
    lines += _side(s, s.top, "  ", "f_")
    lines += [
        f"  f_{e.source} -> f_{e.target}{'' if e.gradient or not s.has_backward else ' [style=dashed]'}"
        for e in s.edges
    ]
    if backward and s.has_backward:
        lines.append("  subgraph cluster_backward {")
        lines.append('    label="backward"')
        lines += _side(s, s.top, "    ", "b_")
        lines += [
            f'    b_{e.source} -> b_{e.target} [dir=back color="#b4415c"]'
            for e in s.edges
            if e.gradient and s.nodes[e.source].rules and s.nodes[e.target].rules
        ]
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _side(s: Scene, keys: list[str], indent: str, prefix: str) -> list[str]:
    lines = []
    for key in keys:
        if key in s.groups:
            inside = _side(s, s.groups[key].children, indent + "  ", prefix)
            if inside:
                lines += [
                    f"{indent}subgraph cluster_{prefix}{key} {{",
                    f"{indent}  label={_quoted(s.groups[key].title)}",
                    *inside,
                    f"{indent}}}",
                ]
        elif prefix == "f_" or s.nodes[key].rules:
            node = s.nodes[key]
            texts = _forward(node) if prefix == "f_" else [node.back, *node.rules]
            look = LIGHT["backward" if prefix == "b_" else node.role]
            label = _quoted("\n".join(map(visible, texts)))
            lines.append(
                f'{indent}{prefix}{key} [label={label} fillcolor="{look.fill}" color="{look.stroke}"]'
            )
    return lines


def _forward(node: Node) -> list[str]:
    return [node.title, *node.details, *([f"● {node.keeps}"] if node.keeps else [])]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
