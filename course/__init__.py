"""What is true about a course and its learners; no Jupyter here."""
