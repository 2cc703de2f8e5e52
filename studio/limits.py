"""What is refused because it is too large: every limit, in one table, with what it bounds.

Q: Why a limit where memory would do?
A: A file says how large it is, and may lie; what it makes grow is bounded before it is made. Each
   number is far above what people do, and small enough that a damaged or malicious file costs
   seconds and megabytes, not the machine.

The README shows this table; a test compares the two.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A number above which something is refused.

    Attributes:
        name: of the constant in this module.
        part: of the table: what kind of thing it is about.
        number: the largest that is accepted.
        unit: what is counted.
        bounds: of what, in a few words.
    """

    name: str
    part: str
    number: int
    unit: str
    bounds: str


LIMITS: dict[str, Limit] = {}  # by name, in the order of this page


def _limit(name: str, part: str, number: int, unit: str, bounds: str) -> int:
    LIMITS[name] = Limit(name, part, number, unit, bounds)
    return number


# -- project files ---------------------------------------------------------------------------------

_PART = "Project files"
PROJECT_MEMBERS = _limit("PROJECT_MEMBERS", _PART, 4_096, "members", "a project's zip")
JSON_BYTES = _limit("JSON_BYTES", _PART, 16 * 2**20, "bytes", "one JSON text, unpacked")
PROJECT_JSON_BYTES = _limit(
    "PROJECT_JSON_BYTES", _PART, 4 * JSON_BYTES, "bytes", "all JSON of a project, unpacked"
)
JSON_DEPTH = _limit("JSON_DEPTH", _PART, 64, "levels", "values within values")
JSON_VALUES = _limit(  # each costs thirty times its two bytes once it is an object
    "JSON_VALUES",
    _PART,
    1_500_000,
    "values",
    "one JSON text; an array counts twice, an object four times",
)
PROJECT_JSON_VALUES = _limit(
    "PROJECT_JSON_VALUES", _PART, 4_000_000, "values", "all JSON of a project"
)
CALLS = _limit("CALLS", _PART, 10_000, "nodes", "a document, all its graphs together")
WIRES = _limit("WIRES", _PART, 50_000, "wires", "a document, all its graphs together")
LAYERS = _limit("LAYERS", _PART, 20_000, "layers", "a document; and graphs")
NESTING = _limit("NESTING", _PART, 64, "layers", "within one another")
UNFOLDED_CALLS = _limit(
    "UNFOLDED_CALLS", _PART, 10_000, "nodes", "a graph, with those of its models wherever used"
)
PIECES = _limit("PIECES", _PART, 10_000, "frames", "a graph; and notes")
BENDS = _limit("BENDS", _PART, 100_000, "points", "the bends of a graph's wires")
PROBES = _limit("PROBES", _PART, 1_000, "probes", "a graph")
TENSORS = _limit("TENSORS", _PART, 20_000, "arrays", "the weights, and what lies beside them")
TENSOR_AXES = _limit("TENSOR_AXES", _PART, 8, "axes", "one of these arrays")
THUMBNAIL_BYTES = _limit("THUMBNAIL_BYTES", _PART, 2**18, "bytes", "the small picture of a project")
THUMBNAIL_SIDE = _limit("THUMBNAIL_SIDE", _PART, 2_048, "pixels", "a side of that picture")
RUN_BYTES = _limit("RUN_BYTES", _PART, 2**28, "bytes", "weights kept of earlier trainings")
RUN_DOCUMENTS = _limit("RUN_DOCUMENTS", _PART, 20, "models", "kept of earlier trainings")
JOURNALS = _limit("JOURNALS", _PART, 1_000, "journals", "what is looked for after a crash")
JOURNAL_BYTES = _limit("JOURNAL_BYTES", _PART, 3 * 2**24, "bytes", "the journal of a project")
COPIED_BYTES = _limit(  # both programs stand still while they are handed over
    "COPIED_BYTES", _PART, 2**27, "bytes", "weights copied into a Layerloom started apart"
)

# -- tables ----------------------------------------------------------------------------------------

