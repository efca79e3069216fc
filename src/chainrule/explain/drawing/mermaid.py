"""A scene as Mermaid text, which GitHub, GitLab and many editors draw in Markdown."""

from __future__ import annotations

from .scene import Node, Scene
from .style import LIGHT
from .text import visible

_SIGNS = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;", "\\": "#92;"}


def mermaid(s: Scene, *, backward: bool = True) -> str:
    """A flowchart: the forward graph and, in a subgraph with dashed arrows upward, the backward graph."""
    lines = ["flowchart TB"]
    lines += _side(s, s.top, "  ", "f_")
    lines += [
        f"  f_{e.source} {'-->' if e.gradient or not s.has_backward else '-.->'} f_{e.target}"
        for e in s.edges
    ]
    roles = {node.role for node in s.nodes.values()}
    if backward and s.has_backward:
        lines.append('  subgraph backward["backward"]')
        lines.append("    direction BT")
        lines += _side(s, s.top, "    ", "b_")
        lines.append("  end")
        lines += [
            f"  b_{e.target} --> b_{e.source}"
            for e in s.edges
            if e.gradient and s.nodes[e.source].rules and s.nodes[e.target].rules
        ]
        roles.add("backward")
    lines += [
        f"  classDef {role} fill:{look.fill},stroke:{look.stroke},color:#16202c"
        for role, look in LIGHT.items()
        if role in roles
    ]
    return "\n".join(lines) + "\n"


def _side(s: Scene, keys: list[str], indent: str, prefix: str) -> list[str]:
    lines = []
    for key in keys:
        if key in s.groups:
            inside = _side(s, s.groups[key].children, indent + "  ", prefix)
            if inside:
                title = _text([s.groups[key].title])
                lines += [f'{indent}subgraph {prefix}{key}["{title}"]', *inside, f"{indent}end"]
        elif prefix == "f_":
            node = s.nodes[key]
            left, right = ("[", "]") if node.count else ("([", "])")
            lines.append(f'{indent}f_{key}{left}"{_text(_forward(node))}"{right}:::{node.role}')
        elif s.nodes[key].rules:
            node = s.nodes[key]
            lines.append(f'{indent}b_{key}["{_text([node.back, *node.rules])}"]:::backward')
    return lines


def _forward(node: Node) -> list[str]:
    return [node.title, *node.details, *([f"● {node.keeps}"] if node.keeps else [])]


def _text(lines: list[str]) -> str:
    return "<br/>".join("".join(_SIGNS.get(c, c) for c in visible(line)) for line in lines)
