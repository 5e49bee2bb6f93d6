"""Speed and size, measured: each module prints figures (see `benchmarks.figures`)."""
