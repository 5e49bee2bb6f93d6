"""Runs the cells of a submitted notebook in a confined process, and its tests where they cannot be forged."""
