"""Judges tests in a process without learner code: only data and opaque handles cross between the two."""
