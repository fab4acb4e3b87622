"""What operators run: payouts, reconciliation, queues and dead letters, the ledger."""
