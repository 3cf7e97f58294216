"""Readers: one package or module per format. Bytes in, documented frames and a list of problems out."""
