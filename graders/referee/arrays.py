"""numpy's arrays, dtypes and single numbers on the wire: exactly the kinds whose bytes are their value."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

from graders.referee.values import BadValue, NotData, Packed, Packer, Unpacker

if TYPE_CHECKING:
    import numpy

DTYPE = re.compile(r"[<>|=](b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,7}|[mM]8(\[\d*[a-zA-Z]+\])?)")
MAX_SIDE = 2**40


def pack_numpy_array(packer: Packer, array: Any) -> Packed:
    """Return a numpy array as JSON.

    Raises:
        NotData: Its elements are of a kind that no other process could read.
    """
    if array.dtype.kind == "O":
        return ["np.object", list(array.shape), packer.items(array.ravel().tolist())]
    order: Literal["C", "F"] = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    content = array.tobytes(order)
    return ["np.array", _pack_dtype(array.dtype), list(array.shape), order, packer.bytes(content)]


def unpack_numpy_array(unpacker: Unpacker, packed: Packed) -> Any:
    """Return a numpy array.

    Raises:
        BadValue: This is none.
    """
    match packed:
        case ["np.object", list(shape), list(items)]:
            return _object_array(_shape(shape), unpacker.items(items))
        case ["np.array", dtype, list(shape), ("C" | "F") as order, place]:
            return _plain_array(unpacker, dtype, _shape(shape), order, place)
    raise BadValue("This is no array.")


def pack_scalar(packer: Packer, value: Any) -> list[Packed]:
    """Return the parts of one of numpy's numbers, texts or times."""
    import numpy

    # The dtype of an empty text says nothing of the bytes that it takes.
    array = numpy.asarray(value)
    return [array.dtype.str, packer.bytes(array.tobytes())]


def unpack_scalar(unpacker: Unpacker, dtype: Any, place: Any) -> Any:
    """Return one of numpy's numbers, texts or times."""
    return _plain_array(unpacker, dtype, (1,), "C", place)[0]


def is_plain(dtype: Any) -> bool:
    """Return whether an element of `dtype` is one value, of bytes alone."""
    return DTYPE.fullmatch(dtype.str) is not None and dtype.subdtype is None and dtype.fields is None


def read_dtype(packed: Packed) -> numpy.dtype[Any]:
    """Return a dtype.

    Raises:
        BadValue: It is none, or one of objects.
    """
    import numpy

    match packed:
        case str(text) if DTYPE.fullmatch(text):
            return numpy.dtype(text)
        case [list(names), list(formats), list(offsets), int(size)] if all(
            type(text) is str and DTYPE.fullmatch(text) for text in formats
        ):
            return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})
    raise BadValue("There is no such dtype.")


def _object_array(shape: tuple[int, ...], values: list[Any]) -> Any:
    import numpy

    if math.prod(shape) != len(values):
        raise BadValue("The array has another size.")
    flat = numpy.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        flat[place] = value
    return flat.reshape(shape)


def _plain_array(unpacker: Unpacker, packed: Any, shape: tuple[int, ...], order: Any, place: Any) -> Any:
    import numpy

    dtype = read_dtype(packed)
    content = unpacker.bytes(place)
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise BadValue("The array has another size.")
    if dtype.kind == "b":
        # Any other byte would be neither True nor False.
        flat = numpy.frombuffer(content, dtype=numpy.uint8) != 0
    else:
        flat = numpy.frombuffer(content, dtype=dtype)
    return flat.reshape(shape, order=order).copy(order)


def _shape(shape: list[Any]) -> tuple[int, ...]:
    if len(shape) > 32 or not all(type(side) is int and 0 <= side < MAX_SIDE for side in shape):
        raise BadValue("There is no such shape.")
    return tuple(shape)


def _pack_dtype(dtype: numpy.dtype[Any]) -> Packed:
    if is_plain(dtype):
        return dtype.str
    fields: Any = dtype.fields
    if fields and all(is_plain(field[0]) for field in fields.values()):
        names = list(fields)
        return [
            names,
            [fields[name][0].str for name in names],
            [fields[name][1] for name in names],
            dtype.itemsize,
        ]
    raise NotData(f"Elements of the kind {dtype} are no plain data.")
