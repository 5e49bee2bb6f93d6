"""Notebooks run with nobody watching: building, grading, feedback, reports."""
