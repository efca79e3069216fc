"""`torchvision.transforms`: ToTensor, Resize, Normalize and their Compose, for one image or a batch of bytes.

Each transform has two forms. Called, it takes one image, as torchvision's does. `of_batch` gives the same
for a batch of grey images (b, height, width) in operations on tensors; its result equals that of one image
after the other, bit by bit. Resizing is Pillow's bilinear filter, in Pillow's integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import Tensor, as_tensor, float32, float64, from_numpy, matmul, tensor, uint8
from ...core.errors import ArgumentError

_BITS = 22  # binary places of Pillow's weights for images of bytes: 32 bits less 8 and 2


class Compose:
    """Several transforms, one after the other.

    >>> Compose([lambda x: x + 1, lambda x: 2 * x])(3)
    8
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {transform}" for transform in self.transforms), ")"])


class ToTensor:
    """An image as a tensor (channels, height, width); bytes become float32 from 0 to 1.

    Takes PIL's images, and arrays (height, width) or (height, width, channels).

    >>> import numpy as np
    >>> ToTensor()(np.array([[0, 255]], dtype=np.uint8))
    tensor([[[0., 1.]]])
    """

    def __call__(self, image: Any) -> Tensor:
        array = np.asarray(image)
        if isinstance(image, Tensor) or array.ndim not in (2, 3) or array.dtype == object:
            raise ArgumentError.of(
                "ToTensor",
                given=f"{type(image).__name__} {array.shape}",
                must="it takes one image: PIL's, or an array (height, width) or (height, width, channels)",
            )
        if array.ndim == 2:
            array = array[:, :, None]
        made = from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))  # (h, w, c) -> (c, h, w)
        return made.to(float32) / 255 if made.dtype == uint8 else made

    def __repr__(self) -> str:
        return "ToTensor()"


class Resize:
    """A PIL image in another size: (height, width), or a number for its shorter side.

    >>> from PIL import Image
    >>> Resize(8)(Image.new("L", (28, 14))).size
    (16, 8)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = size

    def __call__(self, image: Any) -> Any:
        if not hasattr(image, "resize") or isinstance(image, Tensor | np.ndarray):
            raise ArgumentError.of(
                "Resize",
                given=type(image).__name__,
                must="it takes PIL's images",
                hint="Compose([Resize(64), ToTensor()]), in this order",
            )
        from PIL import Image

        height, width = self.shape(image.height, image.width)
        return image.resize((width, height), Image.Resampling.BILINEAR)

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """The new height and width of an image."""
        if not isinstance(self.size, int):
            wanted = tuple(self.size)
            if len(wanted) == 2:
                return wanted
            size = wanted[0]
        else:
            size = self.size
        short, long = sorted((height, width))
        scaled = int(size * long / short)
        return (size, scaled) if height <= width else (scaled, size)

    def __repr__(self) -> str:
        return f"Resize(size={self.size})"


class Normalize:
    """A tensor (channels, height, width) less the mean, over the standard deviation, of each channel.

    >>> Normalize(0.5, 0.5)(tensor([[[0.0, 1.0]]]))
    tensor([[[-1.,  1.]]])
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = mean
        self.std = std

    def __call__(self, image: Tensor) -> Tensor:
        mean, std = (tensor(v, dtype=image.dtype).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return (image - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


def of_batch(transform: Any, height: int, width: int) -> Callable[[Tensor], Tensor] | None:
    """What a transform does to each grey image of a batch, for all of them at once; None if it is not known.

    It takes bytes (b, height, width) and gives float32 (b, 1, new height, new width). Making images smaller
    is not known: versions of Pillow differ in whether rows or columns come first, and so in some last bits.
    """
    steps: list[Any] = list(transform.transforms) if type(transform) is Compose else [transform]
    kinds = [type(step) for step in steps]
    if kinds.count(ToTensor) != 1:  # without it, the samples are PIL's images
        return None
    at = kinds.index(ToTensor)
    if any(kind is not Resize for kind in kinds[:at]) or any(
        kind is not Normalize for kind in kinds[at + 1 :]
    ):
        return None
    shapes = [(height, width)]
    for resize in steps[:at]:
        shapes.append(resize.shape(*shapes[-1]))
        if any(new < old for new, old in zip(shapes[-1], shapes[-2], strict=True)):
            return None

    def convert(batch: Tensor) -> Tensor:
        for shape in shapes[1:]:
            batch = enlarged(batch, *shape)
        batch = batch.to(float32).unsqueeze(1) / 255  # (b, h, w) -> (b, 1, h, w)
        for normalize in steps[at + 1 :]:
            batch = normalize(batch)
        return batch

    return convert


def enlarged(batch: Tensor, height: int, width: int) -> Tensor:
    """Grey images of bytes (b, h, w), no larger than the new size, as Pillow's bilinear filter makes them.

    Pillow weighs the columns first, rounds to bytes, then the rows. Its weights are whole numbers of 2⁻²², so
    the sums are exact in float64.
    """
    _, h, w = batch.shape
    if w != width:
        batch = _rounded(
            matmul(batch.to(float64), as_tensor(_weights(w, width)).T)
        )  # (b, h, w) -> (b, h, width)
    if h != height:
        batch = _rounded(matmul(as_tensor(_weights(h, height)), batch.to(float64)))  # -> (b, height, width)
    return batch.to(uint8)


def picture(array: npt.NDArray[np.uint8]) -> Any:
    """A grey image of PIL."""
    from PIL import Image

    return Image.fromarray(array)


def _rounded(sums: Tensor) -> Tensor:
    return ((sums + 2.0 ** (_BITS - 1)) / 2.0**_BITS).floor().clamp(0, 255)


@cache
def _weights(old: int, new: int) -> npt.NDArray[np.float64]:
    """How much each of `old` pixels counts in each of `new` ones, in units of 2⁻²²: (new, old).

    A triangle as wide as two old pixels, around the middle of the new one; what it has outside is shared out.
    """
    table = np.zeros((new, old))
    for i in range(new):
        center = (i + 0.5) * old / new
        first, last = max(int(center - 0.5), 0), min(int(center + 1.5), old)
        shares = [max(0.0, 1 - abs(j - center + 0.5)) for j in range(first, last)]
        total = math.fsum(shares)
        for j, share in zip(range(first, last), shares, strict=True):
            table[i, j] = math.floor(share / total * 2**_BITS + 0.5)
    return table


__all__ = ["Compose", "Normalize", "Resize", "ToTensor"]
