# Linear regression with layers, a loader and an optimizer.
import numpy as np
import torch
from torch import nn
from torch.utils import data

rng = np.random.default_rng(2)
X = rng.normal(0, 1, (120, 2)).astype(np.float32)
y = (X @ np.array([[2.0], [-3.4]]) + 4.2 + rng.normal(0, 0.01, (120, 1))).astype(np.float32)
features, labels = torch.from_numpy(X), torch.from_numpy(y)


def load_array(data_arrays, batch_size, is_train=True):
    dataset = data.TensorDataset(*data_arrays)
    return data.DataLoader(dataset, batch_size, shuffle=is_train)


train_iter = load_array((features, labels), 16, is_train=False)
net = nn.Sequential(nn.Linear(2, 1))
net[0].weight.data.fill_(0.01)
net[0].bias.data.fill_(0)
loss = nn.HuberLoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.5)

losses = []
for epoch in range(5):
    for X, y in train_iter:
        l = loss(net(X), y)  # noqa: E741
        trainer.zero_grad()
        l.backward()
        trainer.step()
    l = loss(net(features), labels)  # noqa: E741
    losses.append(l.item())
    print(f"epoch {epoch + 1}, loss {l:f}")

result = {
    "weight": net[0].weight.data,
    "bias": net[0].bias.data,
    "gradient": net[0].weight.grad,
    "losses": losses,
}
