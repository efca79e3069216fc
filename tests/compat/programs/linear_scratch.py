# Linear regression from scratch: own data, own batches, own model, loss and optimizer.
import random

import numpy as np
import torch

rng = np.random.default_rng(1)
random.seed(1)


def synthetic(w, b, n):
    X = torch.tensor(rng.normal(0, 1, (n, len(w))), dtype=torch.float32)
    y = torch.matmul(X, w) + b
    y += torch.tensor(rng.normal(0, 0.01, y.shape), dtype=torch.float32)
    return X, y.reshape((-1, 1))


def data_iter(batch_size, features, labels):
    n = len(features)
    indices = list(range(n))
    random.shuffle(indices)
    for i in range(0, n, batch_size):
        batch = torch.tensor(indices[i : min(i + batch_size, n)])
        yield features[batch], labels[batch]


def linreg(X, w, b):
    return torch.matmul(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


true_w = torch.tensor([1.5, -2.0, 0.7])
features, labels = synthetic(true_w, 3.1, 203)
w = torch.tensor(rng.normal(0, 0.01, (3, 1)), dtype=torch.float32, requires_grad=True)
b = torch.zeros(1, requires_grad=True)

losses = []
for epoch in range(8):
    for X, y in data_iter(10, features, labels):
        l = squared_loss(linreg(X, w, b), y)  # noqa: E741
        l.sum().backward()
        sgd([w, b], 0.05, len(y))
    with torch.no_grad():
        losses.append(float(squared_loss(linreg(features, w, b), labels).mean()))
    print(f"epoch {epoch + 1}, loss {losses[-1]:f}")
print(f"error of w: {true_w - w.reshape(true_w.shape)}")

result = {"w": w, "b": b, "losses": losses}
