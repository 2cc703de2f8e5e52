"""Data, the training step, fit as a generator of events, and the process it runs in."""
