"""Automatic differentiation for users: `grad`, `backward`, `Function`, gradient checking,
numerical derivatives, anomaly detection.

How it works is in `../tape`: `node.py` says what is recorded, `engine.py` how backward walks it.
"""

from ..backward import backward_all as backward
from ..backward import grad
from ..tape.mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from . import forward_ad
from .function import Function
from .gradcheck import gradcheck, gradgradcheck
from .numerical import ErrorCurve, ErrorCurves, numerical_error_curve, numerical_grad
from .switches import detect_anomaly, is_anomaly_enabled, set_detect_anomaly

__all__ = [
    "ErrorCurve",
    "ErrorCurves",
    "Function",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "no_grad",
    "numerical_error_curve",
    "numerical_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
