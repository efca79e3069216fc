"""Classic models as scikit-learn estimators. Start with `base.py`; each family has a file of its own."""

from .kmeans import KMeans
from .linear import LinearRegression, PolynomialRegression, Ridge
from .linear_svc import LinearSVC
from .mlp import MLPClassifier, MLPRegressor
from .pca import PCA
from .perceptron import Perceptron
from .softmax import SoftmaxRegression
from .svm import SVC, SVR

__all__ = [
    "PCA",
    "SVC",
    "SVR",
    "KMeans",
    "LinearRegression",
    "LinearSVC",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
    "PolynomialRegression",
    "Ridge",
    "SoftmaxRegression",
]
