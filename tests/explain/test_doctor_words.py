"""What the doctor says: each finding in full, with N for the numbers that depend on a seed."""

from __future__ import annotations

import math
import re

import pytest

import chainrule as cr
from chainrule import nn
from chainrule.explain.doctor import Finding, Report
from chainrule.nn import functional as F

from .patients import HEALTHY, ILL, Branching, line


def words(finding: Finding) -> str:
    """The text of a finding, with N for each number that depends on a seed."""
    text = f"{finding.severity}: {finding.text}; try {finding.hint}"
    return re.sub(r"(?<![\w.'])\d+(,\d{3})*(\.\d+)?(e[+-]?\d+)?", "N", text)


def report_of(name: str, seed: int = 0) -> Report:
    patient = ILL[name][2] if name in ILL else HEALTHY[name]
    return cr.doctor(*patient(seed))


TEXTS = {
    "dead_relus": (
        "serious: N of N units are N for all N rows of the batch, so no gradient passes them and they "
        "cannot come back; try a smaller learning rate, biases that start at N, weights from "
        "nn.init.kaiming_normal_, or nn.LeakyReLU instead"
    ),
    "dead_relus_of_a_function": (
        "serious: N of N units are N for all N rows of the batch, so no gradient passes them and they "
        "cannot come back; try a smaller learning rate, biases that start at N, weights from "
        "nn.init.kaiming_normal_, or nn.LeakyReLU instead"
    ),
    "saturated_sigmoids": (
        "warning: N% of its outputs are at a flat end of N / (N + exp(-x)), where its derivative is "
        "below N% of its steepest, so hardly any gradient passes; try smaller starting weights "
        "(nn.init.xavier_uniform_), standardised inputs, or nn.BatchNorm1d before it"
    ),
    "saturated_tanh": (
        "serious: N% of its outputs are at a flat end of tanh(x), where its derivative is below N% of "
        "its steepest, so hardly any gradient passes; try smaller starting weights "
        "(nn.init.xavier_uniform_), standardised inputs, or nn.BatchNorm1d before it"
    ),
    "ten_sigmoid_layers": (
        "serious: on its way from '20' back to '0' the gradient becomes N times smaller: the weights "
        "multiply it by about N, the activations by N/N; it starts at '16'; try ReLU in the place of "
        "sigmoid or tanh, nn.BatchNorm1d between the layers, fewer layers, or a shortcut around them (x "
        "+ layer(x))"
    ),
    "weights_too_small": (
        "serious: on its way from '16' back to '0' the gradient becomes N times smaller: the weights "
        "multiply it by N/N, the activations by about N; it starts at '12'; try starting weights that "
        "keep the variance: nn.init.kaiming_normal_ before ReLU, nn.init.xavier_normal_ before tanh; or "
        "nn.BatchNorm1d between the layers"
    ),
    "weights_too_large": (
        "serious: on its way from '20' back to '0' the gradient becomes N times larger: the weights "
        "multiply it by N, the activations by N/N; it starts at '14'; try smaller starting weights "
        "(nn.init.kaiming_normal_ before ReLU, nn.init.xavier_normal_ before tanh), nn.BatchNorm1d "
        "between the layers, or nn.utils.clip_grad_norm_ before each step"
    ),
    "variance_that_fades": (
        "warning: from '0' to '12' the spread of the outputs becomes N times smaller, N times in each "
        "layer, where N would keep it; try starting weights of variance N / inputs before ReLU "
        "(nn.init.kaiming_normal_) or N / (inputs + outputs) before tanh (nn.init.xavier_normal_), or "
        "nn.BatchNorm1d between the layers"
    ),
    "rate_beyond_the_curvature": (
        "serious: N steps of SGD on this batch, with lr=N, take the loss from N to N; the loss curves "
        "with λ = N here, so that lr · λ = N, and from N on steps overshoot further each time; try lr=N,"
        " which is about N / λ, or less"
    ),
    "adam_with_rate_5": (
        "serious: N steps of Adam on this batch, with lr=N, take the loss from N to N; try lr=N, or less"
    ),
    "rate_of_a_billionth": (
        "warning: N steps of SGD on this batch, with lr=N, lower the loss by N; one step of a good "
        "length along the gradient lowers it by N; try lr=N, which is about N / λ, or more"
    ),
    "adam_with_rate_1e_8": (
        "warning: N steps of Adam on this batch, with lr=N, lower the loss by N; one step of a good "
        "length along the gradient lowers it by N; try lr=N for SGD, lr=N for Adam"
    ),
    "rate_of_zero": (
        "serious: the learning rate of SGD is N: no step changes anything; try lr=N for SGD, lr=N for "
        "Adam, or a look at the schedule that has made it N"
    ),
    "logarithm_of_zero": (
        "serious: log(x) of finite numbers (N, N) makes an infinity, the first one, at "
        "tests/explain/patients.py:N; try keeping its inputs in range: log(x + N) for log(x), "
        "log_softmax for log(softmax(x)), a smaller learning rate if the numbers have grown"
    ),
    "root_of_zero": (
        "serious: backward of sqrt(x) (recorded at tests/explain/patients.py:N) got a finite gradient "
        "and made one () for input x that has an infinity; try keeping the inputs away from where the "
        "derivative is infinite, for instance sqrt(x + N) for sqrt(x)"
    ),
    "missing_value_in_the_batch": (
        "serious: NaN in the input of the batch, first at [N, N]; try filling or dropping missing values"
        " before training (x.isfinite() finds them)"
    ),
    "unused_layer": (
        "serious: N.weight and N.bias get no gradient: forward never uses them; try using the layer in "
        "forward(), or leaving it out of the model"
    ),
    "detached_layer": (
        "serious: body.weight and body.bias get no gradient although the layer is used: something "
        "between it and the loss cuts it off; try a look for .detach(), .data, .item(), numpy() or "
        "no_grad after it"
    ),
    "constant_weights": (
        "serious: all N units compute the same and get the same gradient, so they stay alike: the layer "
        "is worth one unit; try random starting values, such as nn.init.kaiming_uniform_"
    ),
    "weights_of_zero": (
        "serious: all N numbers of N.weight are N, and so is its gradient: it will stay N; try random "
        "starting values, such as nn.init.kaiming_uniform_"
    ),
    "one_layer_of_zero": (
        "warning: all N numbers of N.weight are N: the layers after it see nothing of the input, and "
        "those before it get no gradient until it has moved; try random starting values, such as "
        "nn.init.kaiming_uniform_"
    ),
    "input_that_is_not_used": (
        "serious: the prediction, the loss and all gradients stay the same when other rows are put in: "
        "nothing depends on the input; try a look at forward(): is the result computed from its "
        "argument, and not from another variable?"
    ),
    "labels_from_one": (
        "serious: the labels go from N to N, but the model has N outputs, for the classes N to N; try "
        "target - N: class numbers start at N"
    ),
    "softmax_before_cross_entropy": (
        "serious: the model ends in a softmax (each row of its output sums to N), and CrossEntropyLoss "
        "takes the softmax of that again: its gradients become small, and the loss cannot come near N; "
        "try the model without its softmax: give the loss the scores"
    ),
    "sigmoid_before_its_loss": (
        "serious: the model ends in a sigmoid, and BCEWithLogitsLoss takes the sigmoid of that again: "
        "probabilities can then only lie between N and N; try the model without its sigmoid, or "
        "nn.BCELoss, which takes probabilities"
    ),
    "scores_for_nll_loss": (
        "serious: NLLLoss is minus the output at the label, and wants logarithms of probabilities, but "
        "the output is none: exp(output) does not sum to N in each row; try nn.LogSoftmax(dim=N) at the "
        "end of the model, or nn.CrossEntropyLoss, which has it inside"
    ),
    "income_beside_age": (
        "warning: feature N of its input has a standard deviation of N, feature N one of N; one learning"
        " rate cannot suit all its weights; try standardising each feature, (x - mean) / std with the "
        "numbers of the training rows, or nn.BatchNorm1d as the first layer"
    ),
    "pixels_from_0_to_255": (
        "warning: the numbers of its input are large: their root mean square is N; one learning rate "
        "cannot suit all its weights; try standardising each feature, (x - mean) / std with the numbers "
        "of the training rows, or nn.BatchNorm1d as the first layer"
    ),
    "column_against_row": (
        "serious: predictions (N, N) and targets (N,) broadcast to (N, N): each of the N predictions is "
        "compared with each of the N targets, and the model learns their mean; try "
        "target.reshape(output.shape)"
    ),
    "layer_that_the_optimizer_does_not_have": (
        "serious: N.weight, N.bias: no step will change them; try requires_grad_(False), if that is "
        "meant; else optimizer.add_param_group, or the optimizer made from model.parameters() once the "
        "model is complete"
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_words_of_the_findings(name: str) -> None:
    (finding,) = report_of(name).findings
    assert words(finding) == TEXTS[name]


def test_every_fault_has_its_words_tested() -> None:
    assert set(TEXTS) == set(ILL)


def test_line_of_the_first_nan() -> None:
    (finding,) = report_of("logarithm_of_zero").findings
    code = Branching.__init__.__code__.co_filename  # the file of the patients
    with open(code, encoding="utf-8") as source:
        number = 1 + next(i for i, text in enumerate(source) if "x.relu().log()" in text)
    assert re.search(rf"patients\.py:{number}$", finding.text)


def test_first_nan_in_the_parameters() -> None:
    model, batch, loss, _ = HEALTHY["linear_regression"](0)
    model.bias.data[0] = math.inf
    (finding,) = cr.doctor(model, batch, loss).findings
    assert (finding.kind, finding.where) == ("not finite", "bias")
    assert words(finding) == (
        "serious: an infinity among its N numbers, before anything has run; try making the model anew, "
        "with a "
        "smaller learning rate than the one that it came from"
    )


def test_the_target_may_hold_the_nan() -> None:
    model, (x, y), loss, _ = HEALTHY["linear_regression"](0)
    y[5, 0] = math.nan
    (finding,) = cr.doctor(model, (x, y), loss).findings
    assert finding.text == "NaN in the target of the batch, first at [5, 0]"


def test_everything_cut_off() -> None:
    x, y = line(0)
    model = nn.Linear(3, 1)
    (finding,) = cr.doctor(model, (x, y), lambda output, y: F.mse_loss(output.detach(), y)).findings
    assert str(finding) == (
        "no gradient: the loss has no gradient for any parameter: it was not computed from them, or was "
        "cut off "
        "from them; try a look for .detach(), .data, .item(), numpy() or no_grad between the parameters "
        "and the "
        "loss"
    )


def test_an_optimizer_of_another_model() -> None:
    batch = line(0)
    other = cr.optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1)
    (finding,) = cr.doctor(nn.Linear(3, 1), batch, nn.MSELoss(), other).findings
    assert str(finding) == (
        "not in the optimizer: the optimizer has none of the model's parameters: no step will change the "
        "model; "
        "try the optimizer made anew from model.parameters(), after the last change of the model"
    )


@pytest.mark.parametrize(
    ("labels", "given", "hint"),
    [
        ([0, 7], "0 to 7", "8 outputs in the last layer, or look at where the labels come from"),
        ([-1, 2], "-1 to 2", "ignore_index for rows without a label, or look at where the labels come from"),
        ([1, 3], "1 to 3", "target - 1: class numbers start at 0"),
    ],
)
def test_labels_out_of_range(labels: list[int], given: str, hint: str) -> None:
    batch = (cr.randn(2, 2), cr.tensor(labels))
    (finding,) = cr.doctor(nn.Linear(2, 3), batch, nn.CrossEntropyLoss()).findings
    assert str(finding) == (
        f"labels out of range: the labels go from {given}, but the model has 3 outputs, for the classes 0 "
        f"to 2; try {hint}"
    )


def test_inputs_far_from_zero() -> None:
    cr.manual_seed(0)
    year = 2000 + cr.arange(64).reshape(64, 1) / 8
    (finding,) = cr.doctor(nn.Linear(1, 1), (year, cr.randn(64, 1)), nn.MSELoss()).findings
    assert finding.kind == "input scale"
    assert finding.text == (
        "feature 0 of its input has a mean of 2003.9 and a standard deviation of only 2.31; one learning "
        "rate "
        "cannot suit all its weights"
    )
