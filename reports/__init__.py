"""Renderers: pure functions of the result document."""
