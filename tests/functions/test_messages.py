"""The full text of every message of the functions; `test_sampling.py` has those of random tensors.

Each entry is an expression about x3, x23 (of ones) and whole (integers), the kind of error, and its text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import chainrule
from chainrule.core.errors import ChainruleError
from tests.messages import untested

MESSAGES = """\
-- einsum

T.einsum(x23, 'ij')  # ArgumentError
    einsum got Tensor
      the equation comes first, as text
      try: einsum('ij->j', x)

T.einsum('ij,jk', x23)  # ArgumentError
    einsum got the equation 'ij,jk'
      it must have one term for each operand, and there are 1

T.einsum('ij->ii', x23)  # ArgumentError
    einsum got the equation 'ij->ii'
      'i' may appear only once in the result

T.einsum('ij->ik', x23)  # ArgumentError
    einsum got the equation 'ij->ik'
      'k' of the result must appear in an operand

T.einsum('i1', x23)  # ArgumentError
    einsum got the equation 'i1'
      axes are named by letters, with one '...' at most for each operand

T.einsum('i', x23)  # ArgumentError
    einsum got the equation 'i'
      'i' must name each axis of its operand, which has 2

T.einsum('ij,jk', x23, x23)  # ShapeError
    einsum got the equation 'ij,jk' and shapes (2, 3), (2, 3)
      each name must have one size, or 1; 'j' is 3, and 2 in operand 1

-- elementwise

whole.frac()  # DTypeError
    frac got a tensor of type torch.int64
      the type must be floating point
      try: x.float()

x23.clamp()  # ArgumentError
    clamp got neither min nor max
      at least one limit is needed

T.where(x23 > 0, x23)  # ArgumentError
    where got one of input and other
      both are needed, or neither for the indices

T.where(whole, 1, 2)  # DTypeError
    where got a condition of type torch.int64
      the condition must be bool
      try: x != 0

T.lerp(x3, x3.double(), 0.5)  # DTypeError
    lerp got types torch.float32, torch.float64
      all must have one floating-point type
      try: end.to(input.dtype)

T.addcdiv(x3, whole, whole)  # DTypeError
    addcdiv got types torch.int64 and torch.int64 for the division
      one of them must be floating point
      try: x + value * torch.div(a, b, rounding_mode='trunc')

T.isclose(x3, x3.double())  # DTypeError
    isclose got types torch.float32 and torch.float64
      the types must be equal
      try: other.to(torch.float32)

T.isclose(x3, x3, rtol=-1)  # ArgumentError
    isclose got rtol=-1, atol=1e-08
      the tolerances must not be negative

T.polygamma(-1, x3)  # ArgumentError
    polygamma got n=-1
      n must be an integer, 0 or larger

T.add(whole, whole, alpha=0.5)  # ArgumentError
    alpha * y got alpha=0.5 for a result of type int64
      alpha must be an integer where the result is not floating point
      try: y.float()

T.div(x3, x3, rounding_mode='up')  # ArgumentError
    div got rounding_mode='up'
      it must be None, 'floor' or 'trunc'

whole ** -1  # ArgumentError
    x ** y got an integer tensor and the exponent -1
      integers to a negative power are not integers
      try: x.float() ** y

-- one extreme, ordering, counting

x23.max((0, 1))  # ArgumentError
    max got dim=(0, 1)
      it goes along one axis
      try: amax, which takes several

x23.argsort(dim=2)  # IndexingError
    argsort got dim=2 for a tensor with 2 axes
      dim must lie in [-2, 1]
      try: dim=1

x23.topk(4)  # ArgumentError
    topk got k=4 for axis 1 of a tensor (2, 3)
      k must lie in [0, 3]

x23.kthvalue(0)  # ArgumentError
    kthvalue got k=0 for an axis of 3
      k must lie in [1, 3]

x23[:0].median(0)  # IndexingError
    median got axis 0 of a tensor (0, 3)
      it needs at least one element to choose from

x23.half().quantile(0.5)  # DTypeError
    quantile got a tensor of type torch.float16
      the type must be float32 or float64, and that of q the same
      try: x.float()

