"""The vocabulary of the Windows Filtering Platform as data tables, each with its source."""
