"""Walking through a JSON file element by element, in memory for one element.

A bundle of resources can be as large as a hospital likes; its elements are small. So the text is
cut at the elements of one array, and each is parsed by itself. Sizes and depths are checked on the
cut, before anything is built of it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from aline_tf.errors import InputError

CHUNK = 1 << 16
#: A resource longer than this carries something else than an observation, an attachment say.
MAX_ELEMENT = 1 << 20
MAX_DEPTH = 64
#: Tiny elements cost as much time as real ones; a bundle of decades has fewer.
MAX_ELEMENTS = 5_000_000

_MARKS = re.compile(r'["{}\[\]]|\\.', re.DOTALL)


class OversizedElement:
    """Stands for an element of more than 1 MiB, which was passed over."""


def elements(stream: BinaryIO, key: str) -> Iterator[Any]:
    """The elements of the array under `key` of a JSON object, or of the array that the file is.

    Args:
        stream: UTF-8 bytes.
        key: name of the array at the first level of the object.

    Yields:
        Parsed elements, or an `OversizedElement`.

    Raises:
        InputError: not JSON, broken off, nested deeper than 64 levels, of more than five million
            elements, or not in UTF-8.
    """
    text = _Text(stream)
    opening = text.skip_space()
    if opening == "[":
        yield from _array(text)
    elif opening == "{":
        yield from _member(text, key)
    else:
        raise _not_json("it begins with neither { nor [")
    if text.skip_space():
        raise _not_json("something follows its end")


def parse(text: str) -> Any:
    """JSON text as Python values.

    Raises:
        InputError: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_json("a part cannot be parsed") from error


def _member(text: _Text, key: str) -> Iterator[Any]:
    """Elements of the array under `key`, the object's opening brace having been read."""
    first = True
    while (mark := text.skip_space()) != "}":
        if not first:
            if mark != ",":
                raise _not_json("a comma is missing")
            mark = text.skip_space()
        first = False
        if mark != '"':
            raise _not_json("a name is missing")
        name = parse('"' + text.rest_of_string())
        if text.skip_space() != ":":
            raise _not_json("a colon is missing")
        value = text.skip_space()
        if name == key and value == "[":
            yield from _array(text)
        else:
            text.value(value)


def _array(text: _Text) -> Iterator[Any]:
    """Elements of an array whose opening bracket has been read."""
    mark = text.skip_space()
    count = 0
    while mark != "]":
        count += 1
        if count > MAX_ELEMENTS:
            raise InputError(f"expected at most {MAX_ELEMENTS} elements; received more")
        raw = text.value(mark)
        yield OversizedElement() if raw is None else parse(raw)
        mark = text.skip_space()
        if mark == ",":
            mark = text.skip_space()
            if mark == "]":
                raise _not_json("an element is missing")
        elif mark != "]":
            raise _not_json("a comma is missing")


class _Text:
    """Reads text in chunks and cuts JSON values out of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer = ""
        self._at = 0
        self._escaped = False

    def _more(self) -> bool:
        """Replace what has been read by the next chunk; False at the end."""
        try:
            while data := self._stream.read(CHUNK):
                if text := self._decoder.decode(data):
                    self._buffer, self._at = text, 0
                    return True
            self._decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            raise InputError("expected JSON in UTF-8; received another encoding") from error
        self._buffer, self._at = "", 0
        return False

    def _next(self) -> str:
        if self._at >= len(self._buffer) and not self._more():
            return ""
        self._at += 1
        return self._buffer[self._at - 1]

    def skip_space(self) -> str:
        """The next character that is no white space, "" at the end."""
        while (character := self._next()) and character in " \t\r\n":
            pass
        return character

    def rest_of_string(self) -> str:
        """The rest of a string whose opening quote has been read, with the closing one."""
        pieces, length = [], 0
        while (character := self._next()) != '"':
            if not character:
                raise _broken_off()
            pieces.append(character)
            if character == "\\":
                pieces.append(self._next())
            length += 1
            if length > MAX_ELEMENT:
                raise _not_json("a name is longer than 1 MiB")
        return "".join([*pieces, '"'])

    def value(self, first: str) -> str | None:
        """The text of a value that begins with `first`, None when it is longer than 1 MiB."""
        if not first:
            raise _broken_off()
        if first in ",:]}":
            raise _not_json("a value is missing")
        if first not in '"{[':
            return self._plain(first)
        pieces, length = [first], 1
        depth, quoted = int(first != '"'), first == '"'
        while depth or quoted:
            if self._at >= len(self._buffer) and not self._more():
                raise _broken_off()
            stop, depth, quoted = self._scan(depth, quoted)
            length += stop - self._at
            if length <= MAX_ELEMENT:
                pieces.append(self._buffer[self._at : stop])
            self._at = stop
        return "".join(pieces) if length <= MAX_ELEMENT else None

    def _scan(self, depth: int, quoted: bool) -> tuple[int, int, bool]:
        """Where in the buffer the value ends, or the end of the buffer; depth and state there."""
        for found in _MARKS.finditer(self._buffer, self._at + self._escaped):
            mark = found.group()
            if quoted:
                quoted = mark != '"'
            elif mark == '"':
                quoted = True
            elif mark in "{[":
                depth += 1
                if depth > MAX_DEPTH:
                    raise _not_json(f"it nests deeper than {MAX_DEPTH} levels")
            elif mark in "}]":
                depth -= 1
            else:
                raise _not_json("a backslash stands outside a string")
            if not depth and not quoted:
                self._escaped = False
                return found.end(), depth, quoted
        # A backslash at the very end escapes the first character of the next chunk.
        tail = self._buffer[self._at + self._escaped :]
        self._escaped = quoted and (len(tail) - len(tail.rstrip("\\"))) % 2 == 1
        return len(self._buffer), depth, quoted

    def _plain(self, first: str) -> str:
        """A number or a word: up to what ends it."""
        pieces = [first]
        while character := self._next():
            if character in ",]} \t\r\n":
                self._at -= 1
                break
            pieces.append(character)
            if len(pieces) > 1000:
                raise _not_json("a number is longer than 1000 characters")
        return "".join(pieces)


def _not_json(why: str) -> InputError:
    return InputError(f"expected a file of JSON; received one that is not: {why}")


def _broken_off() -> InputError:
    return InputError("expected a complete file of JSON; received one that breaks off")
