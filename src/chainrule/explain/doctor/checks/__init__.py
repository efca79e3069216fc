"""What the doctor looks for, one file for each part of a training step.

    data.py      labels, scale of the inputs, prediction against target, softmax twice, input ignored
    weights.py   parameters without gradient, zero and equal weights, parameters the optimizer does not have
    flow.py      dead and saturated units, the product over depth, variance
    steps.py     the learning rate
    broken.py    the first NaN or infinity

Each check takes what was seen and yields findings. It does not care what other checks find: which finding
explains which is said in `../findings.py`.
"""
