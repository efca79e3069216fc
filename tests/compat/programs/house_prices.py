# House prices: a made table with gaps and names, logarithms of prices, and k-fold validation.
import numpy as np
import pandas as pd
import torch
from torch import nn

rng = np.random.default_rng(17)
n = 90
area, age = rng.uniform(40, 220, n).round(1), rng.integers(0, 80, n).astype(float)
street = rng.choice(["paved", "gravel", "none"], n)
price = 900 * area - 500 * age + 20000 * (street == "paved") + rng.normal(0, 5000, n) + 60000
age[rng.choice(n, 12, replace=False)] = np.nan
table = pd.DataFrame({"Id": range(n), "Area": area, "Age": age, "Street": street, "SalePrice": price})
train_data, test_data = table.iloc[:72], table.iloc[72:]

all_features = pd.concat((train_data.iloc[:, 1:-1], test_data.iloc[:, 1:-1]))
numeric = all_features.dtypes[all_features.dtypes == "float64"].index
all_features[numeric] = all_features[numeric].apply(lambda x: (x - x.mean()) / (x.std()))
all_features[numeric] = all_features[numeric].fillna(0)
all_features = pd.get_dummies(all_features, dummy_na=True) * 1

n_train = train_data.shape[0]
train_features = torch.tensor(all_features[:n_train].values.astype(float), dtype=torch.float32)
test_features = torch.tensor(all_features[n_train:].values.astype(float), dtype=torch.float32)
train_labels = torch.tensor(train_data.SalePrice.values.reshape(-1, 1) / 1e5, dtype=torch.float32)

loss = nn.MSELoss()
in_features = train_features.shape[1]


def get_net():
    net = nn.Sequential(nn.Linear(in_features, 1))
    nn.init.constant_(net[0].weight, 0.1)
    nn.init.ones_(net[0].bias)
    return net


def log_rmse(net, features, labels):
    clipped_preds = torch.clamp(net(features), 0.1, float("inf"))
    return torch.sqrt(loss(torch.log(clipped_preds), torch.log(labels))).item()


def train(net, X, y, X_valid, y_valid, num_epochs=40, batch_size=16):
    train_ls, valid_ls = [], []
    dataset = torch.utils.data.TensorDataset(X, y)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05, weight_decay=0.001)
    for _ in range(num_epochs):
        for X_batch, y_batch in torch.utils.data.DataLoader(dataset, batch_size):
            optimizer.zero_grad()
            loss(net(X_batch), y_batch).backward()
            optimizer.step()
        train_ls.append(log_rmse(net, X, y))
        if y_valid is not None:
            valid_ls.append(log_rmse(net, X_valid, y_valid))
    return train_ls, valid_ls


def get_k_fold_data(k, i, X, y):
    assert k > 1
    fold_size = X.shape[0] // k
    X_train, y_train = None, None
    for j in range(k):
        idx = slice(j * fold_size, (j + 1) * fold_size)
        X_part, y_part = X[idx, :], y[idx]
        if j == i:
            X_valid, y_valid = X_part, y_part
        elif X_train is None:
            X_train, y_train = X_part, y_part
        else:
            X_train = torch.cat([X_train, X_part], 0)
            y_train = torch.cat([y_train, y_part], 0)
    return X_train, y_train, X_valid, y_valid


folds = [train(get_net(), *get_k_fold_data(4, i, train_features, train_labels)) for i in range(4)]
net = get_net()
train(net, train_features, train_labels, None, None)
preds = net(test_features).detach().numpy()
test_data = test_data.assign(Predicted=pd.Series(preds.reshape(1, -1)[0], index=test_data.index))

result = {
    "columns": in_features,
    "train": [ls[-1] for ls, _ in folds],
    "valid": [ls[-1] for _, ls in folds],
    "predicted": preds,
    "mean": float(test_data.Predicted.mean()),
}
