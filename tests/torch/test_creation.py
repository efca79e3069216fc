"""Tensors from data, from a rule and from chance against PyTorch.

Random ones are compared by shape, type and refusals in the table, and by statistics below it: the two
libraries draw other numbers from the same seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import chainrule
from tests.torch.both import Row, check, evaluate, rows, same, same_refusal, table

DATA = table(
    """
    # nested data and the type it gets
    T.tensor({1|-3|1.5|True|False|1e40|inf|nan|[]|()|[[]]|[[], []]|[[[]]]|0.0|range(3)|None|'a'|b'a'})
    T.tensor({[1, 2]|(1, 2)|[1.0, 2]|[1, 2.0]|[True, False]|[True, 2]|[True, 2.5]})
    T.tensor({[[1], [2]]|[(1, 2), [3, 4]]})
    T.tensor({[[1, 2], [3]]|[None]|[1, None]|[1, 'a']|set()|dict()|object()})
    T.tensor({[1, [2]]|[[1], 2]})    :: 3 :: differs: PyTorch blames the type, ours the lengths
    T.tensor(['a'])                  :: 3 :: differs: PyTorch blames the number of axes
    T.tensor([[], [1]])              :: 3 :: differs: PyTorch looks at the first row's length only
    T.tensor({2**40|2**62|-2**63|2**63|2**64|-2**63 - 1|[2**63]|1e400})
    T.tensor({np.float64(1.5)|np.float32(1.5)|np.int64(2)|np.int32(2)|np.uint8(2)})
    T.tensor({np.bool_(True)|np.float16(1)})
    T.tensor(np.{array(1.5)|ones(2)|ones((2, 3), 'f')|arange(3)|zeros((2, 0))|array([True])|eye(3).T})
    T.tensor([np.{float64(1)|float32(1)|int32(1)|bool_(True)}, np.float64(2)])
    T.tensor([np.{ones(2)|arange(2)|float32(1)}])
    T.tensor([x[0, 0], 2])                                :: 2x3 :: float32 float64 int64 bool values
    T.tensor([x[0, 0].item(), 2])                         :: 2x3 :: float32 int64 bool values
    T.tensor([[x[0, 0]], [x[0, 1]]])                      :: 2x3 :: float32 values
    T.tensor(x)                                           :: 2x3; (); 0x3; 2x3t :: all
    T.tensor({1|2.7|True|[1, 2.7]|[True, False]|[]|-1.5}, dtype=T.{float16|float32|float64|int64|int32|bool})
    T.tensor({3|200|[1, 2]}, dtype=T.{uint8|int8|int16})
    T.tensor({1|2.5}, dtype={float|int|bool})
    T.tensor(1, dtype=3)
    T.tensor(1, dtype={'float32'|np.float32})       :: 3 :: differs: ours takes names and NumPy's types too
    T.tensor(np.ones(3)[2:0:-1])                    :: 3 :: differs: ours copies arrays that step backwards
    T.tensor({[1.0]|1.5|[1]|[True]}, requires_grad={True|False})
    T.tensor([1], dtype=T.float64, requires_grad=True)
    T.tensor([1.0], device={'cpu'|T.device('cpu')|None})
    T.tensor({|1, 2|1, T.float32})
    {len|bool|float|int}(T.tensor([2.5]))
    T.{as_tensor|asarray}({1|1.5|[1, 2]|[True]|[]|np.ones(2)|np.arange(3)|np.float32(2)|None|'a'})
    T.{as_tensor|asarray}([1, 2], dtype=T.{float32|float64|int32|bool})
    T.{as_tensor|asarray}(np.ones(2), dtype=T.{float32|float64|int32|bool})
    T.as_tensor(x)                                        :: 2x3 :: float32 int64
    T.as_tensor(x{|, dtype=T.float64|, dtype=T.int64})    :: 2x3 :: float32 int64 values
    T.as_tensor(x) is x                                   :: 2x3 :: float32
    T.as_tensor(x, dtype=x.dtype) is x                    :: 2x3 :: float32
    T.asarray(x) is x                                     :: 2x3 :: float32
    T.as_tensor(T.tensor([1.0]), device='cpu')
    T.from_numpy(np.{ones(2)|arange(3)|array(1.5)|zeros((0, 2))|eye(3).T|eye(4)[0:4:2, 0:4:2]|array([True])})
    T.from_numpy(np.{ones(2, 'f2')|ones(2, 'f4')|ones(2, 'i1')|ones(2, 'i2')|ones(2, 'i4')|ones(2, 'u1')})
    T.from_numpy(np.{array(['a'])|array([None])|array([np.datetime64(0, 's')])|float64(1)})
    T.from_numpy({[1, 2]|1.0|None})
    T.from_numpy(np.ones(2)).add_(1)
    T.from_dlpack({np.ones(2)|np.arange(3)|T.ones(2)|T.arange(3)|[1]|1})
    T.is_tensor({1|x|np.ones(2)})                         :: 2x3 :: float32
    """,
    types="float32",
)

RULES = table(
    """
    # numbers at equal distances
    T.arange({5|0|-1|5.0|0.5|2.5|1, 5|1, 5, 2|5, 1|5, 1, -1|5, 1, -2|0, 1, 0.25|1, 0, -0.25|0, 1, 0.3|3, 3})
    T.arange({1, 5, -1|5, 1, 1|0, 1, 0|0.0, inf|nan|0, 1, nan|'a'|None||True|0, 5, 2, 1})
    T.arange({0, 1, 0.1|0, 2, 0.2|1, 2, 0.1|0.0, 0.3, 0.1|-1, 1, 0.5|0, -1, -0.1|1, 1.3, 0.1|2, 0, -0.7})
    T.arange(5, dtype=T.{float16|float32|float64|int8|int32|int64|uint8})
    T.arange({0.5, 3|2.5|1, 7.5, 2|0, 2, 0.5}, dtype=T.{float32|float64})
    T.arange({2.5|0, 7.5, 2.5}, dtype=T.int64)
    T.arange({start=1, end=4|end=4|1, end=4|1, 4, step=2|0, step=2, end=5})
    T.arange(3, requires_grad=True)
    T.arange(3.0, requires_grad=True)
    T.arange({T.tensor(3)|T.tensor(2.5)|T.tensor([3])|np.int64(3)|np.float64(2.5)})
    T.linspace(0, 1, {0|1|2|5|11|-1|1.5|None})
    T.linspace({-3, 3|3, -3|1, 1|0.5, 10|0, 255|-1e6, 5e6}, 7)
    T.linspace(0, 1)
    T.linspace({0, 10|-5, 5|0, 7|10, 0|-3, 4}, {5|4|1}, dtype=T.{float16|float64|int64|int32})
    T.linspace({start=0, end=1, steps=3|0, 1, steps=3|0, 1, 3, requires_grad=True|'a', 1, 3})
    T.linspace(T.tensor(0.0), T.tensor(2.0), 3)
    T.logspace({0, 1|-2, 2|2, -2|0, 0|0.5, 1.5}, {1|3|5|0|-1})
    T.logspace(0, 3, 4, {2|2.0|0.5|10.0|1})
    T.logspace(0, 3, 4, base=2, dtype=T.{float16|float64})
    T.logspace(start=0, end=1, steps=3, base=3)

    # filled
    T.{zeros|ones}({|2|2, 3|(2, 3)|[2, 3]|()|0|2, 0|T.Size([2])|-1|2, -1|(2, -1)|2.0|(2.0,)|'a'|None})
    T.{zeros|ones}(True)                           :: 3 :: differs: ours takes True as 1
    T.{zeros|ones}({2, (3,)|(2,), 3|T.tensor(2)|np.int64(2)|size=(2, 3)|(np.int64(2), 3)})
    T.{zeros|ones}(2, dtype=T.{float16|float64|int64|int8|bool})
    T.{zeros|ones}(2, dtype={float|int|bool})
    T.{zeros|ones}(2, requires_grad=True{|, dtype=T.float64|, dtype=T.int64|, dtype=T.bool})
    T.{zeros|ones}(2, device={'cpu'|'nonsense'})
    T.empty({|2|2, 3|(2, 3)|[2, 3]|()|0|-1|2.0|(2, -1)|'a'|2, 0}).shape
    T.empty(2, dtype=T.{float16|float64|int64|bool}).dtype
    T.empty(2, requires_grad=True{|, dtype=T.int64}).requires_grad
    T.full({(2,), 1|(2,), 1.5|(2,), True|(2, 3), -1|(), 2|[2], 0|(0,), 1|(2,), inf|(2,), nan|(-1,), 1})
    T.full(2, 1)                                   :: 3 :: differs: ours takes a number for a vector
    T.full({(2,)|(2,), 'a'|(2,), None|(2,), [1]|(2,), T.tensor(2.5)})
    T.full({(2,), T.tensor([1.0])|(2,), np.float64(2)})
    T.full({(2,), 1.5|(2,), 2|(2,), True}, dtype=T.{float16|float64|int64|int32|bool})
    T.full((2,), {1|1.5|True}, requires_grad=True)
    T.full(size=(2,), fill_value=3)
    T.eye({0|1|3|2, 3|3, 2|0, 2|2, 0|-1|2, -1|2.0|'a'||None|n=2, m=3})
    T.eye(2, dtype=T.{float16|float64|int64|bool})
    T.eye(2, requires_grad=True{|, dtype=T.int64})

    # like another
    T.{zeros_like|ones_like}(x)                           :: 2x3; (); 0x3; 3x2t; 3x2s :: all
    T.{zeros_like|ones_like}(x, dtype=T.{float64|int64|bool}) :: 2x3 :: float32 int64
    T.{zeros_like|ones_like}(x, requires_grad=True)       :: 2x3 :: float32 int64
    T.{zeros_like|ones_like|empty_like|rand_like|randn_like}({1|[1]|None|}) :: 2
    T.{zeros_like|ones_like|empty_like}(x).stride()       :: 2x3; 3x2s; 2x3x4 :: float32
    T.{zeros_like|ones_like|empty_like}(x).stride()       :: 2x3t :: differs: ours is contiguous
    T.full_like(x, {2|2.5|True|'a'|None|inf})             :: 2x3; 0 :: float32
    T.full_like(x, {2|True})                              :: 2x3; () :: all
    T.full_like(x, 2.5)                                   :: 2x3 :: floats integers
    T.full_like(x, {2|2.5}, dtype=T.{float64|int64|bool}) :: 2x3 :: float32 int64
    T.full_like(x, 1.0, requires_grad=True)               :: 2x3 :: float32
    T.empty_like(x).shape                                 :: 2x3; () :: all
    T.empty_like(x{|, dtype=T.int64}).dtype               :: 2x3 :: all
    T.empty_like(x, requires_grad=True).requires_grad     :: 2x3 :: float32
    x.new_tensor({1|1.5|[1, 2]|[]|[True]})           :: 2x3 :: float32 float64 int64 bool
    x.{new_zeros|new_ones}({2|2, 3|(2, 3)|()|0|-1})       :: 2x3 :: float64 int64
    x.{new_zeros|new_ones}(2, dtype=T.bool)               :: 2x3 :: float64
    x.new_zeros(2, requires_grad=True)                    :: 2x3 :: float64 int64
    x.new_full((2,), {1|2.5|True})                        :: 2x3 :: float64 int64
    x.new_empty({2|(2, 3)}).{shape|dtype}                 :: 2x3 :: float64 int64

    # by chance: shapes, types and refusals
    T.{rand|randn}({|2|2, 3|(2, 3)|[2]|()|0|-1|2.0|'a'|(2, -1)|T.Size([2])}).shape
    T.{rand|randn}(2, dtype=T.{float16|float64|int64|bool}).dtype
    T.{rand|randn}(2, requires_grad={True|False}).requires_grad
    T.{rand_like|randn_like}(x).{shape|dtype|requires_grad}                     :: 2x3; () :: all
    T.{rand_like|randn_like}(x, dtype=T.{float64|int64}).dtype                  :: 2x3 :: float32 int64
    T.randint({5, (2,)|0, 5, (2, 3)|-3, 3, [2]|5, ()|5, (0,)|high=5, size=(2,)|0, high=5, size=(2,)}).shape
    T.randint({0, (2,)|5, 5, (2,)|5, 3, (2,)|5|5, (-1,)|2.5, (2,)|'a', (2,)|}).shape
    T.randint(5, (2,){|, dtype=T.int32|, dtype=T.uint8|, dtype=T.float32}).dtype
    T.randint_like(x, {5|0, 5|5, 0|0}).{shape|dtype}                            :: 2x3 :: float32 int64
    T.randperm({0|1|5|-1|2.5|'a'}).{shape|dtype}
    T.randperm(5, dtype=T.{int32|float32|uint8}).dtype
    T.randperm({5|0}).sort()[0]
    T.bernoulli(x).{shape|dtype}                          :: 2x3; (); 0 :: floats unit
    T.bernoulli(x)                                        :: 2x3 :: whole
    T.bernoulli(x.detach(), {0.0|1.0|2.0|-1})             :: 2x3 :: real
    T.bernoulli(x)                                        :: 7 :: real
    x.detach().bernoulli({0.0|1.0})                       :: 2x3 :: float32 unit
    x.clone().bernoulli_({0|1|1.5|-0.5})                  :: 2x3 :: float32 int64 bool
    T.normal({0.0, 1.0, (2, 3)|0, 1, (2,)|0.0, -1.0, (2,)|0.0, 1.0, ()|mean=0.0, std=1.0, size=(2,)}).shape
    T.normal({x|x, 2.0|0.0, abs(x)|x, abs(x)|x, -abs(x)}).{shape|dtype}         :: 2x3 :: real int64
    T.normal(x, abs(y)).shape                             :: 2x3 3; 2 3 :: float32
    T.normal({0.0, 0.0, (2, 3)|2, 0, (2,)})
    T.multinomial(x, {1|2|3|4|0|-1}).{shape|dtype}        :: 2x3; 3; (); 2x3x4 :: positive floats int64
    T.multinomial(x, 5, {True|replacement=True|False}).shape                    :: 2x3; 3 :: positive float32
    T.multinomial({-x|x * 0|x / 0}, 1)                    :: 3 :: positive float32
    x.clone().{normal_|uniform_|exponential_|random_}().{shape|dtype}           :: 2x3 :: float32 int64 bool
    x.clone().{normal_(0, -1)|uniform_(2, 1)|exponential_(0)|exponential_(-1)|random_(5, 5)|random_(0)}.shape
        :: 2x3 :: float32 int64
    x.{normal_|uniform_|exponential_|random_|bernoulli_|zero_}()                :: 2x3 :: float32
    x.clone().normal_(2, 0)                               :: 2x3 :: float32
    x.clone().uniform_(2, 2)                              :: 2x3 :: float32 values
    T.manual_seed({0|-1|2**63|2**64|2**64 - 1|'a'|None|True}) is None
    T.manual_seed(5).initial_seed()
    (T.manual_seed(7), T.initial_seed())[1]
    T.Generator().manual_seed(3).initial_seed()
    T.{finfo|iinfo}(T.{float16|float32|float64|int8|int64|uint8|bool}).{bits|max|min}
    T.finfo(T.{float16|float32|float64}).{eps|tiny|smallest_normal|resolution}
    T.{finfo|iinfo}({'a'|3})
    T.device({'cpu'|'nonsense'|None|'cpu:0'}).type
    x.device.type                                         :: 2x3 :: float32
    {T.ones(1).dtype == T.dtype|isinstance(T.float32, T.dtype)|T.float32.is_floating_point|T.int64.itemsize}
    """,
    types="float32",
)


@pytest.mark.parametrize("row", rows(DATA))
def test_from_data(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("row", rows(RULES))
def test_from_rules(row: Row) -> None:
    check(row)


# -- chance ------------------------------------------------------------------------------------------------

DRAWS = [
    "T.rand(N)", "T.randn(N)", "T.randint(-3, 5, (N,))", "T.normal(2.0, 3.0, (N,))", "T.bernoulli(x)",
    "T.rand_like(x)", "T.randn_like(x)", "T.randint_like(x, 0, 9)", "T.empty(N).uniform_(-1, 4)",
    "T.empty(N).normal_(1, 0.5)", "T.empty(N).exponential_(2.0)", "T.empty(N).bernoulli_(0.3)",
    "T.normal(x, 2.0)", "T.normal(x, x)", "T.normal(1.0, x)", "T.randperm(N)", "T.empty(N).random_(10)",
    "T.multinomial(T.tensor([1.0, 2.0, 0.0, 5.0]), N, replacement=True)", "T.empty(N).random_(-5, 5)",
    "T.randperm(4).repeat(N // 4)", "x.bernoulli(0.7)",
]  # fmt: skip


def draw(T: Any, expression: str) -> Any:
    n = 4000
    result = evaluate(T, expression, {"N": n, "x": T.linspace(0.1, 0.9, n)})
    assert isinstance(result, T.Tensor), result
    return result


@pytest.mark.parametrize("expression", DRAWS)
def test_same_distribution_and_repeatable(expression: str) -> None:
    """Two-sample Kolmogorov-Smirnov with fixed seeds: it cannot fail by chance."""
    samples = []
    for T in (chainrule, torch):
        T.manual_seed(11)
        first = draw(T, expression)
        state = T.get_rng_state()
        second, T_again = draw(T, expression), T.set_rng_state(state)
        assert T_again is None
        assert T.equal(second, draw(T, expression)), "a state restored"
        T.manual_seed(11)
        assert T.equal(first, draw(T, expression)), "the same seed"
        assert not T.equal(first, second) or expression.startswith("T.randperm(4)")
        samples.append(first)
    ours, theirs = samples
    assert str(ours.dtype) == str(theirs.dtype)
    assert stats.ks_2samp(ours.numpy(), theirs.numpy()).pvalue > 1e-3


def test_a_generator_of_its_own() -> None:
    for T in (chainrule, torch):
        a, b = (T.Generator().manual_seed(5) for _ in range(2))
        T.manual_seed(0)
        state = T.get_rng_state()
        assert T.equal(T.rand(4, generator=a), T.rand(4, generator=b))
        assert T.equal(T.randperm(9, generator=a), T.randperm(9, generator=b))
        assert T.equal(T.get_rng_state(), state)
        assert T.get_rng_state().dtype == T.uint8


MEMORY = [
    "(a.__setitem__(0, 7), T.from_numpy(a))", "(T.as_tensor(a).add_(1), a.tolist())[1]",
    "(T.tensor(a).add_(1), a.tolist())[1]", "(T.from_numpy(a).add_(1), a.tolist())[1]",
    "(T.asarray(a).add_(1), a.tolist())[1]", "(T.as_tensor(a, dtype=T.float32).add_(1), a.tolist())[1]",
    "(T.from_dlpack(a).add_(1), a.tolist())[1]", "T.from_numpy(a).numpy() is a",
    "T.from_numpy(a).requires_grad_().sum().backward()",
]  # fmt: skip


@pytest.mark.parametrize("expression", MEMORY)
def test_memory_of_arrays(expression: str) -> None:
    ours, theirs = (evaluate(T, expression, {"a": np.array([1.0, 2.0, 3.0])}) for T in (chainrule, torch))
    if expression.startswith("(a."):
        ours, theirs = ours[1], theirs[1]
    if not same_refusal(ours, theirs):
        same(ours, theirs)
