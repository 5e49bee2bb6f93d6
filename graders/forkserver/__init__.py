"""Starts confined Python processes by a fork of one that has imported everything already."""
