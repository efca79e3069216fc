"""The members of Tensor, by what they concern. `../tensor.py` puts them together and adds the functions."""
