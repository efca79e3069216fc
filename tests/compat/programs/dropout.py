# Dropout from scratch (the masks drawn by NumPy, so that they are the same everywhere) and as a layer.
import numpy as np
import torch
from images import load, weights
from torch import nn

rng = np.random.default_rng(13)


def dropout_layer(X, dropout):
    assert 0 <= dropout <= 1
    if dropout == 1:
        return torch.zeros_like(X)
    if dropout == 0:
        return X
    mask = (torch.tensor(rng.random(X.shape)) > dropout).float()
    return mask * X / (1.0 - dropout)


X = torch.arange(16, dtype=torch.float32).reshape((2, 8))
layers = [dropout_layer(X, p) for p in (0.0, 0.5, 1.0)]


class Net(nn.Module):
    def __init__(self, num_inputs, num_outputs, num_hiddens1, num_hiddens2, is_training=True):
        super().__init__()
        self.num_inputs = num_inputs
        self.training = is_training
        self.lin1 = nn.Linear(num_inputs, num_hiddens1)
        self.lin2 = nn.Linear(num_hiddens1, num_hiddens2)
        self.lin3 = nn.Linear(num_hiddens2, num_outputs)
        self.relu = nn.ReLU()

    def forward(self, X):
        H1 = self.relu(self.lin1(X.reshape((-1, self.num_inputs))))
        if self.training:
            H1 = dropout_layer(H1, 0.2)
        H2 = self.relu(self.lin2(H1))
        if self.training:
            H2 = dropout_layer(H2, 0.5)
        return self.lin3(H2)


train_iter, test_iter = load(seed=14)
net = Net(64, 4, 16, 12)
for number, layer in enumerate((net.lin1, net.lin2, net.lin3)):
    layer.weight.data = weights(*layer.weight.shape, seed=15 + number, scale=0.2)
    layer.bias.data.zero_()
loss = nn.CrossEntropyLoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.2)
losses = []
for _ in range(20):
    for X, y in train_iter:
        trainer.zero_grad()
        l = loss(net(X), y)  # noqa: E741
        l.backward()
        trainer.step()
        losses.append(l.item())

net.eval()
concise = nn.Sequential(
    nn.Flatten(), net.lin1, nn.ReLU(), nn.Dropout(0.2), net.lin2, nn.ReLU(), nn.Dropout(0.5), net.lin3
)
concise.eval()
scores = concise(test_iter[0][0])
assert torch.equal(scores, net(test_iter[0][0]))

concise.train()
dropped = nn.Dropout(0.5)(torch.ones(100, 100))
assert set(dropped.unique().tolist()) == {0.0, 2.0}
assert abs(float(dropped.mean()) - 1) < 0.1  # unbiased: E[x'] = x

result = {"layers": torch.stack(layers), "losses": losses, "scores": scores}