x23.quantile(T.tensor([0.5], dtype=T.float64))  # DTypeError
    quantile got a tensor of type torch.float32 and q of type torch.float64
      the type must be float32 or float64, and that of q the same
      try: x.float()

x23.quantile('half')  # ArgumentError
    quantile got q='half'
      q must be a number or a tensor

x23.quantile(1.5)  # ArgumentError
    quantile got q=1.5
      q must be a number or a vector in [0, 1]

x23.quantile(0.5, interpolation='cubic')  # ArgumentError
    quantile got interpolation='cubic'
      it must be one of ('linear', 'lower', 'higher', 'nearest', 'midpoint')

x23[:0].quantile(0.5)  # ArgumentError
    quantile got a tensor (0, 3)
      it must not be empty

x23.bincount()  # ArgumentError
    bincount got torch.float32 (2, 3)
      it counts a vector of integers that are not negative

T.bincount(whole, minlength=-1)  # ArgumentError
    bincount got minlength=-1
      it must not be negative

T.bincount(whole, x23)  # ShapeError
    bincount got weights (2, 3) for a vector (2,)
      the shapes must be equal

whole.histc()  # DTypeError
    histc got torch.int64
      the type must be floating point
      try: x.float()

x23.histc(0)  # ArgumentError
    histc got bins=0, min=0.0, max=2.0
      there must be a bin, and the range must be finite and not empty

T.searchsorted(x3, x3, side='middle')  # ArgumentError
    searchsorted got side='middle', right=False
      side must be 'left' or 'right', as right says

T.searchsorted(x23, x3)  # ShapeError
    searchsorted got boundaries (2, 3) for values (3,)
      the boundaries must be a vector, or both must have the same leading axes

T.bucketize(x3, x23)  # ShapeError
    bucketize got boundaries (2, 3)
      the boundaries must be a vector

-- reductions

whole.mean()  # DTypeError
    mean got int64 (2,)
      the type must be floating point
      try: x.float().mean(), or x.mean(dtype=torch.float32)

x23.cumsum()  # ArgumentError
    cumsum got no dim
      the axis to run along must be named
      try: cumsum(dim=0)

-- keys

x23.__setitem__(0, 'text')  # ArgumentError
    x[...] = y got a str for y
      what is written must be a tensor or a number
      try: x[...] = torch.tensor(y)

x23.__setitem__([0, 1], x23.double())  # DTypeError
    x[indices] = y got y of type torch.float64 for x of type torch.float32
      the types must be equal where index arrays say what is written
      try: y.to(torch.float32)

x23.__setitem__([0, 1], x23[:, :2])  # ShapeError
    x[indices] = y got y (2, 2) for a place of shape (2, 3)
      read from the right, each axis of y must have the same size or size 1

x23['name']  # ArgumentError
    x[...] got the text 'name'
      a tensor has no named parts

x23[1.5]  # IndexingError
    x[...] got an index of type float
      indices are integers, slices, None, ..., or tensors, arrays and lists of integers or bools

x23[T.tensor(1.5)]  # IndexingError
    x[...] got an index tensor of type float32
      indices are integers, slices, None, ..., or tensors, arrays and lists of integers or bools
      try: index.long()

x23[T.tensor([True])]  # IndexingError
    x[mask] got a mask (1,) for the axes (2,) of a tensor (2, 3)
      a mask must have the sizes of the axes it selects from

-- joined, repeated, padded

T.cat(x23)  # ArgumentError
    cat got a single Tensor
      it joins a list or tuple of tensors
      try: cat([x, y])

T.cat([])  # ArgumentError
    cat got an empty list
      there must be at least one tensor

T.cat([T.tensor(1.0)])  # ShapeError
    cat got 0-d tensors
      tensors to be joined need an axis
      try: stack(tensors)

T.stack([x23, x3])  # ShapeError
    stack got shapes (2, 3), (3,)
      all shapes must be equal; tensor 1 has (3,), tensor 0 has (2, 3)
      try: cat, to join along an axis they have

