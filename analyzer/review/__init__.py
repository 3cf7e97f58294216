"""Change review: what two sides enforce, matched by what filters are, and what the change opens and blocks."""
