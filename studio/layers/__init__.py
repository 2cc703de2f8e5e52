"""The layers, one file each. In Python they are called as in Keras: ``Dense(64)(x)``.

What `studio.layers.Dense` gives is a handle with identity (`studio.layers.functional`); the
frozen declaration it wraps is the class in ``dense.py``.
"""

from importlib import import_module
from typing import Any

CATALOGUE = {
    "Input": "input",
    "Dense": "dense",
    "Embedding": "embedding",
    "Activation": "activation",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "PReLU": "prelu",
    "Softmax": "softmax",
    "Conv1D": "conv1d",
    "Conv2D": "conv2d",
    "DepthwiseConv1D": "depthwise_conv1d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "SeparableConv1D": "separable_conv1d",
    "SeparableConv2D": "separable_conv2d",
    "Conv1DTranspose": "conv1d_transpose",
    "Conv2DTranspose": "conv2d_transpose",
    "SimpleRNN": "simple_rnn",
    "GRU": "gru",
    "LSTM": "lstm",
    "Bidirectional": "bidirectional",
    "Masking": "masking_layer",
    "Identity": "identity",
    "Rescaling": "rescaling",
    "CategoryEncoding": "category_encoding",
    "Discretization": "discretization",
    "Concatenate": "merge_concatenate",
    "Add": "merge_add",
    "Subtract": "merge_subtract",
    "Multiply": "merge_multiply",
    "Average": "merge_average",
    "Maximum": "merge_maximum",
    "Minimum": "merge_minimum",
    "Dot": "merge_dot",
    "Flatten": "flatten",
    "Reshape": "reshape",
    "Permute": "permute",
    "RepeatVector": "repeat_vector",
    "ZeroPadding1D": "zero_padding1d",
    "ZeroPadding2D": "zero_padding2d",
    "Cropping1D": "cropping1d",
    "Cropping2D": "cropping2d",
    "UpSampling1D": "up_sampling1d",
    "UpSampling2D": "up_sampling2d",
    "GlobalAveragePooling1D": "global_average_pooling1d",
    "GlobalMaxPooling1D": "global_max_pooling1d",
    "GlobalAveragePooling2D": "global_average_pooling2d",
    "GlobalMaxPooling2D": "global_max_pooling2d",
    "MaxPooling1D": "max_pooling1d",
    "MaxPooling2D": "max_pooling2d",
    "AveragePooling1D": "average_pooling1d",
    "AveragePooling2D": "average_pooling2d",
    "BatchNormalization": "batch_normalization",
    "LayerNormalization": "layer_normalization",
    "GroupNormalization": "group_normalization",
    "RMSNormalization": "rms_normalization",
    "UnitNormalization": "unit_normalization",
    "Normalization": "normalization",
    "Attention": "attention",
    "AdditiveAttention": "additive_attention",
    "MultiHeadAttention": "multi_head_attention",
    "Dropout": "dropout",
    "SpatialDropout1D": "spatial_dropout1d",
    "SpatialDropout2D": "spatial_dropout2d",
    "GaussianDropout": "gaussian_dropout",
    "GaussianNoise": "gaussian_noise",
    "ActivityRegularization": "activity_regularization",
    "AlphaDropout": "alpha_dropout",
    "TimeDistributed": "time_distributed",
    "OnnxModel": "onnx_model",
}
_MERGES = ("Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot")
FROM_FILES = ("OnnxModel",)  # made by reading one, never empty
_FUNCTIONS = {kind.lower(): kind for kind in _MERGES}
__all__ = [*CATALOGUE, *_FUNCTIONS]


def __getattr__(name: str) -> Any:
    if name not in CATALOGUE and name not in _FUNCTIONS:
        known = ", ".join((*CATALOGUE, *_FUNCTIONS))
        raise AttributeError(f"studio.layers has no {name!r}; it has {known}")
    functional = import_module("studio.layers.functional")
    if name in ("Input", "TimeDistributed", "OnnxModel"):
        return getattr(functional, name)
    if name in _FUNCTIONS:
        return functional.merge_function(_FUNCTIONS[name])
    return functional.handle_class(name)
