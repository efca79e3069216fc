"""All helpers of the book in one module, as it has them: `from d2l import torch as d2l`.

    arrays.py      the book's common names for the arrays of all frameworks: d2l.reshape, d2l.reduce_sum
    figures.py     plot, set_figsize, set_axes, show_images
    animator.py    Animator: curves that grow while a model learns
    measures.py    Timer, Accumulator, accuracy and the like
    regression.py  synthetic_data, linreg, squared_loss, sgd, load_array
    images.py      Fashion-MNIST
    training.py    train_ch3 and its parts
    downloads.py   download, DATA_HUB
    devices.py     try_gpu
    modules.py     Module, DataModule, Trainer: the classes of the English edition; board.py: its curves
    experiments.py models and data made with them

`d2l.plt`, `d2l.np` and `d2l.pd` are those libraries; matplotlib and pandas load when they are first used.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np

import chainrule as torch

from ...nn import functional as F
from .animator import Animator
from .arrays import (
    abs,
    arange,
    argmax,
    astype,
    batch_matmul,
    concat,
    corr2d,
    cos,
    cosh,
    exp,
    expand_dims,
    eye,
    float32,
    int32,
    linspace,
    log,
    matmul,
    meshgrid,
    nn_Module,
    normal,
    numpy,
    ones,
    rand,
    randn,
    reduce_mean,
    reduce_sum,
    repeat,
    reshape,
    sigmoid,
    sin,
    sinh,
    size,
    stack,
    swapaxes,
    tanh,
    tensor,
    to,
    transpose,
    zeros,
)
from .board import ProgressBoard
from .devices import cpu, gpu, num_gpus, try_all_gpus, try_gpu
from .downloads import DATA_HUB, DATA_URL, download, download_all, download_extract, mkdir_if_not_exist
from .experiments import (
    SGD,
    Classifier,
    FashionMNIST,
    LinearRegression,
    LinearRegressionScratch,
    SyntheticRegressionData,
)
from .figures import plot, set_axes, set_figsize, show_images, use_svg_display
from .images import (
    get_dataloader_workers,
    get_fashion_mnist_labels,
    load_data_fashion_mnist,
    show_fashion_mnist,
)
from .measures import Accumulator, Timer, accuracy, evaluate_accuracy, evaluate_loss
from .modules import DataModule, HyperParameters, Module, Trainer, add_to_class
from .regression import linreg, load_array, sgd, squared_loss, synthetic_data
from .training import predict_ch3, train_ch3, train_epoch_ch3

nn = torch.nn
pd: ModuleType
plt: ModuleType

_LIBRARIES = {"plt": "matplotlib.pyplot", "pd": "pandas"}


def __getattr__(name: str) -> Any:
    if name in _LIBRARIES:
        return importlib.import_module(_LIBRARIES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DATA_HUB", "DATA_URL", "Accumulator", "Animator", "Classifier", "DataModule", "FashionMNIST",
    "HyperParameters", "LinearRegression", "LinearRegressionScratch", "Module", "ProgressBoard", "SGD",
    "SyntheticRegressionData", "Trainer", "add_to_class", "F", "Timer", "abs", "accuracy", "arange",
    "argmax", "astype", "batch_matmul", "concat", "corr2d", "cos", "cosh", "cpu", "download",
    "download_all", "download_extract", "evaluate_accuracy", "evaluate_loss", "exp", "expand_dims", "eye",
    "float32", "get_dataloader_workers", "get_fashion_mnist_labels", "gpu", "int32", "linreg", "linspace",
    "load_array", "load_data_fashion_mnist", "log", "matmul", "meshgrid", "mkdir_if_not_exist", "nn",
    "nn_Module", "normal", "np", "num_gpus", "numpy", "ones", "pd", "plot", "plt", "predict_ch3", "rand",
    "randn", "reduce_mean", "reduce_sum", "repeat", "reshape", "set_axes", "set_figsize", "sgd",
    "show_fashion_mnist", "show_images", "sigmoid", "sin", "sinh", "size", "squared_loss", "stack",
    "swapaxes", "synthetic_data", "tanh", "tensor", "to", "torch", "train_ch3", "train_epoch_ch3",
    "transpose", "try_all_gpus", "try_gpu", "use_svg_display", "zeros",
]  # fmt: skip
