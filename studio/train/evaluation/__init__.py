"""How good a model is: every output judged against its targets, in float64, without the window."""
