"""Assignments of our own making, graded by stock nbgrader and by the engine: every grade row is the same."""
