"""Puts submitted notebooks right before they are run, by the assignment's own cells, and reports how."""
