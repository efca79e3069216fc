"""Module: registration, names, modes, conversion, printing, and the texts of its errors."""

from __future__ import annotations

import copy

import pytest

import chainrule as torch
from chainrule import nn
from tests.nn.close import close


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("offset", torch.zeros(4))
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.fc(x)) * self.scale + self.offset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Block()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.encoder(x))


def test_parts_are_found_by_path():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "encoder.scale", "encoder.fc.weight", "encoder.fc.bias", "head.weight", "head.bias",
    ]  # fmt: skip
    assert [n for n, _ in net.named_buffers()] == ["encoder.offset"]
    assert [n for n, _ in net.named_modules()] == ["", "encoder", "encoder.fc", "encoder.act", "head"]
    assert [n for n, _ in net.named_children()] == ["encoder", "head"]
    assert len(list(net.parameters(recurse=False))) == 0
    assert net.get_parameter("encoder.scale") is net.encoder.scale
    assert net.get_buffer("encoder.offset") is net.encoder.offset


def test_a_shared_parameter_is_given_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    # and its gradient is the sum over both uses
    x = torch.ones(1, 3)
    net(x).sum().backward()
    shared = net[0].weight.grad.numpy().copy()
    apart = copy.deepcopy(net)
    apart[1].weight = nn.Parameter(net[0].weight.detach().clone())
    apart.zero_grad()
    apart(x).sum().backward()
    close(shared, apart[0].weight.grad.numpy() + apart[1].weight.grad.numpy())


def test_mode_reaches_everything():
    net = Net().eval()
    assert [m.training for m in net.modules()] == [False] * 5
    assert net.train() is net
    assert all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train(1)


def test_apply_initialises():
    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.zeros_(m.weight)

    net = Net().apply(init)
    assert net.head.weight.abs().sum().item() == 0.0
    assert net.encoder.fc.weight.abs().sum().item() == 0.0


def test_freezing():
    net = Net()
    net.encoder.requires_grad_(False)
    net(torch.ones(2, 3)).sum().backward()
    assert net.encoder.scale.grad is None
    assert net.head.weight.grad is not None


