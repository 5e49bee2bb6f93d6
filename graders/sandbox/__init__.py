"""What hostile code may touch, and how it is started."""
