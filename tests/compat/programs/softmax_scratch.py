# Softmax regression from scratch, with the accuracy counted by hand.
import torch
from images import load, weights

train_iter, test_iter = load()
W = weights(64, 4).requires_grad_(True)
b = torch.zeros(4, requires_grad=True)


def softmax(X):
    X_exp = torch.exp(X)
    partition = X_exp.sum(1, keepdim=True)
    return X_exp / partition


def net(X):
    return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())


class Accumulator:
    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args, strict=True)]

    def __getitem__(self, idx):
        return self.data[idx]


def evaluate_accuracy(data_iter):
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


history = []
for _ in range(6):
    metric = Accumulator(3)
    for X, y in train_iter:
        y_hat = net(X)
        l = cross_entropy(y_hat, y)  # noqa: E741
        l.sum().backward()
        with torch.no_grad():
            for param in (W, b):
                param -= 0.3 * param.grad / X.shape[0]
                param.grad.zero_()
        metric.add(l.sum(), accuracy(y_hat, y), y.numel())
    history.append([metric[0] / metric[2], metric[1] / metric[2], evaluate_accuracy(test_iter)])

result = {"W": W, "b": b, "history": history, "probabilities": net(test_iter[0][0])}
