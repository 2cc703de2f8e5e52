"""What the training dock is made of: curves, runs, settings, progress."""
