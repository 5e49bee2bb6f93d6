"""Feedback in a notebook: what was handed in, where it stands, what came of it."""
