"""What hostile code tries in a forked process. Shown to a fork server as a module of the course's own.

Each attack is a function that returns what it got hold of: nothing, or an OSError, is a wall that stood.
"""
