"""The body of a request, unpacked within limits: no small request may fill the memory."""

from __future__ import annotations

import zlib

from aline_tf.errors import InputError

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 1 << 16


class TooLarge(Exception):
    """A body beyond its limit; the message says which."""


class Body:
    """A body that arrives in parts.

    Args:
        encoding: the header Content-Encoding; "" for none.
        largest_body: bytes that may arrive.
        largest_payload: bytes that they may be once unpacked.

    Raises:
        InputError: an encoding that is neither gzip nor none.

    Example:
        >>> import gzip
        >>> from aline_tf.gateway.intake.bodies import Body
        >>> body = Body("gzip", largest_body=100, largest_payload=100)
        >>> body.take(gzip.compress(b"readings"))
        >>> body.whole()
        b'readings'
    """

    def __init__(self, encoding: str, largest_body: int, largest_payload: int):
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise InputError(f"expected Content-Encoding gzip or none; received {encoding[:40]!r}")
        self._packed = encoding == "gzip"
        self._unpacker = zlib.decompressobj(_GZIP) if self._packed else None
        self._arrived, self._most = 0, largest_body
        self._unpacked, self._largest = bytearray(), largest_payload

    def take(self, part: bytes) -> None:
        """The next part.

        Raises:
            TooLarge: more than may arrive, or than may be unpacked.
            InputError: it is not gzip.
        """
        self._arrived += len(part)
        if self._arrived > self._most:
            raise TooLarge(f"expected a body of at most {self._most:,} bytes; received more")
        while part:
            part = self._add(part)

    def whole(self) -> bytes:
        """All of it.

        Raises:
            InputError: it broke off.
        """
        if self._unpacker is not None and not self._unpacker.eof:
            raise InputError("expected a complete gzip body; received one that breaks off")
        return bytes(self._unpacked)

    def _add(self, part: bytes) -> bytes:
        """Unpack a little of a part; what is left of it."""
        if self._unpacker is None:
            self._unpacked += part
            part = b""
        elif self._unpacker.eof:
            raise InputError("expected one gzip member; received more behind it")
        else:
            try:
                self._unpacked += self._unpacker.decompress(part, _STEP)
            except zlib.error as error:
                raise InputError("expected a gzip body; received another") from error
            part = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        if len(self._unpacked) > self._largest:
            raise TooLarge(
                f"expected a body of at most {self._largest:,} bytes when unpacked; received more"
            )
        return part
