"""The course kernel: ordinary Python, and one name more, `spoc`."""
