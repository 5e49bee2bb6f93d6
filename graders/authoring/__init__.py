"""From what an author writes to what a learner gets: checked, built, proved, released without answers."""