x23.repeat(2)  # ShapeError
    repeat got counts (2,) for a tensor (2, 3)
      there must be a count for each axis, and none may be negative
      try: tile, which fills in ones

x23.repeat(2, -1)  # ShapeError
    repeat got counts (2, -1) for a tensor (2, 3)
      there must be a count for each axis, and none may be negative

T.repeat_interleave(x3, x3)  # DTypeError
    repeat_interleave got counts of type torch.float32
      counts must be integers

T.repeat_interleave(x3, T.tensor([1, 2]), 0)  # ShapeError
    repeat_interleave got counts [1, 2] for axis 0 of a tensor (3,)
      there must be one count, or one for each of the 3 elements, and none may be negative

x3.fliplr()  # ShapeError
    fliplr got a tensor (3,)
      it needs at least 2 axes

T.tensor(1.0).flipud()  # ShapeError
    flipud got a tensor ()
      it needs at least 1 axis

x23.roll((1, 2), 0)  # ArgumentError
    roll got shifts=(1, 2), dims=0
      there must be a shift for each axis

F.pad(x23, (1, 1), mode='mirror')  # ArgumentError
    pad got mode='mirror'
      the mode must be 'constant'

F.pad(x23, (1,))  # ArgumentError
    pad got pad=(1,) for a tensor (2, 3)
      amounts come in pairs, at most one pair per axis, last axis first

F.pad(x23, (-2, -2))  # ShapeError
    pad got pad=(-2, -2) for a tensor (2, 3)
      no axis may become negative

T.meshgrid(x3, indexing='xz')  # ArgumentError
    meshgrid got indexing='xz'
      it must be 'ij' or 'xy'

T.meshgrid(x23)  # ShapeError
    meshgrid got shapes (2, 3)
      each coordinate must be a vector or a 0-d tensor

x3.tril()  # ShapeError
    tril got a tensor (3,)
      it needs at least 2 axes

-- linear algebra

T.linalg.inv(x3)  # ShapeError
    linalg.inv got a tensor (3,)
      its last two axes must be equal: a square matrix, or a stack

T.linalg.qr(x3)  # ShapeError
    linalg.qr got a tensor (3,)
      it needs two axes or more: a matrix, or a stack

T.linalg.qr(x23, 'full')  # ArgumentError
    linalg.qr got mode='full'
      the mode must be 'reduced', 'complete' or 'r'

T.linalg.multi_dot([x23])  # ArgumentError
    multi_dot got a list of 1
      there must be at least two tensors

T.linalg.multi_dot([x23, x23[None]])  # ShapeError
    multi_dot got a tensor (1, 2, 3)
      each must be a matrix, the outer ones may be vectors

T.chain_matmul()  # ArgumentError
    chain_matmul got nothing
      there must be at least one matrix

T.linalg.eigh(x23, 'X')  # ArgumentError
    linalg.eigh got UPLO='X'
      it must be 'L' or 'U'

T.linalg.lstsq(x23, x23, driver='gels!')  # ArgumentError
    linalg.lstsq got driver='gels!'
      it must be one of ('gelsy', 'gelsd', 'gelss', 'gels')

T.linalg.vector_norm(x3, 'fro')  # ArgumentError
    vector_norm got ord='fro'
      ord must be a number
      try: ord=2

T.linalg.vector_norm(x3[:0], -1)  # ArgumentError
    norm got ord=-1 for a tensor (0,)
      of no elements this norm is not defined

T.linalg.matrix_norm(x3)  # ShapeError
    matrix_norm got a tensor (3,)
      it needs at least 2 axes

T.linalg.matrix_norm(x23, dim=(0, 0))  # ArgumentError
    matrix_norm got dim=(0, 0)
      a matrix has two different axes

T.linalg.matrix_norm(x23, 3)  # ArgumentError
    matrix_norm got ord=3
      ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf

T.linalg.norm(x23[None], 2)  # ArgumentError
    linalg.norm got ord=2, dim=None for a tensor (1, 2, 3)
      dim must name one axis (of vectors) or two (of matrices)