def test_zero_grad():
    net = Net()
    net(torch.ones(2, 3)).sum().backward()
    grad = net.head.bias.grad
    net.zero_grad(set_to_none=False)
    assert net.head.bias.grad is grad
    assert grad.tolist() == [0.0, 0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversion_trains_on():
    net = Net().double()
    assert {p.dtype for p in net.parameters()} == {torch.float64}
    assert net.encoder.offset.dtype == torch.float64
    out = net(torch.ones(2, 3, dtype=torch.float64))
    assert out.dtype == torch.float64
    out.sum().backward()
    assert net.head.weight.grad.dtype == torch.float64
    net.float()
    assert net.head.weight.grad.dtype == torch.float32
    assert net.to(dtype=torch.float16).head.weight.dtype == torch.float16
    assert net.to("cpu").cpu() is net


def test_whole_numbers_are_not_converted():
    net = nn.BatchNorm1d(2).half()
    assert (net.running_mean.dtype, net.num_batches_tracked.dtype) == (torch.float16, torch.int64)
    assert net.type(torch.float64).num_batches_tracked.dtype == torch.float64


def test_deep_copy_is_independent():
    net = Net()
    net(torch.ones(2, 3)).sum().backward()
    other = copy.deepcopy(net)
    assert other.head.weight is not net.head.weight
    assert other.head.weight.tolist() == net.head.weight.tolist()
    assert other.head.weight.grad is None
    with torch.no_grad():
        net.head.weight.zero_()
    assert other.head.weight.abs().sum().item() > 0
    other(torch.ones(2, 3)).sum().backward()
    assert other.head.weight.grad is not None


def test_repr():
    assert repr(Net()) == (
        "Net(\n"
        "  (encoder): Block(\n"
        "    (fc): Linear(in_features=3, out_features=4, bias=True)\n"
        "    (act): ReLU()\n"
        "  )\n"
        "  (head): Linear(in_features=4, out_features=2, bias=True)\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


def test_own_names_are_completed():
    names = dir(Net())
    assert {"encoder", "head", "forward", "parameters"} <= set(names)
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


def test_older_way_of_registering():
    # Course code written for older versions puts modules straight into the registry.
    class Row(nn.Module):
        def __init__(self, *args):
            super().__init__()
            for i, module in enumerate(args):
                self._modules[str(i)] = module

        def forward(self, x):
            for block in self._modules.values():
                x = block(x)
            return x

    net = Row(nn.Linear(3, 2), nn.ReLU())
    assert net(torch.ones(1, 3)).shape == (1, 2)
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias"]


def test_names_change_hands():
    net = Net()
    net.head = nn.Parameter(torch.ones(1))
    assert [n for n, _ in net.named_children()] == ["encoder"]
    del net.head
    assert not hasattr(net, "head")
    net.head = None  # an ordinary attribute now
    assert net.head is None
    net.encoder = None  # a module's place, empty
    assert list(net.named_children()) == []
    net.encoder = Block()
    assert [n for n, _ in net.named_children()] == ["encoder"]


def test_replaced_submodule():
    net = Net()
    net.set_submodule("encoder.act", nn.Tanh())
    assert isinstance(net.encoder.act, nn.Tanh)
    net.set_submodule("extra", nn.Tanh())
    assert isinstance(net.extra, nn.Tanh)


class Unready(nn.Module):
    def __init__(self, value):
        self.value = value


def without_forward():
    nn.Module()(torch.ones(1))


ERRORS = [
    (
        lambda: Unready(nn.ReLU()), AttributeError,
        "cannot assign module before Module.__init__() call\n"
        "  try: super().__init__() as the first line of Unready.__init__, before self.value = ...",
    ),
    (
        lambda: Unready(nn.Parameter(torch.ones(1))), AttributeError,
        "cannot assign parameters before Module.__init__() call\n"
        "  try: super().__init__() as the first line of Unready.__init__, before self.value = ...",
    ),
    (
        lambda: Unready(1).register_buffer("b", None), AttributeError,
        "cannot assign buffer before Module.__init__() call\n"
        "  try: super().__init__() as the first line of Unready.__init__, before self.b = ...",
    ),
    (
        lambda: list(Unready(1).parameters()), AttributeError,
        "Module.__init__() was not called\n"
        "  try: super().__init__() as the first line of Unready.__init__",
    ),
    (
        lambda: setattr(Net().encoder, "scale", torch.ones(4)), TypeError,
        "cannot assign 'chainrule.tensor.Tensor' as parameter 'scale' (Parameter or None expected)\n"
        "  try: wrap it in nn.Parameter(...), or copy into it: with no_grad(): p.copy_(x)",
    ),
    (
        lambda: setattr(Net(), "head", 3), TypeError,
        "cannot assign 'int' as child module 'head' (Module or None expected)",
    ),
    (
        lambda: setattr(Block(), "offset", 3), TypeError,
        "cannot assign 'int' as buffer 'offset' (Buffer, Tensor or None expected)",
    ),
    (
        lambda: Net().register_parameter("w", torch.ones(1)), TypeError,
        "cannot assign 'chainrule.tensor.Tensor' object to parameter 'w' (Parameter or None required)",
    ),
    (
        lambda: Net().register_buffer("w", 1.0), TypeError,
        "cannot assign 'float' object to buffer 'w' (Tensor or None required)",
    ),
    (lambda: Net().add_module("m", str), TypeError, "str is not a Module subclass"),
    (lambda: Net().add_module("m", nn.ReLU), TypeError,
     "chainrule.nn.activation.ReLU is not a Module subclass"),
    (lambda: Net().set_submodule("m", 3), ValueError, "int is not a Module subclass"),
    (lambda: Net().set_submodule("", nn.ReLU()), ValueError,
     "cannot set the submodule without a target name"),
    (lambda: Net().register_buffer(1, None), TypeError, "buffer name should be a string. Got int"),
    (lambda: Net().add_module("a.b", nn.ReLU()), KeyError, "'module name can\\'t contain \".\", got: a.b'"),
    (lambda: Net().add_module("", nn.ReLU()), KeyError, "'module name can\\'t be empty string \"\"'"),
    (lambda: Net().register_buffer("head", None), KeyError, "\"attribute 'head' already exists\""),
    (lambda: Net().heads, AttributeError, "'Net' object has no attribute 'heads'"),
    (
        lambda: Net().get_submodule("encoder.fcc"), AttributeError,
        "'fcc' is not in Block (did you mean 'fc'?) (path 'encoder.fcc')",
    ),
    (
        lambda: Net().get_submodule("encoder.scale"), AttributeError,
        "'scale' is not an nn.Module (path 'encoder.scale')",
    ),
    (
        lambda: Net().get_parameter("head.wieght"), AttributeError,
        "'wieght' is not in Linear (did you mean 'weight'?) (path 'head.wieght')",
    ),
    (
        lambda: Net().get_parameter("encoder.offset"), AttributeError,
        "'offset' is not an nn.Parameter (path 'encoder.offset')",
    ),
    (
        lambda: Net().set_submodule("encoder.nothing", nn.ReLU(), strict=True), AttributeError,
        "'nothing' is not in Block (path 'nothing')",
    ),
    (without_forward, NotImplementedError, 'Module [Module] is missing the required "forward" function'),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_a_computed_parameter_is_refused():
    param = nn.Parameter(torch.ones(2), requires_grad=False)
    param.add_(torch.ones(2, requires_grad=True))
    with pytest.raises(ValueError) as caught:
        Net().register_parameter("w", param)
    assert str(caught.value) == (
        "cannot assign a computed tensor to parameter 'w': a parameter must be a leaf\n"
        "  try: compute it in forward() from the parameters it depends on, or Parameter(x.detach())"
    )


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            ("cuda:0",),
            "Module.to got device 'cuda:0'\n  the only device is 'cpu'\n  try: leave the device out",
        ),
        (
            (torch.int64,),
            "Module.to got torch.int64\n"
            "  parameters are converted to floating-point types only\n"
            "  try: torch.float32 or torch.float64",
        ),
    ],
)
def test_conversions_that_are_refused(args, text):
    with pytest.raises(torch.ArgumentError) as caught:
        Net().to(*args)
    assert caught.value.summary == text
