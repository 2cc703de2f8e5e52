"""Programs made of ONNX operators, their gradient, and what runs them.

Knows no layer, no document, no window.
"""