_PART = "Tables"
TABLE_BYTES = _limit("TABLE_BYTES", _PART, 2**31, "bytes", "a packed table, unpacked")
PACKED_BYTES = _limit("PACKED_BYTES", _PART, 2**27, "bytes", "a packed text, unpacked, and")
PACKED_RATIO = _limit("PACKED_RATIO", _PART, 200, "times", "its packed size on top of that")
COLUMNS = _limit("COLUMNS", _PART, 100_000, "columns", "a table")
SHEET_CELLS = _limit(  # of 32 bytes each, whether there is anything in them
    "SHEET_CELLS",
    _PART,
    2**22,
    "cells",
    "a sheet up to its last one; 3 more for every 2 bytes of a file",
)
EMPTY_CELLS = _limit("EMPTY_CELLS", _PART, 100, "cells", "for each value, of objects in JSON")
CELL = _limit(  # csv's own limit of 131,072 is too small for long texts
    "CELL", _PART, 2**24, "characters", "one cell of text"
)
GENERATED_ROWS = _limit("GENERATED_ROWS", _PART, 50_000, "rows", "made-up data")
PASTED = _limit("PASTED", _PART, 2**20, "characters", "a pasted table")
RECORDS_BYTES = _limit(  # values take ten times as many in memory
    "RECORDS_BYTES", _PART, 2**28, "bytes", "a table in JSON"
)
FOLDER_FILES = _limit("FOLDER_FILES", _PART, 2_000_000, "files", "a folder as a table")
FOLDER_DEPTH = _limit("FOLDER_DEPTH", _PART, 6, "folders", "within one another")
FOLDER_TEXT_BYTES = _limit("FOLDER_TEXT_BYTES", _PART, 2**24, "bytes", "one text of a folder")
ARRAYS = _limit("ARRAYS", _PART, 1_000, "arrays", "an .npz file, or a folder of .npy files")
ARRAY_AXES = _limit("ARRAY_AXES", _PART, 8, "axes", "one of these arrays")
PICTURE_PIXELS = _limit("PICTURE_PIXELS", _PART, 2**27, "pixels", "a picture as it lies there")

# -- ONNX ------------------------------------------------------------------------------------------

_PART = "ONNX"
ONNX_BYTES = _limit(  # protobuf messages end at 2 GiB
    "ONNX_BYTES", _PART, 2**31 - 2**16, "bytes", "a file with its arrays"
)
ONNX_GRAPH_BYTES = _limit("ONNX_GRAPH_BYTES", _PART, 2**26, "bytes", "a graph without its arrays")
ONNX_TEXT_BYTES = _limit("ONNX_TEXT_BYTES", _PART, 2**20, "bytes", "the same, packed")
ONNX_PARTS = _limit(  # fields of messages; a few bytes of them become hundreds in memory
    "ONNX_PARTS", _PART, 400_000, "parts", "a file, not counting the numbers of its arrays"
)
ONNX_LEVELS = _limit("ONNX_LEVELS", _PART, 64, "parts", "within one another")
ONNX_NODES = _limit(
    "ONNX_NODES", _PART, 10_000, "nodes", "what a file's loops and functions come to"
)
ONNX_NESTED = _limit("ONNX_NESTED", _PART, 32, "functions", "of a file, within one another")
ONNX_FUNCTIONS = _limit("ONNX_FUNCTIONS", _PART, 8, "functions", "of ONNX, within one another")
ONNX_VALUE_BYTES = _limit(  # for the few samples it is tried with; real ones are estimated later
    "ONNX_VALUE_BYTES", _PART, 2**36, "bytes", "what one operator gives, for up to 352 samples"
)
ONNX_FIXED_BYTES = _limit(
    "ONNX_FIXED_BYTES", _PART, 2**28, "bytes", "what operators make of constants alone"
)

# -- models ----------------------------------------------------------------------------------------

_PART = "Models"
LAYER_NUMBERS = _limit(  # 8 GiB, before optimizer and activations
    "LAYER_NUMBERS", _PART, 2**31, "numbers", "the weights of one layer"
)
VALUE_NUMBERS = _limit(  # so that no product of sizes leaves 64 bits, whatever is done with it
    "VALUE_NUMBERS", _PART, 2**34, "numbers", "one value of a model, for one row"
)
TABLE_NUMBERS = _limit(  # they are made while a model is only looked at
    "TABLE_NUMBERS", _PART, 2**24, "numbers", "a table that a layer computes with, not a weight"
)
STEPS_APART = _limit(
    "STEPS_APART", _PART, 2_000, "steps", "of which TimeDistributed takes statistics apart"
)
