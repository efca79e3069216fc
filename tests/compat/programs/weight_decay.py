# High-dimensional regression with few samples: a penalty in the loss, and weight decay in the optimizer.
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(12)
n_train, n_test, num_inputs, batch_size = 20, 40, 60, 5
true_w, true_b = torch.ones((num_inputs, 1)) * 0.01, 0.05


def synthetic(n):
    X = torch.tensor(rng.normal(0, 1, (n, num_inputs)), dtype=torch.float32)
    noise = torch.tensor(rng.normal(0, 0.01, (n, 1)), dtype=torch.float32)
    return X, torch.matmul(X, true_w) + true_b + noise


train_data, test_data = synthetic(n_train), synthetic(n_test)
start = torch.tensor(rng.normal(0, 1, (num_inputs, 1)), dtype=torch.float32)


def batches():
    for i in range(0, n_train, batch_size):
        yield train_data[0][i : i + batch_size], train_data[1][i : i + batch_size]


def l2_penalty(w):
    return torch.sum(w.pow(2)) / 2


def train(lambd):
    w, b = start.clone().requires_grad_(True), torch.zeros(1, requires_grad=True)
    for _ in range(30):
        for X, y in batches():
            loss = (X @ w + b - y) ** 2 / 2 + lambd * l2_penalty(w)
            loss.sum().backward()
            with torch.no_grad():
                for param in (w, b):
                    param -= 0.003 * param.grad / batch_size
                    param.grad.zero_()
    return w.detach(), torch.norm(w).item()


def train_concise(wd):
    net = nn.Sequential(nn.Linear(num_inputs, 1))
    net[0].weight.data = start.T.clone()
    net[0].bias.data.zero_()
    loss = nn.MSELoss(reduction="none")
    trainer = torch.optim.SGD(
        [{"params": net[0].weight, "weight_decay": wd}, {"params": net[0].bias}], lr=0.003
    )
    for _ in range(30):
        for X, y in batches():
            trainer.zero_grad()
            loss(net(X), y).mean().backward()
            trainer.step()
    test = loss(net(test_data[0]), test_data[1]).mean()
    return net[0].weight.data, net[0].weight.norm().item(), float(test)


free, free_norm = train(0)
held, held_norm = train(3)
_, concise_free, _ = train_concise(0)
weights, concise_held, test_loss = train_concise(3)
assert held_norm < free_norm
result = {
    "free": free, "held": held, "norms": [free_norm, held_norm, concise_free, concise_held],
    "weights": weights, "test loss": test_loss,
}  # fmt: skip
