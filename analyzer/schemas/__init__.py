"""The columns of every frame and their dtypes, as data: one module per kind of evidence."""
