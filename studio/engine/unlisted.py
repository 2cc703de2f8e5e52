"""The operators of ONNX that the table does not list, each with what becomes of it in a file.

Every operator of ONNX's own domain is of the table or in one of these; a test holds that.
"""

from collections.abc import Mapping

# Read as something else: a constant, an identity, what an If and a Loop come to; the last two are
# old names, which onnx's converter replaces.
READ = frozenset({"Constant", "Dropout", "If", "Loop", "Scatter", "Upsample"})

# ONNX itself says what they mean in operators of the table.
BY_OTHERS = frozenset(
    {
        *("Attention", "CausalConvWithState", "Gelu", "GroupNormalization", "RMSNormalization"),
        *("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss", "RotaryEmbedding"),
        *("SwiGLU", "Swish"),
    }
)

# What refuses each of the rest, by the code of the problem.
UNLISTED: Mapping[str, str] = {
    # The size of the result depends on numbers; a program knows sizes by sizes alone.
    **dict.fromkeys(("NonMaxSuppression", "NonZero", "Unique"), "onnx_operator_numbers"),
    **dict.fromkeys(
        (
            *("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"),
            *("DequantizeLinear", "DynamicQuantizeLinear", "QuantizeLinear"),
        ),
        "onnx_operator_quantized",
    ),
    # Layers draw from counters that a run repeats; these draw as the runtime likes.
    **dict.fromkeys(
        (
            *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike"),
            *("RandomUniform", "RandomUniformLike"),
        ),
        "onnx_operator_random",
    ),
    **dict.fromkeys(
        (
            *("ConcatFromSequence", "SplitToSequence", "SequenceAt", "SequenceConstruct"),
            *("SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap"),
            *("Optional", "OptionalGetElement", "OptionalHasElement"),
            *("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit"),
            *("TfIdfVectorizer", "ImageDecoder"),
        ),
        "onnx_operator_things",
    ),
    # Arrays to arrays, but in no layer, and in few exported models: nobody has written them here.
    **dict.fromkeys(
        (
            *("BitCast", "BitShift", "CumProd", "CenterCropPad", "Col2Im", "TensorScatter"),
            *("DFT", "STFT", "MelWeightMatrix", "BlackmanWindow", "HammingWindow", "HannWindow"),
            *("DeformConv", "MaxRoiPool", "RoiAlign", "AffineGrid", "GridSample"),
            *("LpPool", "GlobalLpPool", "MaxUnpool", "LinearAttention", "Scan"),
        ),
        "onnx_operator",
    ),
}
