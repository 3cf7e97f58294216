"""The shipped tickets and the program that makes them byte for byte again."""
