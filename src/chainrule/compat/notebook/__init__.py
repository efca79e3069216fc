"""The few names of Jupyter's packages that course programs import, for machines without them."""
