# A multilayer perceptron from scratch, with nn.Parameter and a ReLU of one's own.
import torch
from images import load, weights
from torch import nn

train_iter, test_iter = load(seed=6)
num_inputs, num_outputs, num_hiddens = 64, 4, 16
W1 = nn.Parameter(weights(num_inputs, num_hiddens, seed=7))
b1 = nn.Parameter(torch.zeros(num_hiddens, requires_grad=True))
W2 = nn.Parameter(weights(num_hiddens, num_outputs, seed=8))
b2 = nn.Parameter(torch.zeros(num_outputs, requires_grad=True))
params = [W1, b1, W2, b2]


def relu(X):
    a = torch.zeros_like(X)
    return torch.max(X, a)


def net(X):
    X = X.reshape((-1, num_inputs))
    H = relu(X @ W1 + b1)
    return H @ W2 + b2


loss = nn.CrossEntropyLoss(reduction="none")
updater = torch.optim.SGD(params, lr=0.2)
losses = []
for _ in range(16):
    for X, y in train_iter:
        l = loss(net(X), y)  # noqa: E741
        updater.zero_grad()
        l.mean().backward()
        updater.step()
    losses.append(sum(float(loss(net(X), y).sum()) for X, y in test_iter))

result = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "losses": losses}
