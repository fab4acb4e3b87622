"""A month of the demo market on the local stack, and whether its figures add up."""
