"""The normal distribution of vectors whose components depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..base import TensorBase
from ..core.errors import DTypeError, ShapeError
from ..functions.linalg import cholesky, inv, solve
from ..functions.parts import diagonal
from ..functions.pointwise import log
from ..functions.sampling import randn
from ..tensor import Tensor
from . import constraints
from .constraints import Constraint
from .distribution import Distribution, _require
from .parameters import LOG_2PI, one_of, type_of

_MATRICES = ("covariance_matrix", "precision_matrix", "scale_tril")


class MultivariateNormal(Distribution):
    """Normal vectors with mean `loc` and covariance Σ = L Lᵀ.

    Shapes:  loc (..., k), the matrix (..., k, k); the leading axes broadcast to batch_shape.
    Args:    exactly one of covariance_matrix Σ, precision_matrix inv(Σ) and scale_tril L, lower triangular.
             L is used inside, so giving it is cheapest.
    Raises:  ArgumentError for none or several matrices, and for one that is not positive definite (not lower
             triangular with a positive diagonal); ShapeError for shapes that do not fit.

    >>> import chainrule as torch
    >>> d = MultivariateNormal(torch.zeros(2), torch.tensor([[2.0, 1.0], [1.0, 2.0]]))
    >>> d.log_prob(torch.zeros(2)), d.entropy()
    (tensor(-2.3872), tensor(3.3872))
    """

    arg_constraints: ClassVar = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        what = "MultivariateNormal"
        matrices = dict(zip(_MATRICES, (covariance_matrix, precision_matrix, scale_tril), strict=True))
        name = one_of(what, "MultivariateNormal(loc, covariance_matrix)", **matrices)
        matrix: Any = matrices[name]
        batch = _batch(what, loc, matrix, name)
        if self._validate_args if validate_args is None else validate_args:
            _require(matrix, name, self.arg_constraints[name], what)
        k = loc.shape[-1]
        factor = (
            matrix.tril()  # so that nothing, and no gradient, depends on what is above the diagonal
            if name == "scale_tril"
            else cholesky(matrix)
            if name == "covariance_matrix"
            else _factor_of_inverse(matrix)
        )
        self.loc = loc.expand((*batch, k))
        self.scale_tril: Tensor = factor.expand((*batch, k, k))
        super().__init__(
            batch, (k,), {"loc": self.loc, "scale_tril": self.scale_tril}, validate_args=validate_args
        )

    @property
    def covariance_matrix(self) -> Tensor:
        """Σ = L Lᵀ: (..., k, k)."""
        out: Tensor = self.scale_tril @ self.scale_tril.mT
        return out

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of Σ: (..., k, k)."""
        back = inv(self.scale_tril)
        out: Tensor = back.mT @ back
        return out

    @property
    def support(self) -> Constraint:
        return constraints.real_vector

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The diagonal of Σ: (..., k)."""
        squares: Tensor = self.scale_tril**2
        return squares.sum(-1)

    @property
    def _half_log_det(self) -> Tensor:
        logs: Tensor = log(diagonal(self.scale_tril, dim1=-2, dim2=-1))
        return logs.sum(-1)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        noise = randn(self._shape(sample_shape), dtype=type_of(self.loc))
        out: Tensor = self.loc + (self.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)
        return out

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value, "log_prob")
        apart = (value - self.loc).unsqueeze(-1)  # (..., k, 1)
        z = solve(self.scale_tril, apart).squeeze(-1)
        k = self._event_shape[0]
        out: Tensor = -((z**2).sum(-1) + k * LOG_2PI) / 2 - self._half_log_det
        return out

    def entropy(self) -> Tensor:
        out: Tensor = self._half_log_det + self._event_shape[0] * (1 + LOG_2PI) / 2
        return out


def _batch(what: str, loc: Any, matrix: Any, name: str) -> tuple[int, ...]:
    """The shape of the batch, after a look at both shapes."""
    for part, value in (("loc", loc), (name, matrix)):
        if not isinstance(value, TensorBase):
            raise DTypeError.of(
                what,
                given=f"{part}={value!r}",
                must=f"{part} must be a Tensor",
                hint=f"torch.tensor({value!r})",
            )
    mean, square = tuple(loc.shape), tuple(matrix.shape)
    try:
        if not mean or len(square) < 2 or square[-2:] != (mean[-1], mean[-1]):
            raise ValueError
        return np.broadcast_shapes(mean[:-1], square[:-2])
    except ValueError:
        raise ShapeError.of(
            what,
            given=f"loc {mean} and {name} {square}",
            must="loc must be (..., k) and the matrix (..., k, k), with leading axes that broadcast",
            hint="torch.diag(variances), if the components are independent",
        ) from None


def _factor_of_inverse(precision: Tensor) -> Tensor:
    """L with L Lᵀ = inv(precision), without inverting precision itself.

    With P precision P = C Cᵀ, P the reversal of all components, L = P inv(C)ᵀ P: lower triangular again.
    """
    back = inv(cholesky(precision.flip((-2, -1))))  # inv(C)
    return back.mT.flip((-2, -1)).tril()  # what is above the diagonal is rounding
