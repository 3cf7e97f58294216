"""Diagnoses: one module per finding."""
