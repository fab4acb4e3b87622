"""The sandbox's bank: it plays all four providers, over HTTP and with books of its own."""
