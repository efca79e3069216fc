"""Every threshold of the doctor, with its reason. Checks hold no numbers of their own.

A limit is set so that a sound model stays clear of it by a good distance, whatever its seed: a doctor who
cries wolf is not asked again. Next: `findings.py`.
"""

from __future__ import annotations

from typing import Final

# -- units that do not answer

# A working ReLU is off for about half of the rows, so 16 rows are all off with a chance of 2^-16. With fewer
# rows nothing is said about dead units.
FEWEST_ROWS: Final = 16
# In the fourth hidden layer of a ReLU net with PyTorch's starting values some percent of the units are off
# for any row, which does no harm. From a half on the layer works with less than half its width.
DEAD_SHARE: Final = 0.5
# Nearly nothing passes: whatever else is wrong below this layer comes from it.
DEAD_SERIOUS: Final = 0.9
# A unit is saturated where its slope is below a twentieth of its steepest: tanh beyond ±2.2, sigmoid beyond
# ±4.4. Of standard normal inputs to tanh that are 3 %.
FLAT_SLOPE: Final = 0.05
SATURATED_SHARE: Final = 0.5
SATURATED_SERIOUS: Final = 0.9
# How far an activation is probed for flat ends: sigmoid(±30) has a slope of 1e-13.
PROBE_RANGE: Final = 30.0
# What counts as flat there; the slope of atan, which has no flat end worth the name, is 1e-3.
PROBE_FLAT: Final = 1e-6
# An activation does not make gradients larger: 1.2 leaves room for the scale of SELU and its like.
PROBE_STEEPEST: Final = 1.2
PROBE_LEAST: Final = 0.2  # sigmoid's steepest slope is 0.25

# -- the product over depth

# The first layer learns a thousand times slower than the last. Five ReLU layers with PyTorch's starting
# values come to 0.41^5 = 0.01, two sigmoid layers to 0.02; both learn.
VANISHING: Final = 1e-3
EXPLODING: Final = 1e3
# "Where it starts": the gradient has changed tenfold, which no single sound layer does (the usual is 0.4
# to 2).
STARTS: Final = 10.0
# The spread of the signal from the first to the last hidden layer; 0.41^4 = 0.03 in the case above.
SPREAD_LOST: Final = 1e-2
SPREAD_GROWN: Final = 1e2
# Two layers have no product to speak of: one factor between them says how they are, not where it leads.
FEWEST_LAYERS: Final = 3

# -- the data

# Gradient descent needs about (largest / smallest scale)² steps: 100 means ten thousand.
SCALE_RATIO: Final = 100.0
# Nothing is said while the largest feature has a spread that standardising might leave (it leaves 1).
SCALE_LEAST: Final = 10.0
# Pixels from 0 to 255 have a root mean square near 100; standardised features have 1.
SCALE_LARGE: Final = 30.0
# A feature that is far from 0 for its spread, such as a year, acts like a second bias: (mean / spread)²
# steps.
OFFSET_RATIO: Final = 100.0
# A feature with more zeros than this is an indicator or a sparse count, whose small spread does no harm.
SPARSE: Final = 0.5
# Rounding in float32 of a sum over classes; rows of probabilities sum to 1 within it.
SUM_TOLERANCE: Final = 1e-4
# How far a loss may move when it should not: the same rounding.
SAME_LOSS: Final = 1e-4
# A loss that takes the softmax or sigmoid of the right probabilities comes to log(1 + 1/e) = 0.31 at least;
# one that takes probabilities as they are makes 0 of them.
NOT_ZERO: Final = 0.1

# -- weights

# Two units are the same if nothing but rounding tells them apart.
SAME_UNITS: Final = 1e-6

# -- the learning rate

# Trial steps on the same batch. The error grows by |1 - lr λ| in each: a learning rate of 2.5 / λ makes
# 1.5^10 = 57 of it.
TRIAL_STEPS: Final = 10
# The loss must end above its start by more than what rounding and a single bad step make of it.
RISE: Final = 0.01
# Gradient descent on a bowl of curvature λ diverges from this value of lr λ on.
STABLE: Final = 2.0
# Ten steps that do less than a ten-thousandth of what one step of a good length along the same gradient does.
HARDLY_MOVES: Final = 1e-4
# ... if that one step is worth taking at all: at a minimum it is not.
WORTH_MOVING: Final = 0.01
# Products of Hessian and vector for the largest eigenvalue; Lanczos needs few, since it stands apart.
LANCZOS_STEPS: Final = 12
# The Lanczos vectors of more weights than this take more memory than a look at a model should.
MOST_WEIGHTS: Final = 2_000_000
# A negative eigenvalue this small beside the largest is rounding: the loss is a bowl.
BOWL: Final = 1e-3
# The shortest step of the line search, relative to the weights, and how much longer each next one is.
LINE_START: Final = 1e-4
LINE_FACTOR: Final = 4.0
LINE_STEPS: Final = 12
# What weights that are all zero count as in such ratios: a small start such as normal(0, 0.01).
LEAST_WEIGHT: Final = 0.01
