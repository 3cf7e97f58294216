"""Allow rules for blocked flows: the smallest set that is not wider than asked, and the proof that they do it."""
