"""LazyLinear: a Linear that finds out its number of inputs from the first x, and is a Linear from then on.

Its parameters are there from the start, so an optimizer may be made before; the weight has no columns yet.
"""

from __future__ import annotations

from typing import Any

from ..core.dtypes import dtype as DType
from ..core.errors import ArgumentError, ChainruleError, ShapeError
from ..creation import empty
from ..ops.primitive import tracing
from ..tensor import Tensor
from .linear import Linear


class LazyLinear(Linear):
    """A `Linear` whose in_features is the last axis of the first x; with that call it becomes a `Linear`.

    Shapes:  (..., in_features) -> (..., out_features). weight (out_features, 0) before.
    Start:   drawn at the first call, as for `Linear`.
    Raises:  ShapeError if the first x has no axes; ArgumentError if the first call is in a compiled function.

    A state dict can be loaded after the first call, when it has shapes to compare with.

    >>> import chainrule as torch
    >>> layer = torch.nn.LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: DType | None = None
    ) -> None:
        super().__init__(0, out_features, bias, device, dtype)

    def reset_parameters(self) -> None:
        """Nothing to draw yet: how far apart values may be depends on the number of inputs."""

    def explain_error(self, err: ChainruleError, *args: Any) -> None:
        """The error says all there is to say: as long as this is no Linear, no weight has to fit."""

    def forward(self, input: Tensor) -> Tensor:
        if not input.ndim:
            raise ShapeError.of(
                "LazyLinear",
                given=f"x {tuple(input.shape)}",
                must="the last axis of the first x is in_features, so x must have one",
                hint="x.reshape(1), if it is one number",
            )
        if tracing.tracer is not None:
            raise ArgumentError.of(
                "LazyLinear",
                given="its first x in a function that is being compiled",
                must="its weight is made at the first call, and a graph cannot give a tensor other memory",
                hint="model(x) once, before it is compiled",
            )
        columns = int(input.shape[-1])
        self.weight.data = empty(self.out_features, columns, dtype=self.weight.dtype)
        self.in_features = columns
        self.__class__ = Linear  # type: ignore[assignment]  # the same object: who holds it holds a Linear now
        self.reset_parameters()
        return self.forward(input)
