"""See through a computation: derivations, formulas, pictures, memory, and the doctor of gradients."""
