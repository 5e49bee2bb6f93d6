"""Grades submissions of an nbgrader course directory: many at a time, each on its own, one writer for all."""
