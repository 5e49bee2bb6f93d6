"""One file for each step; `course.migrations` says how to add one."""
