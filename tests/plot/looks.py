"""Whether a picture can be read: texts that lie over each other, or are cut off by its edge.

It measures what matplotlib would draw. Not every text of a Figure is drawn: ticks outside of the limits are
not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK = 0.5  # pixels by which the boxes of two texts, which have some air around the letters, may overlap


def unreadable(picture: Axes | Figure) -> list[str]:
    """What is wrong with the texts of a picture, for a reader; an empty list if nothing is."""
    figure: Any = picture if isinstance(picture, Figure) else picture.figure.figure
    figure.draw_without_rendering()
    boxes = [(text, corners(text)) for text in texts(figure)]
    found = [
        f"{a.get_text()!r} lies over {b.get_text()!r}"
        for (a, first), (b, second) in itertools.combinations(boxes, 2)
        if overlap(first, second)
    ]
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in boxes:
        (left, low), (right, high) = box.min(axis=0), box.max(axis=0)
        if left < -SLACK or low < -SLACK or right > width + SLACK or high > height + SLACK:
            found.append(f"{text.get_text()!r} is cut off")
    return found


def texts(figure: Figure) -> Iterator[Text]:
    """All texts that are drawn."""
    legends = list(figure.legends)
    candidates: list[Text] = list(figure.texts)
    for ax in figure.axes:
        candidates += [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        legends += [ax.get_legend()] if ax.get_legend() is not None else []
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in axis.get_major_ticks():
                if low - room <= tick.get_loc() <= high + room:
                    candidates += [tick.label1, tick.label2]
            candidates.append(axis.get_offset_text())
    for legend in legends:
        candidates += [legend.get_title(), *legend.get_texts()]
    yield from (text for text in candidates if text.get_visible() and text.get_text().strip())


def corners(text: Text) -> np.ndarray:
    """The four corners of a text's box, which is turned as the text is: (4, 2) in pixels."""
    box = text.get_window_extent()
    middle = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    angle = text.get_rotation()
    if angle % 90 == 0:
        half = np.array([box.width, box.height]) / 2
        angle = 0.0
    else:
        text.set_rotation(0)
        level = text.get_window_extent()
        text.set_rotation(angle)
        half = np.array([level.width, level.height]) / 2
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return middle + square @ np.array([[cos, sin], [-sin, cos]])


def overlap(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two rectangles overlap: there is no side of either along which a line would part them."""
    for box in (first, second):
        for side in (box[1] - box[0], box[2] - box[1]):
            normal = np.array([-side[1], side[0]]) / max(float(np.hypot(*side)), 1e-9)
            one, other = first @ normal, second @ normal
            if min(one.max(), other.max()) - max(one.min(), other.min()) < SLACK:
                return False
    return True
