"""The marketplace: everything that runs inside Lambda, but the front door."""

import gc

# What is imported lives as long as the process. With Python's 700 the collector would look through
# it hundreds of times, a quarter of a cold start; the first event sets what is good for a running
# process (edge/blueprint.py).
gc.set_threshold(200_000, 20, 20)
