"""The layers, one file each. In Python they are called as in Keras: ``Dense(64)(x)``.

What `studio.layers.Dense` gives is a handle with identity (`studio.layers.functional`); the
frozen declaration it wraps is the class in ``dense.py``.
"""

import sys
from importlib import import_module
from typing import Any

from studio.left_out import missing

CATALOGUE = {
    "Input": "input",
    "Dense": "dense",
    "EinsumDense": "einsum_dense",
    "Embedding": "embedding",
    "Activation": "activation",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "PReLU": "prelu",
    "Softmax": "softmax",
    "Conv1D": "conv1d",
    "Conv2D": "conv2d",
    "Conv3D": "conv3d",
    "DepthwiseConv1D": "depthwise_conv1d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "SeparableConv1D": "separable_conv1d",
    "SeparableConv2D": "separable_conv2d",
    "Conv1DTranspose": "conv1d_transpose",
    "Conv2DTranspose": "conv2d_transpose",
    "Conv3DTranspose": "conv3d_transpose",
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
    "ZeroPadding3D": "zero_padding3d",
    "Cropping1D": "cropping1d",
    "Cropping2D": "cropping2d",
    "Cropping3D": "cropping3d",
    "UpSampling1D": "up_sampling1d",
    "UpSampling2D": "up_sampling2d",
    "UpSampling3D": "up_sampling3d",
    "Resizing": "resizing",
    "GlobalAveragePooling1D": "global_average_pooling1d",
    "GlobalMaxPooling1D": "global_max_pooling1d",
    "GlobalAveragePooling2D": "global_average_pooling2d",
    "GlobalAveragePooling3D": "global_average_pooling3d",
    "GlobalMaxPooling2D": "global_max_pooling2d",
    "GlobalMaxPooling3D": "global_max_pooling3d",
    "MaxPooling1D": "max_pooling1d",
    "MaxPooling2D": "max_pooling2d",
    "MaxPooling3D": "max_pooling3d",
    "AveragePooling1D": "average_pooling1d",
    "AveragePooling2D": "average_pooling2d",
    "AveragePooling3D": "average_pooling3d",
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
    "SpatialDropout3D": "spatial_dropout3d",
    "GaussianDropout": "gaussian_dropout",
    "GaussianNoise": "gaussian_noise",
    "ActivityRegularization": "activity_regularization",
    "AlphaDropout": "alpha_dropout",
    "RandomFlip": "random_flip",
    "TimeDistributed": "time_distributed",
    "OnnxModel": "onnx_model",
}
ALIASES = {
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
    **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
}
_MERGES = ("Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot")
FROM_FILES = ("OnnxModel",)  # made by reading one, never empty
_FUNCTIONS = {kind.lower(): kind for kind in _MERGES}
__all__ = [*CATALOGUE, *_FUNCTIONS, *(name for name, kind in ALIASES.items() if kind in CATALOGUE)]


def __getattr__(name: str) -> Any:
    name = ALIASES.get(name, name)
    if name not in CATALOGUE and name not in _FUNCTIONS:
        raise missing("layers", name, (*CATALOGUE, *_FUNCTIONS), sys._getframe(1))
    functional = import_module("studio.layers.functional")
    if name in ("Input", "TimeDistributed", "OnnxModel"):
        return getattr(functional, name)
    if name in _FUNCTIONS:
        return functional.merge_function(_FUNCTIONS[name])
    return functional.handle_class(name)
