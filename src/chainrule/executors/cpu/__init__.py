"""Graphs as native code for this machine's processor, through LLVM. Imported only where it is needed."""
