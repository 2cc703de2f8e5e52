"""What our own operators mean, in standard operators: written into files and run by onnxruntime."""
