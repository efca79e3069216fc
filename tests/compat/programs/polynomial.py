# Polynomial fitting: degrees that are right, too low and too high.
import math

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(16)
max_degree, n_train, n_test = 20, 60, 40
true_w = np.zeros(max_degree)
true_w[0:4] = np.array([5, 1.2, -3.4, 5.6])
features = rng.normal(size=(n_train + n_test, 1))
poly_features = np.power(features, np.arange(max_degree).reshape(1, -1))
for i in range(max_degree):
    poly_features[:, i] /= math.gamma(i + 1)
labels = np.dot(poly_features, true_w) + rng.normal(scale=0.1, size=n_train + n_test)
poly_features, labels = (torch.tensor(x, dtype=torch.float32) for x in (poly_features, labels))


def evaluate_loss(net, data_iter, loss):
    total, count = 0.0, 0
    for X, y in data_iter:
        out = net(X)
        l = loss(out, y.reshape(out.shape))  # noqa: E741
        total += float(l.sum())
        count += l.numel()
    return total / count


def train(degree, num_epochs=120):
    X, y = poly_features[:, :degree], labels.reshape(-1, 1)
    dataset = torch.utils.data.TensorDataset(X[:n_train], y[:n_train])
    train_iter = torch.utils.data.DataLoader(dataset, batch_size=10)
    test_iter = [(X[n_train:], y[n_train:])]
    loss = nn.MSELoss(reduction="none")
    net = nn.Sequential(nn.Linear(degree, 1, bias=False))
    net[0].weight.data.fill_(0.1)
    trainer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(num_epochs):
        for X_batch, y_batch in train_iter:
            trainer.zero_grad()
            loss(net(X_batch), y_batch).mean().backward()
            trainer.step()
    return net[0].weight.data, [evaluate_loss(net, it, loss) for it in (train_iter, test_iter)]


right, right_losses = train(4)
low, low_losses = train(2)
high, high_losses = train(max_degree)
assert right_losses[1] < low_losses[1]
result = {
    "right": right, "low": low, "high": high,
    "right losses": right_losses, "low losses": low_losses, "high losses": high_losses,
}  # fmt: skip
