"""Where a recurrent operator finds its operands: for kernels, bodies and passes alike."""

X, W, R, B, LENS, H, C = range(7)
PLACES, COUNT, KEPT = 8, 9, 10  # of a training variant, beside them: behind LSTM's eighth
INPUTS = 11  # of a training variant; its backward is then given Y, the reserve, and gradients
