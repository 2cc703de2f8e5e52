"""A project held against Keras, where somebody has it: same weights, same batches, every number."""
