"""The compiler for the CPU: graphs to kernels, kernels to LLVM's language, that to native code.

llvmlite loads with the files in here, so nothing outside imports one of them before the first compilation.
Read `emit.py` first: how one operation on vectors is written down.
"""
