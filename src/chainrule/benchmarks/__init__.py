"""How fast chainrule is, beside PyTorch and JAX where they are installed: `chainrule bench`.

Three kinds of workloads:

    compiled    training small networks and evaluating large arrays, on every side (`workloads.py`)
    eager       single operations and loops of them, chainrule's eager mode beside PyTorch's (`operations.py`,
                    `loops.py`)
    start       the import, and the first call of a compiled training step (`fresh.py`)

How it is done, from the outside in: `command.py` takes the options and goes through the workloads;
`rounds.py` trains on all sides, compares what came out, and times in turns; each side is a process of its own
(`worker.py`, `serving.py`) and runs what `torch_code.py` or `jax_code.py` make of a workload; `summary.py`
makes ratios and verdicts, `table.py` and `picture.py` show them.

Neither PyTorch nor JAX is imported by this package, only in the processes that it starts.
"""
