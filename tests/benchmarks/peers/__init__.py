"""How fast every engine trains the guide's systems, and others that grow in one direction.

``python -m tests.benchmarks.peers [--growth] [--inference] [--json] [--only SYSTEM,…]
[--engines ours,torch] [--rounds 5]``

It installs nothing: it measures whatever of PyTorch and Keras (on JAX, TensorFlow, PyTorch) the
interpreter that runs it can import. Each engine trains in a process of its own; the processes take
turns, one epoch each, so that whatever the machine does meanwhile meets all of them. All start
from the same weights and see the same batches, so their losses must agree.
"""
