"""The deterministic demo data of the local stack: pure data, loaded by others."""
