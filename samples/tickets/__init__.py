"""The tickets: one module each, with a function ``ticket()`` that returns what is shipped."""
