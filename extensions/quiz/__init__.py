"""Quizzes in notebook cells: what a learner sees and answers. No key comes here."""
