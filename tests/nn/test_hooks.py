"""Hooks: order, what they see and may change, removal, and the gradients of modules."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule import nn
from tests.nn.close import close


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x, plus=0.0):
        return x * self.factor + plus


def test_order_and_prepend():
    seen = []
    layer = Scale(2.0)
    for word in ("a", "b"):
        layer.register_forward_pre_hook(lambda *_, word=word: seen.append("pre " + word))
        layer.register_forward_hook(lambda *_, word=word: seen.append("post " + word))
    layer.register_forward_pre_hook(lambda *_: seen.append("pre first"), prepend=True)
    layer.register_forward_hook(lambda *_: seen.append("post first"), prepend=True)
    layer(torch.ones(1))
    assert seen == ["pre first", "pre a", "pre b", "post first", "post a", "post b"]


def test_changes_on_the_way():
    layer = Scale(2.0)
    layer.register_forward_pre_hook(lambda module, args: args[0] + 1)  # not a tuple: it becomes one
    layer.register_forward_hook(lambda module, args, output: output + args[0])
    assert layer(torch.tensor([1.0])).tolist() == [6.0]  # (1 + 1) * 2 + (1 + 1)


def test_keyword_arguments():
    layer = Scale(2.0)
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"plus": 10.0}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, out: out + kwargs["plus"], with_kwargs=True)
    assert layer(torch.tensor([1.0]), plus=1.0).tolist() == [22.0]


def test_a_pre_hook_with_kwargs_that_returns_one_thing():
    layer = Scale(2.0)
    layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(torch.ArgumentError) as caught:
        layer(torch.ones(1))
    assert caught.value.summary == (
        "a forward pre-hook with kwargs got the result 3\n  it must return None or a tuple (args, kwargs)"
    )


def test_removal():
    seen = []
    layer = Scale(2.0)
    handle = layer.register_forward_hook(lambda *_: seen.append(1))
    with layer.register_forward_hook(lambda *_: seen.append(2)):
        layer(torch.ones(1))
    layer(torch.ones(1))
    handle.remove()
    handle.remove()
    layer(torch.ones(1))
    assert seen == [1, 2, 1]


def test_a_hook_that_removes_itself():
    seen = []
    layer = Scale(2.0)

    def once(*_):
        seen.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(torch.ones(1))
    layer(torch.ones(1))
    assert seen == [1]


def test_always_call_runs_after_a_failure():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    seen = []
    layer = Fails()
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("not called"))
    with pytest.raises(KeyError, match="mine"):
        layer(torch.ones(1))
    assert seen == [None]


def test_a_failing_hook_does_not_hide_the_first_error():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    def hook(module, args, output):
        raise ValueError("the hook's own")

    layer = Fails()
    layer.register_forward_hook(hook, always_call=True)
    with pytest.warns(UserWarning, match="passed over") as caught, pytest.raises(KeyError, match="mine"):
        layer(torch.ones(1))
    assert str(caught[0].message) == (
        "a forward hook of Fails with always_call=True raised ValueError: the hook's own\n"
        "  it was passed over, because forward itself failed; its own error follows"
    )


def test_backward_hooks_see_the_gradients_of_the_module():
    seen = {}
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    net[0].register_full_backward_hook(lambda m, gi, go: seen.update(inner=(gi, go)))
    net.register_full_backward_pre_hook(lambda m, go: seen.update(pre=go))
    x = torch.randn(4, 3, requires_grad=True)
    out = net(x)
    out.sum().backward()
    (grad_input,), (grad_output,) = seen["inner"]
    slope = 1 - out.detach() ** 2
    close(grad_output.numpy(), slope.numpy())
    close(grad_input.numpy(), (slope @ net[0].weight.detach()).numpy())
    close(x.grad.numpy(), grad_input.numpy())
    assert seen["pre"][0].tolist() == torch.ones(4, 2).tolist()


def test_backward_hooks_change_gradients():
    layer = Scale(2.0)
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0] + go[0],))
    x = torch.ones(2, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [30.0, 30.0]  # 10 * 2 + 10


def test_several_inputs_and_outputs():
    class Both(nn.Module):
        def forward(self, x, word, y):
            return x * y, word, x + y

    seen = []
    layer = Both()
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    product, word, total = layer(x, "word", y)
    assert word == "word"
    (product + 3 * total).backward()
    ((grad_input, grad_output),) = seen
    assert [None if g is None else g.item() for g in grad_output] == [1.0, None, 3.0]
    assert [None if g is None else g.item() for g in grad_input] == [8.0, None, 5.0]
    assert (x.grad.item(), y.grad.item()) == (8.0, 5.0)


def test_inputs_without_gradient():
    seen = []
    layer = nn.Linear(3, 2)
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    layer(torch.ones(1, 3)).sum().backward()
    assert seen == [((None,), [[1.0, 1.0]])]
    assert layer.weight.grad is not None


def test_a_gradient_where_no_input_wants_one():
    layer = nn.Linear(3, 2)
    layer.register_full_backward_hook(lambda m, gi, go: (go[0],))
    with pytest.raises(torch.ArgumentError) as caught:
        layer(torch.ones(1, 3)).sum().backward()
    assert caught.value.summary == (
        "a backward hook got no input that wants a gradient, and returned one\n"
        "  it must return None, or None for each input"
    )


def test_the_wrong_number_of_gradients():
    layer = Scale(2.0)
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(torch.ArgumentError) as caught:
        layer(torch.ones(2, requires_grad=True)).sum().backward()
    assert caught.value.summary == (
        "a backward hook got 1 gradients and returned 2\n  it must return None or one grad_input for each"
    )


def test_backward_hooks_do_nothing_without_a_tape():
    layer = nn.Linear(3, 2)
    layer.register_full_backward_hook(lambda *_: pytest.fail("called"))
    with torch.no_grad():
        assert not layer(torch.ones(1, 3)).requires_grad


def test_a_result_that_is_no_tensor_warns():
    class Table(nn.Module):
        def forward(self, x):
            return {"out": x}

    layer = Table()
    layer.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="will not be called") as caught:
        layer(torch.ones(1, requires_grad=True))
    assert str(caught[0].message) == (
        "Table has a backward hook and returned a dict\n"
        "  its hook will not be called: that needs a Tensor or a tuple of Tensors"
    )


def test_a_module_used_twice():
    seen = []
    layer = Scale(3.0)
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].item(), go[0].item())))
    x = torch.tensor(1.0, requires_grad=True)
    layer(layer(x)).backward()
    assert seen == [(3.0, 1.0), (9.0, 3.0)]
