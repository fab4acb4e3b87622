"""Maalem on one machine: the real handlers on moto, or on Amazon's DynamoDB Local."""
