"""What PyTorch refuses ours refuses, with the same family of exceptions; what it accepts ours accepts.

A line is an expression, or a program of statements on one line whose last one is the result. Functions with
tables of their own (tests/torch/functions) are here only for the mistakes that people make most.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import chainrule
from tests.torch.both import Refused, Row, check, evaluate, rows, same, same_refusal, table

TABLE = table(
    """
    # one number from a tensor
    x.item()                                              :: (); 1; 1x1; 2; 0; 2x3 :: all
    {bool|float|int|len}(x)                               :: (); 1; 1x1; 2; 0; 2x3 :: all values
    list(x)                                               :: 2x3; 3; (); 0 :: float32 int64
    {tuple|sum}(x)                                        :: 2; () :: float32
    range(x)                                              :: () :: float32
    [10, 20, 30][x.long() * 0 + 1]                        :: (); 1; 2 :: float32 int64 values
    [10, 20, 30][x]                                       :: (); 2 :: float32
    {x and 1|x or 1|not x|1 if x else 0|x in [1]}         :: (); 2 :: float32
    {x < y < x|x == y == x}                               :: 2 2 :: float32
    {1.0|x[0, 0]|x[0]|5|'a'|None} in x                    :: 2x3 :: float32 values
    x.tolist()                                            :: (); 2x3; 0x3 :: float32 int64 bool

    # views and shapes
    x.view(6)                                             :: 2x3; 3x2t; 3x2s :: float32
    x.t().view(6)                                         :: 2x3; 1x6 :: float32
    x.{view|reshape}({4|-1, 4|-1, -1|7|2.0, 3|'a'|None|(2, 3.0)|2, -3}) :: 2x3 :: float32
    x.{squeeze|unsqueeze|transpose|unbind|chunk|flatten}({2|-3|3|-4|'a'|1.0}) :: 2x3 :: float32
    x.transpose({0|0, 2|-3, 0|0, 1.0})                    :: 2x3 :: float32
    x.permute({0|0, 0|0, 2|0, 1, 2|'a'})                  :: 2x3 :: float32
    x.expand({2|3, 3|2, -1|2, 2, 3|-1, 2, 3|0})           :: 2x3 :: float32
    x.{size|stride}({0|-1|2|-3|'a'})                      :: 2x3 :: float32
    {x.shape|x.size()}[{0|-1}]                            :: 2x3 :: float32
    x.{T|mT|H}                                            :: 2x3; 3; () :: float32
    x.{shape|ndim|dtype|requires_grad|is_leaf|grad|is_cuda|is_sparse} :: 2x3 :: float32

    # dims
    x.{sum|mean|prod|std|var|amax|argmax|cumsum|softmax|any|all|norm}({2|-3|'a'})
        :: 2x3 :: float32
    x.{sum|mean|amax|any}(dim={(0, 0)|(0, 2)|[0, 1]|()|None|1.0})    :: 2x3 :: float32
    x.{max|min|median|sort|argsort|topk|kthvalue}({5|-3})  :: 2x3 :: float32
    x.{sum|mean}(axis=1)                                  :: 2x3 :: float32
    x.{sum|mean}(nosuch=1)                                :: 2x3 :: float32

    # reductions of nothing
    x.{sum|prod|mean|std|var|max|min|amax|amin|argmax|argmin|median|any|all|norm|logsumexp}() :: 0 :: float32
    x.{sum|prod|mean|max|amax|argmax|median|any|sort|cumsum|softmax}(0)  :: 0; 0x3; 3x0 :: float32
    x.{sum|prod|mean|max|amax|argmax|median|any|sort|cumsum|softmax}(1)  :: 0x3; 3x0 :: float32
    x.topk({1|0|4|-1})                                    :: 3; 0 :: float32
    x.kthvalue({1|0|4})                                   :: 3; 0 :: float32
    x.quantile({0.5|1.5|-0.1|'a'})                        :: 3; 0 :: float32

    # types
    x.{mean|std|var|softmax|log_softmax|median|logsumexp|norm}()  :: 3 :: int64 bool
    {-x|x - x|x - True|~x|abs(x)|x.sign()|x & 1.5|x << 1.5}       :: 3 :: float32 int64 bool values
    T.{erfinv|lgamma|sigmoid|exp|floor|isnan|relu|sqrt}(x).dtype   :: 3 :: int64 bool
    T.{exp|abs|sum|relu|softmax|argmax}({[1.0]|1.0|None|'a'})      :: 2 :: float32
    x + {'a'|None|[1.0]|(1.0,)|dict()|object()}               :: 3 :: float32
    x.to({'float64'|T.float64|3|None|'nonsense'|'cpu'|T.tensor(1)|float})  :: 3 :: float32 int64
    x.{bool|byte|char|short|int|long|half|float|double|cpu}()     :: 3 :: float32 int64 values
    x.type({T.float64|'nonsense'})                        :: 3 :: float32 int64
    x.type_as(y.double())                                 :: 3 3 :: float32 int64
    x.{double|long}().type_as(x)                          :: 3 :: float32 values
    T.ones(3, requires_grad=True, dtype=T.{int64|bool|float32})
    x.requires_grad_({True|False|})                       :: 3 :: float32 int64 bool
    x.long().requires_grad_()                             :: 3 :: float32
    (x * 2).requires_grad_({True|False})                  :: 3 :: float32 int64

    # in place
    x.{add_|mul_|zero_|fill_}(1)                          :: 2 :: float32 int64
    x.{zero_|neg_|exp_|sqrt_|abs_|sigmoid_|detach_|absolute_|negative_}() :: 2 :: float32 int64
    (x * 1).{zero_|neg_|exp_|sqrt_|abs_|sigmoid_|detach_|absolute_|negative_}() :: 2 :: float32 int64 bool
    (x * 1).{add_|mul_|div_|sub_|pow_|copy_|fmod_|remainder_|floor_divide_}(y)
        :: 2x3 2x3; 2x3 3; 3 2x3; 2x3 2; 2 1; 1 2; () 2 :: float32 int64 values
    x.long().{add_|mul_|div_|sub_|pow_|fill_}({1.5|True|y|1}) :: 2 2 :: float32
    (x > 0).{add_|mul_|sub_|logical_and_|fill_}({1|True|1.5|y}) :: 2 2 :: float32 int64
    x.int().{add_|mul_}({y|1|y.long()})                   :: 2 2 :: int64 float32
    (x * 1).{clamp_(0)|clamp_()|fill_(None)|fill_(y)|masked_fill_(y > 0, 2)|masked_fill_(y, 2)}
        :: 2 2; 2 1 :: float32
    (x.long() > 0).copy_(y)                               :: 2 2; 2 3; 2 1 :: float32 int64
    x.data.{add_|mul_}(1)                                 :: 2 :: float32
    x.detach().{add_|mul_}(1)                             :: 2 :: float32

    # leaving for NumPy
    x.numpy()[0].item()                                   :: 2 :: float32 int64
    (x * 2).numpy()[0].item()                             :: 2 :: float32 int64
    {x.detach()|x.data}.numpy().shape                     :: 2x3 :: float32
    np.asarray(x).shape                                   :: 2x3 :: float32 int64
    np.asarray(x.detach()).shape                          :: 2x3 :: float32
    x.numpy(force=True).shape                             :: 2x3 :: float32

    # indices
    x[{5|-4|0, 3|0, 0, 0|1.0|'a'|None|[5]|0:2:0|0:2:-1|..., ...|T.tensor(7)|T.tensor(0.5)}]
        :: 3x3; 3 :: float32
    x[0]                                                  :: (); 0; 1 :: float32
    x[T.tensor([{True, False|0, 5|-1, -3|-4}])]           :: 3x3 :: float32
    x.{select(0, 5)|select(2, 0)|narrow(0, 2, 2)|narrow(0, -1, 1)|index_select(0, T.tensor([5]))}
        :: 3x3 :: float32
    x.index_select({0, T.tensor([[0]])|0, T.tensor([0.0])|5, T.tensor([0])|0, 1|0, [0]}) :: 3x3 :: float32
    x.gather({0, T.tensor([[5]])|0, T.tensor([[-1]])|0, T.tensor([0])})
        :: 3x3 :: float32
    x.gather({2, T.tensor([[0]])|0, T.tensor([[0.5]])|0, 1})
        :: 3x3 :: float32
    T.gather(x, 1, y.long())                              :: 2x3 2x4; 2x3 3x3; 2x3 2x3 :: bool
    x.{scatter|scatter_add}({0, T.tensor([[5]]), y|0, T.tensor([[-1]]), y})
        :: 3x3 3x3 :: float32
    x.{scatter|scatter_add}({0, T.tensor([0]), y|2, T.tensor([[0]]), y})
        :: 3x3 3x3 :: float32
    x.scatter({0, T.tensor([[0.5]]), y|0, T.tensor([[0]]), y.double()})
        :: 3x3 3x3 :: float32
    x.scatter({0, T.tensor([[0, 1, 2, 0]]), y|0, T.tensor([[1]]), 2})
        :: 3x3 3x3 :: float32
    x.take(T.tensor({5|9|-9|-10|0.5|[0, 1]}))             :: 3x3 :: float32
    x.masked_select({y > 0|y|T.tensor([True])|True})      :: 3x3 3x3; 3x3 2 :: float32
    x.masked_fill({y > 0, 1|y > 0, [1]|y, 1|y > 0, T.tensor([1.0])|y > 0, T.tensor(1)})
        :: 3x3 3x3; 3x3 2 :: float32
    T.where(x > 0, {x, y|x, 1|1, 'a'|x|x, None})          :: 3 3; 3 2 :: float32
    T.where(x, x, y)                                      :: 3 3 :: float32 uint8

    # joining and products
    T.{cat|stack|hstack|vstack}({[]|()|[x]|[x, y]|(x, None)|[x, 1]|x|[[x]]}{|, 0|, 1})
        :: 2x3 2x3; 2x3 3x2; 2 3 :: float32
    T.cat([x, y.{double|long}()])                         :: 2 2 :: float32
    T.{matmul|mm|bmm|mv|dot|inner|outer}(x, y)
        :: 2x3 2x3; 2x3 3x2; 3 3; 3 2; 2x3 3; 2x3 2; 2x2x3 2x3x2; 2x2x3 3x3x2 :: float32
    T.{matmul|mm|mv|inner}(x, {1|None|[1.0]})             :: 3x3 :: float32
    T.{matmul|dot|inner|outer}(x, {1|None|[1.0]})         :: 3 :: float32
    T.bmm(x, {1|None|[1.0]})                              :: 2x3x3 :: float32
    T.{matmul|mm|bmm|mv|dot|inner|outer}(x, {y.double()|y.long()}) :: 3x3 3x3; 3 3 :: float32
    x @ {1|'a'|None|y.long()|y.double()}                  :: 3x3 3x3 :: float32
    T.einsum({'ij,jk'|'ij,jk->ii'|'ij'|'ij,jk,kl'|'ij,kj->ik'|'i,j'|3|'iI,jj->i'}, x, y)
        :: 2x3 3x2; 2x2 2x2 :: float32
    T.broadcast_tensors(x, y)                             :: 2 3; 2 1 :: float32
    x + y                                                 :: 2 3; 2x3 2; 2x3 3; 0 2; 0 1 :: float32
    T.linalg.{inv|det|cholesky|eigh|slogdet}(x)           :: 2x3; 3; () :: float32 int64
    T.linalg.solve(x, y)                                  :: 2x3 2; 3x3 2; 3 3 :: float32

    # going back
    x.backward()                                          :: (); 1; 2; 0 :: float32 int64
    (x * 2).backward({|None|T.tensor(1.0)})               :: (); 1; 2; 2x3 :: float32 int64
    (x * 2).backward({y|1|[1.0]})                         :: () (); 1 1; 2 2; 2x3 2x3 :: float32
    (x * 2).backward({y|y.double()|y.long()})             :: 2 2; 2 3; 2 1; 2x3 3; 1 (); () 1 :: float32
    (x * 2).backward(gradient=y, retain_graph=True)       :: 2 2 :: float32
    x.detach().sum().backward()                           :: 2 :: float32
    (x > 0).sum().backward()                              :: 2 :: float32
    T.autograd.backward({x.sum()|[x.sum(), x.sum()]|x|[]|x.detach()}) :: 2 :: float32
    T.autograd.grad(x.sum(), {x|[x]|(x, y)|[]|x.detach()})        :: 2 2 :: float32 values
    T.autograd.grad((x * 2), x{|, y|, y.double()|, [y]|, T.ones(3)})  :: 2 2 :: float32 values
    T.autograd.grad(x.sum(), y{|, allow_unused=True|, allow_unused=True, materialize_grads=True})
        :: 2 2 :: float32 values
    T.autograd.grad(x.{argmax|long|detach}().sum(), x)    :: 2 :: float32 values
    T.autograd.grad((x * x).sum(), x, create_graph=True)[0].sum() :: 2 :: float32
    T.autograd.gradcheck(T.sin, ({x.double()|x.double().detach()|1},))   :: 2 :: float32 values
    T.autograd.gradcheck({T.exp|lambda t: t.detach() * t}, x{|, raise_exception=False}) :: 2 :: float64 values
    T.autograd.gradgradcheck(T.sin, x)                    :: 2 :: float64 values
    x.retain_grad()                                       :: 2 :: float32 int64
    x.detach().retain_grad()                              :: 2 :: float32
    {x|(x * 2)}.retains_grad                              :: 2 :: float32
    x.register_hook(print) is None                        :: 2 :: float32 int64
    (x * 2).register_post_accumulate_grad_hook(print)     :: 2 :: float32 int64
    x.register_post_accumulate_grad_hook(print) is None   :: 2 :: float32 int64
    x.grad_fn is None                                     :: 2 :: float32
    (x * 2).grad_fn is None                               :: 2 :: float32 int64
    x.storage_offset() + x[1:].storage_offset()           :: 2; 2x3 :: float32

    # missing and surplus arguments
    T.{abs|sum|matmul|cat|stack|clamp|where|gather|reshape|zeros_like|topk}()  :: 2 :: float32
    T.abs(x, 1, 2, 3)                                     :: 2 :: float32
    T.{sum|softmax|relu}(x, nosuch=1)                     :: 2 :: float32
    x.{abs|exp|t|item|numel|dim|detach|clone}(1, 2)       :: 2 :: float32
    x.{polygamma(1)|polygamma(-1)|polygamma('a')}         :: 2 :: float32 positive
    x.polygamma(1)                                        :: 2 :: float32 positive
    T.polygamma(1, x)                                     :: 2 :: float32 positive
    x.qr()[1].abs()                                       :: 3x2; 3 :: float64 values
    """,
    types="float32",
)


@pytest.mark.parametrize("row", rows(TABLE))
def test_refusals(row: Row) -> None:
    check(row)


PROGRAMS = """
    y = (x * x).sum(); y.backward(); y.backward()
    y = (x * x).sum(); y.backward(retain_graph=True); y.backward(); x.grad
    y = x.sum(); y.backward(); y.backward(); x.grad
    y = x.exp(); y.add_(1); y.sum().backward()
    y = x * 1; z = y * y; y.add_(1); z.sum().backward()
    y = x * 1; y += 1; y.sum().backward(); x.grad
    x += 1
    x[0] = 1
    x[0] = x[1]
    x.data[0] = 7; x
    x.grad = T.ones(3); x.grad
    x.grad = T.ones(2)
    x.grad = T.ones(3, dtype=T.int64)
    x.grad = T.ones(3, dtype=T.float64)
    x.grad = 1
    x.grad = None; x.grad
    x.requires_grad = False; x
    y = x * 2; y.requires_grad = False
    y = T.arange(3); y.requires_grad = True
    x.data = T.zeros(4); x.shape
    x.data = [1]
    y = x * 2; y.grad
    y = x * 2; y.retain_grad(); y.sum().backward(); y.grad
    y = x * 2; y.detach_(); y.requires_grad
    y = x[0:2]; y.detach_()
    copy.deepcopy(x)
    copy.deepcopy(x * 2)
    copy.deepcopy((x * 2).detach())
    copy.copy(x)
    hash(x) == hash(x)
    h = x.register_hook(lambda g: g * 2); x.sum().backward(); x.grad
    h = x.register_hook(lambda g: g * 2); h.remove(); x.sum().backward(); x.grad
    h = x.register_hook(lambda g: T.ones(5)); x.sum().backward()
    h = x.register_hook(lambda g: None); x.sum().backward(); x.grad
    with T.no_grad(): y = x * 2;; y.requires_grad
    with T.no_grad(): y = x * 2;; y.sum().backward()
    with T.no_grad(): x += 1;; x
    with T.no_grad(): x.zero_();; x
    with T.enable_grad(): y = x * 2;; y.requires_grad
    with T.set_grad_enabled(False): y = x * 2;; y.requires_grad, T.is_grad_enabled()
    with T.no_grad(), T.enable_grad(): y = x * 2;; y.requires_grad
    with T.inference_mode(): y = x * 2, T.is_inference_mode_enabled();; y[0].requires_grad, y[1]
    with T.autograd.no_grad(): y = x * 2;; y.requires_grad
    with T.autograd.enable_grad(): y = x * 2;; y.requires_grad
    with T.autograd.set_grad_enabled(False): y = x * 2;; y.requires_grad
    with T.autograd.inference_mode(): y = x * 2;; y.requires_grad
    with T.autograd.detect_anomaly(): y = (x * 0).sqrt().mul(0).sum(); y.backward()
    with T.autograd.set_detect_anomaly(True): y = (x * 0).sqrt().mul(0).sum(); y.backward()
    with T.autograd.detect_anomaly(): y = T.is_anomaly_enabled();; y, T.is_anomaly_enabled()
    with T.autograd.detect_anomaly(): x.sum().backward();; x.grad
    y = x.view(3); y.add_(1)
    y = x.detach(); y.add_(1); x
    y = x.clone(); y.fill_(x[0]); y.sum().backward(); x.grad
    y = T.zeros(3); y.copy_(x); y.sum().backward(); x.grad
    y = T.zeros(3); y[1] = x[0]; y.sum().backward(); x.grad
    y = T.zeros(3, dtype=T.int64); y[1] = x[0]; y
    y = T.zeros(2); y.copy_(x)
    y = T.zeros(3).expand(2, 3); y.add_(1)
    y = T.zeros(3).expand(2, 3).clone(); y.add_(1)
    y = x.expand(2, 3); y.contiguous().view(6).sum().backward(); x.grad
    y = x.unbind(); y[0].mul_(2)
    a, b, c = x; b
    y, = x[0:1]; y
    for t in x[0]: pass
    y = {x: 1}; y[x]
    y = x.qr()
