"""The filter engine: conditions with three answers."""
