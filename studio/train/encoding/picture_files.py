"""Pictures in files as arrays of bytes, all of one size. Pillow is imported with the first.

A picture is turned as its EXIF says; transparency is dropped, as `keras.utils.load_img` does; of
a film the first frame is taken; 16 bits become 8. Damaged ones are said to be so, and none with
more pixels than `PICTURE_PIXELS` is unpacked. The exported script does the same.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from warnings import filterwarnings

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import ImageColumn
from studio.limits import PICTURE_PIXELS
from studio.problem import Problem
from studio.text import text

if TYPE_CHECKING:
    from PIL.Image import Image

# Those that pictures come in. Pillow knows more: of one it has Ghostscript, a program, run what the
# file says; for others it asks whatever is installed.
FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "SGI"),
    *("TGA", "TIFF", "WEBP"),
)
_T = TypeVar("_T")
_LARGE = 2**23  # pixels; of larger ones only one is unpacked at a time, by whatever threads
_BLOCK = 2**20  # pixels that become bytes together
_one_large = Lock()


class PictureError(Exception):
    """A file cannot be opened as a picture; says why, to the user."""


def decoded(path: Path, binding: ImageColumn) -> NDArray[np.uint8]:
    """A picture as bytes (height, width, channels), of the size and colours that a binding says.

    Raises:
        PictureError: it cannot be opened, or is too large.
    """
    return _opened(path, lambda image: _bytes(image, binding))


def expect_picture(path: Path) -> None:
    """Look at the first bytes of a file, which tell what it is; nothing is unpacked.

    Raises:
        PictureError: it is no picture, or is too large.
    """
    _opened(path, lambda image: None)


def picture_shape(path: Path) -> tuple[int, int, int]:
    """Height, width and channels of a picture as it is in its file: 1 of greys, else 3.

    Raises:
        PictureError: it cannot be opened, or is too large.
    """
    return _opened(path, lambda image: (image.height, image.width, _channels(image)))


def _channels(image: "Image") -> int:
    return 1 if image.mode[0] in "1LIF" else 3


def _opened(path: Path, use: Callable[["Image"], _T]) -> _T:
    from PIL import Image, UnidentifiedImageError

    if path.exists() and not path.is_file():
        raise PictureError(text("problems.reason_not_a_file"))  # a pipe may never end
    try:
        with Image.open(path, formats=_formats()) as image:
            pixels = image.size[0] * image.size[1]
            if pixels > PICTURE_PIXELS:
                raise PictureError(_too_large(pixels))
            with _one_large if pixels > _LARGE else nullcontext():
                return use(image)
    except (PictureError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_large(PICTURE_PIXELS)) from None
    except UnidentifiedImageError:
        raise PictureError(str(Problem("reason_no_picture"))) from None
    except Exception as error:  # a damaged file makes a decoder raise whatever it likes
        raise PictureError(str(error) or type(error).__name__) from None


@cache
def _formats() -> tuple[str, ...]:
    """Those that the Pillow that is installed has, which from now on keeps its warnings to itself.

    They are of many pixels, of which `PICTURE_PIXELS` decides, and of notes in a picture that
    nobody reads.
    """
    from PIL import Image

    filterwarnings("ignore", module=r"PIL\.")
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _too_large(pixels: int) -> str:
    args = {"received": pixels, "expected": PICTURE_PIXELS}
    return str(Problem("reason_picture_large", args=args))


def _bytes(image: "Image", binding: ImageColumn) -> NDArray[np.uint8]:
    from PIL import ImageOps
    from PIL.Image import Resampling

    size = (binding.width, binding.height)
    image.draft("RGB", (4 * max(size), 4 * max(size)))  # a large JPEG is unpacked smaller
    mode = "RGB" if binding.color == "rgb" else "L"
    plain = _eight_bits(ImageOps.exif_transpose(image)).convert(mode)
    if binding.resize == "stretch":
        plain = plain.resize(size, Resampling.BILINEAR)
    elif binding.resize == "crop":
        plain = ImageOps.fit(plain, size, Resampling.BILINEAR)
    else:
        plain = ImageOps.pad(plain, size, Resampling.BILINEAR)
    return np.asarray(plain, np.uint8).reshape(*size[::-1], binding.channels)


def _eight_bits(image: "Image") -> "Image":
    """Greys of 16 bits as bytes, and floats of 0 … 1; everything else as it is."""
    from PIL import Image

    if image.mode[0] not in "IF":
        return image
    scale = 255.0 if image.mode == "F" else 1 / 257
    values = np.asarray(image)
    found = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, image.width))
    for start in range(0, len(values), rows):
        block = values[start : start + rows].astype(np.float64) * scale
        found[start : start + rows] = np.clip(np.round(block), 0, 255)
    return Image.fromarray(found)
