"""The picture of the learning curve: that it is one, shows what it should, and leaves no trace."""

from __future__ import annotations

import io
import sys

import matplotlib.image
import numpy as np
import pytest

from chainrule.training import Epoch, History
from chainrule.training.curve import draw_curve


def picture(history: History) -> np.ndarray:
    content = draw_curve(history, "regression")
    assert content.startswith(b"\x89PNG")
    return matplotlib.image.imread(io.BytesIO(content))[..., :3]


def shows(pixels: np.ndarray, colour: str) -> bool:
    wanted = np.array(matplotlib.colors.to_rgb(colour))
    return bool((abs(pixels - wanted).max(axis=-1) < 0.02).any())


def history(epochs: int, *, validation: bool) -> History:
    losses = [1.0 / number for number in range(1, epochs + 1)]
    return History(
        [Epoch(number, loss, loss + 0.1 if validation else None) for number, loss in enumerate(losses, 1)],
        best=epochs,
    )


@pytest.mark.parametrize("epochs", [1, 2, 50])
@pytest.mark.parametrize("validation", [True, False])
def test_both_curves_are_drawn(epochs: int, validation: bool) -> None:
    pixels = picture(history(epochs, validation=validation))
    assert pixels.shape == (600, 960, 3)
    assert shows(pixels, "C0")
    assert shows(pixels, "C1") == validation


def test_no_window_system_is_touched() -> None:
    before = "matplotlib.pyplot" in sys.modules
    picture(history(3, validation=True))
    assert ("matplotlib.pyplot" in sys.modules) == before