T.linalg.norm(x3, 'fro')  # ArgumentError
    linalg.norm got ord='fro' for a tensor (3,)
      this ord is for matrices

x3.norm('max')  # ArgumentError
    norm got p='max'
      p must be a number, 'fro' or 'nuc'
      try: p=2

-- parts

x23.narrow(1, 2, 2)  # IndexingError
    narrow got start=2, length=2 for axis 1 of a tensor (2, 3)
      the part must lie within [0, 3]

x23.split([1, 2])  # ArgumentError
    split got sizes [1, 2] for axis 0 of a tensor (2, 3)
      the sizes must add up to 2, and none may be negative

x23.split('rows')  # ArgumentError
    split got 'rows'
      it takes one size, or a list of sizes
      try: x.split(2)

x23.split(-1)  # ArgumentError
    split got a size of -1
      the size must be positive

x23.chunk(0)  # ArgumentError
    chunk got chunks=0
      the number of parts must be positive

x23.tensor_split(0)  # ArgumentError
    tensor_split got 0 parts
      the number of parts must be positive

x23.diagonal(0, 1, 1)  # ArgumentError
    diagonal got dim1=1, dim2=1
      the two axes must differ

x23[None].diag()  # ShapeError
    diag got a tensor (1, 2, 3)
      it takes a vector or a matrix

x23.diag_embed(0, 1, 1)  # ArgumentError
    diag_embed got dim1=1, dim2=1
      the two axes must differ

x3.trace()  # ShapeError
    trace got a tensor (3,)
      it takes a matrix

-- products

x3 @ x3.double()  # DTypeError
    x @ y got x of type float32 (3,) and y of type float64 (3,)
      a product does not convert its operands: both must have one type
      try: x.to(torch.float64)

x3 @ T.tensor(1.0)  # ShapeError
    x @ y got shapes (3,) and ()
      both need at least one axis
      try: x * y

x23 @ x23[0, :2]  # ShapeError
    x @ y got shapes (2, 3) and (2,)
      the vector has 2 elements, but the matrix needs 3 on that side
      try: x.T @ y

x23[:, 0] @ x23.T  # ShapeError
    x @ y got shapes (2,) and (3, 2)
      the vector has 2 elements, but the matrix needs 3 on that side

T.mm(x3, x23)  # ShapeError
    torch.mm got x of shape (3,)
      x must be a matrix
      try: matmul(x, y)

T.bmm(x23[None], x23[None].expand(2, 2, 3))  # ShapeError
    torch.bmm got shapes (1, 2, 3) and (2, 2, 3)
      both stacks must have the same number of matrices
      try: matmul(x, y), which broadcasts

T.mv(x23, x3[:2])  # ShapeError
    x @ y got shapes (2, 3) and (2,)
      the vector has 2 elements, but the matrix needs 3 on that side
      try: x.T @ y

T.dot(x3, x3[:2])  # ShapeError
    torch.dot got vectors of 3 and 2 elements
      both must have the same number of elements

T.tensordot(x23, x23, 3)  # ArgumentError
    tensordot got dims=3 for shapes (2, 3) and (2, 3)
      dims must lie in [0, 2]

T.tensordot(x23, x23, ([0], [1]))  # ShapeError
    tensordot got shapes (2, 3) and (2, 3), axes [0] and [1]
      the paired axes must have equal sizes

-- elements by their indices

x23.gather(0, x23)  # DTypeError
    gather got an index of type torch.float32
      the index must be int64 or int32
      try: index.long()

x23.take_along_dim(T.tensor([0]), 0)  # ShapeError
    take_along_dim got a tensor (2, 3) and indices (1,)
      both must have as many axes

x23.index_select(0, T.tensor([[0]]))  # IndexingError
    index_select got an index (1, 1)
      the index must be a vector

T.tensor(1.0).index_select(0, whole)  # IndexingError
    index_select got index 1 for axis 0 of a tensor ()
      every index must lie in [0, 0]

