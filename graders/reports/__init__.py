"""Reports for the trainer: notebooks that papermill runs and nbconvert turns into one HTML file."""
