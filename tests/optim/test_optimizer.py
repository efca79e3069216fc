"""What all optimizers share: groups, state, saving and loading it, and what is refused."""

from __future__ import annotations

import copy

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError, ShapeError
from chainrule.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

ALL = [SGD, Adam, AdamW, RMSprop, Adagrad]


def leaf(*values: float, dtype=torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def descend(opt: Optimizer, *params: torch.Tensor, steps: int = 3) -> None:
    """Some steps down a bowl that is different in each direction."""
    for _ in range(steps):
        opt.zero_grad()
        sum((p**2 * torch.arange(1, p.numel() + 1)).sum() for p in params).backward()
        opt.step()


class TestGroups:
    def test_one_group_of_tensors_takes_the_defaults(self):
        a, b = leaf(1.0), leaf(2.0)
        opt = SGD([a, b], lr=0.5, momentum=0.9)
        [group] = opt.param_groups
        assert group["params"][0] is a
        assert group["params"][1] is b
        assert (group["lr"], group["momentum"], group["nesterov"]) == (0.5, 0.9, False)

    def test_groups_have_options_of_their_own(self):
        a, b = leaf(1.0), leaf(1.0)
        opt = SGD([{"params": [a], "lr": 0.25}, {"params": b}], lr=0.5)
        a.sum().backward()
        b.sum().backward()
        opt.step()
        assert (a.item(), b.item()) == (0.75, 0.5)

    def test_the_given_dicts_are_not_changed(self):
        given = {"params": [leaf(1.0)]}
        SGD([given], lr=0.5)
        assert list(given) == ["params"]

    def test_names_are_kept(self):
        a, b = leaf(1.0), leaf(2.0)
        opt = SGD([("first", a), ("second", b)], lr=0.5)
        assert opt.param_groups[0]["param_names"] == ["first", "second"]
        assert opt.param_groups[0]["params"][1] is b
        assert opt.state_dict()["param_groups"][0]["param_names"] == ["first", "second"]

    def test_a_group_can_be_added(self):
        a, b = leaf(1.0), leaf(1.0)
        opt = SGD([a], lr=0.5)
        opt.add_param_group({"params": [b], "lr": 0.125})
        (a + b).sum().backward()
        opt.step()
        assert (a.item(), b.item()) == (0.5, 0.875)

    def test_options_may_change_between_steps(self):
        a = leaf(1.0)
        opt = SGD([a], lr=0.5)
        for lr in (0.5, 0.25):
            opt.param_groups[0]["lr"] = lr
            a.grad = torch.ones_like(a)
            opt.step()
        assert a.item() == 0.25

    def test_repr_lists_the_options(self):
        opt = SGD([{"params": [leaf(1.0)], "lr": 0.25}, {"params": [leaf(1.0)]}], lr=0.5)
        options = (
            "    dampening: 0\n    differentiable: False\n    foreach: None\n    fused: None\n    lr: {}\n"
            "    maximize: False\n    momentum: 0\n    nesterov: False\n    weight_decay: 0\n"
        )
        assert repr(opt) == (
            f"SGD (\nParameter Group 0\n{options.format(0.25)}\nParameter Group 1\n{options.format(0.5)})"
        )


@pytest.mark.parametrize("method", ALL)
class TestStep:
    def test_changes_the_parameter_in_place_and_records_nothing(self, method):
        a = leaf(1.0, 2.0)
        view = a.detach()
        opt = method([a], lr=0.1)
        descend(opt, a)
        assert a.is_leaf
        assert a.requires_grad
        assert a.grad_fn is None
        assert view.tolist() == a.tolist() != [1.0, 2.0]

    def test_goes_down(self, method):
        a = leaf(1.0, -2.0)
        descend(method([a], lr=0.05), a, steps=20)
        assert 0 < a[0].item() < 1
        assert -2 < a[1].item() < 0

    def test_goes_up_when_maximizing(self, method):
        a = leaf(1.0, -2.0)
        descend(method([a], lr=0.05, maximize=True, weight_decay=0.0), a)
        assert a[0].item() > 1
        assert a[1].item() < -2

    def test_a_parameter_without_a_gradient_is_left_alone(self, method):
        a, b = leaf(1.0), leaf(1.0)
        opt = method([a, b], lr=0.1, weight_decay=0.5)
        a.grad = torch.ones_like(a)
        opt.step()
        assert a.item() != 1.0
        assert b.item() == 1.0

    def test_a_closure_computes_the_loss_with_gradients(self, method):
        a = leaf(3.0)
        opt = method([a], lr=0.1)

        def closure():
            opt.zero_grad()
            loss = (a**2).sum()
            loss.backward()
            return loss

        with torch.no_grad():
            loss = opt.step(closure)
        assert loss.item() == 9.0
        assert a.item() < 3.0

    def test_without_a_closure_gives_none(self, method):
        a = leaf(1.0)
        a.grad = torch.ones_like(a)
        assert method([a], lr=0.1).step() is None

    def test_the_gradient_is_not_changed(self, method):
        a = leaf(1.0, 2.0)
        opt = method([a], lr=0.1, weight_decay=0.1, maximize=True)
        for _ in range(3):
            a.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
            opt.step()
            assert a.grad.tolist() == [3.0, 4.0]

    def test_the_learning_rate_may_be_a_tensor(self, method):
        a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
        lr = torch.tensor(0.125, dtype=torch.float64)
        descend(method([a], lr=lr), a)
        descend(method([b], lr=0.125), b)
        assert a.tolist() == b.tolist()

    def test_a_zero_learning_rate_is_accepted(self, method):
        a = leaf(1.0)
        descend(method([a], lr=0.0), a)
        assert a.item() == 1.0

    def test_float32_parameters_stay_float32(self, method):
        a = leaf(1.0, 2.0, dtype=torch.float32)
        opt = method([a], lr=0.1)
        descend(opt, a)
        assert a.dtype is torch.float32
        values = [v for state in opt.state.values() for v in state.values() if v is not None]
        assert all(v.dtype is torch.float32 for v in values)

    def test_an_empty_parameter_is_no_problem(self, method):
        a = torch.zeros(0, 3, requires_grad=True)
        opt = method([a], lr=0.1)
        a.grad = torch.zeros(0, 3)
        opt.step()
        assert tuple(a.shape) == (0, 3)


class TestZeroGrad:
    def test_forgets_the_gradients(self):
        a = leaf(1.0)
        opt = SGD([a], lr=0.1)
        a.sum().backward()
        opt.zero_grad()
        assert a.grad is None

    def test_or_fills_them_with_zeros_in_place(self):
        a, b = leaf(1.0), leaf(1.0)
        opt = SGD([a, b], lr=0.1)
        a.sum().backward()
        before = a.grad
        opt.zero_grad(set_to_none=False)
        assert a.grad is before
        assert before.tolist() == [0.0]
        assert b.grad is None

    def test_a_gradient_with_a_graph_is_cut_off(self):
        a = leaf(2.0)
        opt = SGD([a], lr=0.1)
        (a**3).sum().backward(create_graph=True)
        assert a.grad.requires_grad
        opt.zero_grad(set_to_none=False)
        assert not a.grad.requires_grad
        assert a.grad.tolist() == [0.0]


OPTIONS = {
    SGD: {"momentum": 0.9},
    Adam: {"amsgrad": True},
    AdamW: {},
    RMSprop: {"momentum": 0.9, "centered": True},
    Adagrad: {"lr_decay": 0.1},
}


class TestStateDict:
    def test_layout(self):
        a, b, c = leaf(1.0), leaf(2.0, 3.0), leaf(4.0)
        opt = SGD([{"params": [a, b]}, {"params": [c], "lr": 0.25}], lr=0.5, momentum=0.9)
        a.grad, c.grad = torch.ones_like(a), torch.full_like(c, 2.0)
        opt.step()
        saved = opt.state_dict()
        assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
        assert [group["lr"] for group in saved["param_groups"]] == [0.5, 0.25]
        assert list(saved["state"]) == [0, 2]
        assert saved["state"][2]["momentum_buffer"].tolist() == [2.0]

    @pytest.mark.parametrize("method", ALL)
    def test_going_on_from_a_saved_state_is_like_not_having_stopped(self, method):
        whole, first = leaf(1.0, -2.0), leaf(1.0, -2.0)
        descend(method([whole], lr=0.1, **OPTIONS[method]), whole, steps=6)

        opt = method([first], lr=0.1, **OPTIONS[method])
        descend(opt, first, steps=3)
        second = first.detach().clone().requires_grad_()
        resumed = method([second], lr=99.0)
        resumed.load_state_dict(opt.state_dict())
        descend(resumed, second, steps=3)
        assert second.tolist() == whole.tolist()
        assert resumed.param_groups[0]["lr"] == 0.1

    @pytest.mark.parametrize("method", ALL)
    def test_the_loaded_tensors_are_copies(self, method):
        a = leaf(1.0, -2.0)
        opt = method([a], lr=0.1, **OPTIONS[method])
        descend(opt, a)
        saved = copy.deepcopy(opt.state_dict())
        before = {name: v.tolist() for name, v in saved["state"][0].items()}
        b = leaf(1.0, -2.0)
        other = method([b], lr=0.1)
        other.load_state_dict(saved)
        descend(other, b)
        assert {name: v.tolist() for name, v in saved["state"][0].items()} == before

    def test_state_takes_the_dtype_of_the_parameter_and_the_count_keeps_its_own(self):
        a = leaf(1.0, 2.0, dtype=torch.float32)
        opt = Adam([a])
        descend(opt, a)
        b = leaf(1.0, 2.0, dtype=torch.float64)
        other = Adam([b])
        other.load_state_dict(opt.state_dict())
        assert {name: v.dtype for name, v in other.state[b].items()} == {
            "step": torch.float32,
            "exp_avg": torch.float64,
            "exp_avg_sq": torch.float64,
        }

    def test_a_plain_number_of_steps_becomes_a_tensor(self):
        a = leaf(1.0)
        opt = Adam([a])
        descend(opt, a)
        saved = opt.state_dict()
        saved["state"][0]["step"] = 3
        opt.load_state_dict(saved)
        descend(opt, a, steps=2)
        assert opt.state[a]["step"].item() == 5.0

    def test_options_that_a_saved_state_does_not_have_are_the_defaults(self):
        opt = SGD([leaf(1.0)], lr=0.5)
        saved = opt.state_dict()
        del saved["param_groups"][0]["maximize"]
        opt.load_state_dict(saved)
        assert opt.param_groups[0]["maximize"] is False

    def test_state_that_belongs_to_no_parameter_is_kept(self):
        opt = SGD([leaf(1.0)], lr=0.5)
        saved = opt.state_dict()
        saved["state"]["global"] = {"seen": 7}
        opt.load_state_dict(saved)
        assert opt.state_dict()["state"]["global"] == {"seen": 7}

    def test_an_optimizer_can_be_copied_with_its_parameters(self):
        a = leaf(1.0, -2.0)
        opt = SGD([a], lr=0.1, momentum=0.9)
        descend(opt, a)
        other = copy.deepcopy(opt)
        [b] = other.param_groups[0]["params"]
        assert b is not a
        descend(opt, a)
        descend(other, b)
        assert a.tolist() == b.tolist()


class TestOwnMethods:
    def test_a_new_method_needs_a_step_only(self):
        class Signs(Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(torch.sign(p.grad), alpha=group["lr"])

        a = leaf(1.0, -2.0)
        descend(Signs([a], lr=0.25), a, steps=2)
        assert a.tolist() == [0.5, -1.5]

    def test_a_method_without_a_step_says_so(self):
        class Nothing(Optimizer):
            pass

        opt = Nothing([leaf(1.0)], {})
        with pytest.raises(NotImplementedError) as info:
            opt.step()
        assert str(info.value) == "Nothing must define step(), which changes the parameters"


def non_leaf():
    return leaf(1.0, 2.0) * 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            (
                list,
                "SGD got no parameters\n"
                "  optimizer got an empty parameter list\n"
                "  try: call model.parameters() anew for each optimizer (it can be walked through once),"
                " and check that the model has layers",
            ),
            (
                lambda: leaf(1.0),
                "SGD got a single Tensor\n"
                "  params must be an iterable of Tensors or dicts, in a fixed order\n"
                "  try: [tensor]",
            ),
            (
                lambda: {leaf(1.0)},
                "SGD got a set of parameters\n"
                "  params must be an iterable of Tensors or dicts, in a fixed order;"
                " a set changes its order between runs\n"
                "  try: a list",
            ),
            (
                lambda: TestRefusals.parameters,
                "SGD got a function\n"
                "  params must be an iterable of Tensors or dicts, in a fixed order\n"
                "  try: model.parameters()",
            ),
            (
                lambda: [1.0],
                "SGD got a float as parameter 0\n  optimizer can only optimize Tensors",
            ),
            (
                lambda: [{"lr": 0.1}],
                "SGD got a dict as a parameter group\n"
                "  param_group must be a dict with the parameters under 'params'\n"
                "  try: {'params': layer.parameters(), 'lr': 0.01}",
            ),
            (
                lambda: [("w", leaf(1.0)), leaf(2.0)],
                "SGD got 1 parameters with and 1 without a name\n"
                "  all optimizer params should be with/without names",
            ),
        ],
    )
    def test_what_is_not_parameters(self, params, message):
        with pytest.raises(ArgumentError) as info:
            SGD(params(), lr=0.1)
        assert info.value.summary == message

    @staticmethod
    def parameters():
        return []

    def test_a_computed_tensor(self):
        with pytest.raises(ArgumentError) as info:
            SGD([leaf(1.0), non_leaf()], lr=0.1)
        assert info.value.summary == (
            "SGD got parameter 1 of shape (2,), which was computed by <MulBackward0>\n"
            "  can't optimize a non-leaf Tensor: its gradient goes on to what it was computed from\n"
            "  try: the tensor as it was made, with requires_grad=True, or .detach().requires_grad_()"
        )

    def test_a_computed_tensor_that_keeps_its_gradient_is_accepted(self):
        x = non_leaf()
        x.retain_grad()
        x.sum().backward()
        SGD([x], lr=0.5).step()
        assert x.tolist() == [1.5, 3.5]

    def test_a_parameter_in_two_groups(self):
        a = leaf(1.0)
        with pytest.raises(ArgumentError) as info:
            SGD([{"params": [a]}, {"params": [leaf(2.0), a]}], lr=0.1)
        assert info.value.summary == (
            "SGD got a parameter that is in group 0 and in group 1\n"
            "  some parameters appear in more than one parameter group"
        )

    def test_a_parameter_twice_in_a_group_warns(self):
        a = leaf(1.0)
        message = (
            "SGD got a parameter group with duplicate parameters:"
            " a parameter that is there twice is changed twice in each step"
        )
        with pytest.warns(UserWarning, match=f"^{message}$"):
            SGD([a, a], lr=0.1)

    def test_names_in_one_group_only(self):
        opt = SGD([("a", leaf(1.0))], lr=0.1)
        with pytest.raises(ArgumentError) as info:
            opt.add_param_group({"params": [leaf(2.0)]})
        assert info.value.summary == (
            "SGD got groups with and without names of parameters\n"
            "  all optimizer param groups should be with/without names"
        )

    @pytest.mark.parametrize("method", ALL)
    @pytest.mark.parametrize("lr", [-0.1, float("nan"), "0.1", None])
    def test_a_wrong_learning_rate(self, method, lr):
        with pytest.raises(ArgumentError) as info:
            method([leaf(1.0)], lr=lr)
        assert info.value.summary == (
            f"{method.__name__}: Invalid learning rate: {lr!r}\n  lr must be a number, at least 0"
        )

    def test_a_learning_rate_of_several_numbers(self):
        with pytest.raises(ArgumentError) as info:
            SGD([leaf(1.0)], lr=torch.tensor([0.1, 0.2]))
        assert info.value.summary == "SGD got lr of shape (2,)\n  Tensor lr must be 1-element"

    @pytest.mark.parametrize("method", ALL)
    def test_a_step_that_can_be_differentiated(self, method):
        with pytest.raises(ArgumentError) as info:
            method([leaf(1.0)], lr=0.1, differentiable=True)
        assert info.value.summary == (
            f"{method.__name__} got differentiable=True\n"
            "  a step changes parameters in place and is not recorded for a gradient\n"
            "  try: w = w - lr * torch.autograd.grad(loss, w, create_graph=True)[0], without an optimizer"
        )

    def test_a_state_with_other_groups(self):
        two = SGD([{"params": [leaf(1.0)]}, {"params": [leaf(1.0)]}], lr=0.1)
        with pytest.raises(ArgumentError) as info:
            SGD([leaf(1.0)], lr=0.1).load_state_dict(two.state_dict())
        assert info.value.summary == (
            "SGD got a state for 2 parameter groups, but has 1\n"
            "  loaded state dict has a different number of parameter groups"
        )

    def test_a_state_with_a_group_of_another_size(self):
        two = SGD([leaf(1.0), leaf(1.0)], lr=0.1)
        with pytest.raises(ArgumentError) as info:
            SGD([leaf(1.0)], lr=0.1).load_state_dict(two.state_dict())
        assert info.value.summary == (
            "SGD got a state for groups of [2] parameters, but its groups have [1]\n"
            "  loaded state dict contains a parameter group that doesn't match the size of"
            " optimizer's group\n"
            "  try: the model and the groups that the state was saved with"
        )

    def test_a_state_for_parameters_of_another_shape(self):
        a = leaf(1.0, 2.0)
        opt = Adam([a])
        descend(opt, a)
        with pytest.raises(ShapeError) as info:
            Adam([leaf(1.0)]).load_state_dict(opt.state_dict())
        assert info.value.summary == (
            "Adam got a state with exp_avg of shape (2,) for parameter 0 of shape (1,)\n"
            "  a state belongs to parameters of the same shapes in the same order\n"
            "  try: the model that the state was saved with"
        )

    def test_a_models_state(self):
        with pytest.raises(ArgumentError) as info:
            SGD([leaf(1.0)], lr=0.1).load_state_dict({"weight": torch.zeros(1)})
        assert info.value.summary == (
            "SGD got a dict with keys ['weight']\n"
            "  an optimizer's state has the keys 'state' and 'param_groups'\n"
            "  try: optimizer.state_dict() when saving; model.load_state_dict for a model's"
        )