x23.index_select(0, T.tensor([2]))  # IndexingError
    index_select got index 2 for axis 0 of a tensor (2, 3)
      every index must lie in [0, 1]

T.tensor(1.0).index_select(0, T.tensor([0, 0]))  # ShapeError
    index_select got 2 indices for a 0-d tensor
      it has one element

x23.take(x3)  # DTypeError
    take got an index of type torch.float32
      the index must be int64
      try: index.long()

x23.masked_select(x23)  # DTypeError
    masked_select got a mask of type torch.float32
      the mask must be bool
      try: mask != 0

x23.scatter(0, T.tensor([[0]]))  # ArgumentError
    scatter got neither src nor value
      what to write must be given

x23.scatter(0, T.tensor([[0]]), 1.0, reduce='multiply')  # ArgumentError
    scatter got reduce='multiply'
      it must be 'add' or None

x23.index_add(0, T.tensor([0]), x23)  # IndexingError
    index_add got a source (2, 3) and an index (1,) for axis 0 of a tensor (2, 3)
      the source must have shape (1, 3)

x23.index_add(0, T.tensor([0]), x23.double())  # DTypeError
    index_add got a tensor of type torch.float32 and a source of type torch.float64
      the types must be equal
      try: source.to(torch.float32)

x23.index_fill(0, T.tensor([0]), x3)  # ShapeError
    index_fill got a value of shape (3,)
      the value must be a number or a 0-d tensor

-- shapes

x23.view(T.int32)  # ArgumentError
    view got torch.int32
      reading the bytes as another type is not offered
      try: x.to(torch.int32)

x23.T.view(6)  # ShapeError
    view got shape (6,) for a tensor (3, 2) that lies in another order in memory
      a view needs a layout that the new shape can describe
      try: reshape(...), which copies if it must, or contiguous().view(...)

x23.flatten(1, 0)  # ArgumentError
    flatten got start_dim=1, end_dim=0
      start must not come after end

x23.unflatten(0, ())  # ArgumentError
    unflatten got no sizes
      there must be at least one size

x23.permute(0, 0)  # ArgumentError
    permute got dims=(0, 0) for a tensor (2, 3)
      each of its 2 axes must be named once

x23[None].t()  # ShapeError
    t got a tensor (1, 2, 3)
      t() is for at most 2 axes
      try: x.mT or x.transpose(a, b)

x3.mT  # ShapeError
    mT got a tensor (3,)
      it needs at least 2 axes
      try: x.unsqueeze(0)

x23.movedim(0, (0, 1))  # ArgumentError
    movedim got source=0, destination=(0, 1)
      each axis may be named once, and there must be as many places as axes

x23.expand(-1, 2, 3)  # ShapeError
    expand got shape (-1, 2, 3) for a tensor (2, 3)
      -1 is only allowed for axes the tensor has
"""

ENTRY = re.compile(r"^(\S.*?)  # (\w+)\n((?:    .*\n)+)", re.M)
ENTRIES = [(e, kind, re.sub("^    ", "", text, flags=re.M)) for e, kind, text in ENTRY.findall(MESSAGES)]
ELSEWHERE = {"sampling.py", "options.py"}


def evaluated(expression: str) -> Any:
    names = {
        "T": chainrule,
        "F": chainrule.nn.functional,
        "x3": chainrule.ones(3),
        "x23": chainrule.ones(2, 3),
        "whole": chainrule.tensor([1, 2]),
    }
    return eval(expression, names)


@pytest.mark.parametrize(("expression", "kind", "text"), ENTRIES, ids=[e[0] for e in ENTRIES])
def test_text(expression: str, kind: str, text: str) -> None:
    with pytest.raises(ChainruleError) as caught:
        evaluated(expression)
    assert type(caught.value).__name__ == kind
    assert str(caught.value) == f"{text}  at <string>:1"


def test_every_message_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(chainrule.__file__).parent / "functions"
    files = [path for path in folder.glob("*.py") if path.name not in ELSEWHERE]
    actions = [lambda expression=e[0]: evaluated(expression) for e in ENTRIES]
    assert untested(files, actions, monkeypatch) == []
