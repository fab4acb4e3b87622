"""The marketplace: everything that runs inside Lambda, but the front door."""

import gc

# What is imported lives as long as the process. With Python's 700 the collector would look through
# it hundreds of times, which is a fifth of a cold start.
gc.set_threshold(50_000, 20, 20)
