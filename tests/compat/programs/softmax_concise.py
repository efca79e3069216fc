# Softmax regression with layers; weights are set through apply.
import torch
from images import load, weights
from torch import nn

train_iter, test_iter = load(seed=5)
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))


def init_weights(m):
    if type(m) == nn.Linear:  # noqa: E721
        m.weight.data = weights(4, 64)
        nn.init.zeros_(m.bias)


net.apply(init_weights)
loss = nn.CrossEntropyLoss(reduction="none")
trainer = torch.optim.SGD(net.parameters(), lr=0.3)

history = []
for _ in range(6):
    net.train()
    total, right, count = 0.0, 0.0, 0
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)  # noqa: E741
        trainer.zero_grad()
        l.mean().backward()
        trainer.step()
        total += float(l.sum())
        right += float((y_hat.argmax(dim=1) == y).sum())
        count += y.numel()
    history.append([total / count, right / count])

net.eval()
with torch.no_grad():
    scores = torch.cat([net(X) for X, _ in test_iter])
result = {
    "history": history,
    "scores": scores,
    "predicted": scores.argmax(1),
    **net.state_dict(),
}