"""

# What PyTorch refuses and ours does, because nothing goes wrong.
ALLOWED = """
    y = x * 2; y.requires_grad = True; y
    y = (x * 1).unbind(); y[0].mul_(2)
    with T.inference_mode(): y = x * 2;; (x * y).sum().backward()
    with T.inference_mode(): y = T.ones(3);; y.requires_grad_()
"""

CUSTOM = """
class Twice(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x * scale

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return RETURN
"""


def run(T: Any, program: str) -> Any:
    """The value of the program's last statement (None if it has none); `;;` ends the body of a `with`."""
    names = {"T": T, "copy": copy, "x": T.tensor([1.0, -2.0, 3.0], requires_grad=True)}
    lines = program.replace(";; ", "\n") if program.startswith("with") else program.replace("; ", "\n")
    before, _, last = lines.rpartition("\n")
    try:
        exec(before, names)
        try:
            compile(last, "<last>", "eval")
        except SyntaxError:
            exec(last, names)
            return None
    except Exception as error:
        return Refused(error)
    return evaluate(T, last, names)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("program", [p.strip() for p in PROGRAMS.strip().splitlines()])
def test_programs(program: str) -> None:
    ours, theirs = run(chainrule, program), run(torch, program)
    if not same_refusal(ours, theirs):
        same(ours, theirs)


@pytest.mark.parametrize("program", [p.strip() for p in ALLOWED.strip().splitlines()])
def test_programs_that_only_ours_runs(program: str) -> None:
    assert isinstance(run(torch, program), Refused)
    assert not isinstance(run(chainrule, program), Refused)


@pytest.mark.parametrize(
    "program", ["x.nosuch", "x.append(1)", "x.shape = (3,)", "x.is_leaf = True", "x.dtype = T.float64"]
)
def test_attributes_that_are_not_there_or_fixed(program: str) -> None:
    for T in (chainrule, torch):
        ended = run(T, program)
        assert isinstance(ended, Refused)
        assert isinstance(ended.error, AttributeError)


@pytest.mark.parametrize(
    "returned",
    [
        "grad * ctx.scale, None", "grad * ctx.scale", "grad, grad, grad", "None, None", "grad[0:2], None",
        "grad.double(), None", "1, None", "grad * x, None", "(grad * ctx.scale, None, None)", "'a', None",
        "(None,)", "grad.sum(), None",
    ],
)  # fmt: skip
def test_functions_of_ones_own(returned: str) -> None:
    sides = []
    for T in (chainrule, torch):
        names: dict[str, Any] = {"T": T}
        exec(CUSTOM.replace("RETURN", returned), names)
        names["x"] = T.tensor([1.0, -2.0, 3.0], requires_grad=True)
        sides.append(evaluate(T, "(Twice.apply(x, 2).sum().backward(), x.grad)[1]", names))
    if not same_refusal(*sides):
        same(*sides)
