"""From the bytes of a table to its text, in whichever encoding a program left them.

A byte order mark and sound UTF-8 settle it. Zero bytes at every second place are UTF-16 without a
mark. Anything else is an older encoding: of those that can decode the file, the one in which most
of it is words that a diary knows ("sí", "да", "März"), else the one that charset-normalizer holds
for the likeliest. Encodings of one byte a character agree in everything that gives a table its
shape, so a wrong guess among them changes letters and never cells.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from aline_tf.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OLDER = (
    *("cp1252", "cp1250", "cp1251", "cp1254", "cp1253", "cp1256", "latin-1", "koi8-r", "cp866"),
    *("cp437", "cp850", "mac_roman", "cp932", "gb18030", "big5", "euc_kr", "euc_jp"),
    *("cp852", "cp857", "iso8859-6"),
)
#: Bytes that charset-normalizer and the search for words look at.
_SAMPLE = 1 << 16
#: Letters beyond ASCII, fewer of which say nothing of an encoding.
_ENOUGH = 32
_WORD = re.compile(r"[^\W\d_]+")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_WORKBOOKS = {b"PK\x03\x04": "a zip archive or a workbook", b"\xd0\xcf\x11\xe0": "a workbook"}


def decode(
    data: bytes,
    name: str,
    familiar: Callable[[str], bool] = lambda word: False,
    is_cut: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """The text in the bytes of a file.

    Args:
        data: all of the file, or its beginning.
        name: of the file, for messages.
        familiar: whether a word of small letters is one that a diary knows.
        is_cut: the data may end within a character.

    Returns:
        the text, and notes on what was assumed to read it.

    Raises:
        InputError: it is no text, or in no encoding that is known.
    """
    for magic, what in _WORKBOOKS.items():
        if data.startswith(magic):
            raise InputError(
                f"expected a table as text; received {name}, which is {what}: save its sheet as CSV"
            )
    if is_cut:
        data = data.rsplit(b"\n", 1)[0] if b"\0" not in data else data[: len(data) // 4 * 4]
    encoding = _encoding(data, familiar)
    text = None if encoding is None else _decoded(data, encoding)
    if text is None:
        raise InputError(
            f"expected a table in UTF-8 or another encoding of text; received {name}, whose"
            " encoding is none that is known: save it as UTF-8"
        )
    notes = () if encoding == "utf-8" else (f"{name} was read as {encoding}",)
    text = text.removeprefix("\ufeff")
    zeros = text.count("\0")
    if zeros:
        text = text.replace("\0", "")
        notes += (f"{name}: {zeros} zero bytes were passed over: the file may be damaged",)
    if len(_CONTROL.findall(text[:_SAMPLE])) * 100 > len(text[:_SAMPLE]):
        raise InputError(f"expected a table as text; received {name}, which is no text")
    return text, notes


def _encoding(data: bytes, familiar: Callable[[str], bool]) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[first::2].count(0) * 3 > len(sample[first::2]):
            return encoding
    if _decoded(data, "utf-8") is not None:
        return "utf-8"
    return _older_encoding(data, familiar)


def _older_encoding(data: bytes, familiar: Callable[[str], bool]) -> str | None:
    # Lines without letters beyond ASCII say nothing of the encoding.
    lines = [line for line in re.split(rb"[\r\n]+", data) if not line.isascii()]
    sample = b"\n".join(lines)[:_SAMPLE]
    best, most = None, 0
    for encoding in _OLDER:
        text = _decoded(data, encoding)
        if text is None:
            continue
        words = _WORD.findall(sample.decode(encoding, "replace"))
        known = sum(_weight(word, encoding) for word in words if familiar(word.lower()))
        if known > most:
            best, most = encoding, known
    if best is not None:
        return best
    likely = "cp1252" if sum(byte > 127 for byte in sample) < _ENOUGH else _likeliest(sample)
    if sample.decode(likely, "replace") == sample.decode("cp1252", "replace"):
        # Of encodings that read it alike, the one that is met most.
        likely = "cp1252"
    return next(
        (name for name in (likely, "cp1252", "latin-1") if _decoded(data, name) is not None), None
    )


def _weight(word: str, encoding: str) -> int:
    """How many bytes of characters beyond ASCII a word explains.

    None when it is a single byte, which is a letter in every encoding.
    """
    size = sum(len(c.encode(encoding, "replace")) for c in word if not c.isascii())
    return 0 if len(word) == size == 1 else size


def _likeliest(sample: bytes) -> str:
    # Imported where it is needed: few files are in older encodings.
    from charset_normalizer import from_bytes

    guess = from_bytes(sample).best()
    return "cp1252" if guess is None else guess.encoding


def _decoded(data: bytes, encoding: str) -> str | None:
    """The text, None when it is not in that encoding."""
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
