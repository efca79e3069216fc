# A multilayer perceptron with layers, activations compared, Xavier's bounds, and gradients of activations.
import torch
from images import load, weights
from torch import nn
from torch.nn import functional as F

train_iter, test_iter = load(seed=9)
history = {}
for name, activation in {"relu": nn.ReLU(), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid()}.items():
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), activation, nn.Linear(16, 4))
    bound = (6 / (64 + 16)) ** 0.5
    nn.init.xavier_uniform_(net[1].weight)
    assert net[1].weight.abs().max().item() <= bound
    with torch.no_grad():
        net[1].weight.copy_(weights(16, 64, seed=10))
        net[3].weight.copy_(weights(4, 16, seed=11))
        net[1].bias.zero_()
        net[3].bias.zero_()
    trainer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(5):
        for X, y in train_iter:
            trainer.zero_grad()
            F.cross_entropy(net(X), y).backward()
            trainer.step()
        with torch.no_grad():
            losses.append(float(F.cross_entropy(net(test_iter[0][0]), test_iter[0][1])))
    history[name] = losses

x = torch.arange(-7.95, 8.0, 0.1, requires_grad=True)  # beside the kink of ReLU
slopes = {}
for name, function in {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}.items():
    if x.grad is not None:
        x.grad.data.zero_()
    y = function(x)
    y.backward(torch.ones_like(x), retain_graph=True)
    slopes[f"slope of {name}"] = x.grad.clone()

result = {**history, **slopes}
