"""What a use case costs: round trips, request units, CPU and the cold start, as one table."""
