"""How large a request may be: stored with an export, checked by its graph and by the server.

A request of a few hundred bytes can announce any shape, and memory follows the shape.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aline_tf.batch import LETTER_MEANING
from aline_tf.errors import InputError

#: Where an export keeps its limits.
LIMITS_FILE = "assets.extra/limits.json"
#: No limit may be larger: products of three sizes stay within 64 bits.
LARGEST = {"B": 1 << 20, "C": 1 << 20, "M": 1 << 20, "N": 1 << 20, "pairs": 1 << 40}


@dataclasses.dataclass(frozen=True)
class Limits:
    """The largest sizes of one pass through a served model (letters as in `aline_tf.batch`).

    Attributes:
        B, C, M, N: rows, context tokens, predictive targets, candidates.
        pairs: of tokens, one of which reads the other; memory grows with them. For P parameters
            that is B (1 + 2 P + C + M) (1 + P + C + N): the context is read by all tokens, and
            targets by the candidates. At the usual limit a pass takes some hundred megabytes.

    Raises:
        InputError: a limit that is not a whole number from 1 to `LARGEST`.

    Example:
        >>> limits = Limits(C=512)
        >>> limits.N, Limits.parse(["C=512"]) == limits
        (16384, True)
        >>> limits.exceeded({"B": 1, "C": 600, "M": 0, "N": 0, "P": 4})
        'expected at most 512 context tokens (C); received 600'
    """

    B: int = 4096
    C: int = 4096
    M: int = 4096
    N: int = 16384
    pairs: int = 1 << 22

    def __post_init__(self):
        for name, largest in LARGEST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
                raise InputError(f"expected a limit {name} from 1 to {largest}; received {value!r}")

    @classmethod
    def parse(cls, settings: Sequence[str]) -> Limits:
        """Limits from "C=512" and the like; the others are the usual ones.

        Raises:
            InputError: a setting of another form, of an unknown name or of a name twice.
        """
        given: dict[str, int] = {}
        for setting in settings:
            name, _, number = setting.partition("=")
            if name not in LARGEST or not number.isascii() or not number.isdecimal():
                raise InputError(
                    f"expected a limit as NAME=NUMBER with a name of {', '.join(LARGEST)};"
                    f" received {setting!r}"
                )
            if name in given:
                raise InputError(f"expected limit {name} once; received it twice")
            given[name] = int(number)
        return cls(**given)

    @classmethod
    def of_export(cls, version: Path) -> Limits | None:
        """The limits in a version directory; None in one that was exported without.

        Raises:
            InputError: a file that is no such limits.
        """
        file = Path(version) / LIMITS_FILE
        if not file.is_file():
            return None
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise InputError(f"expected limits in {file}; received {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return dataclasses.asdict(self)

    def exceeded(self, sizes: Mapping[str, int]) -> str | None:
        """Why a request of these sizes is refused, or None.

        Args:
            sizes: of B, C, M, N and P.
        """
        for letter in "BCMN":
            if sizes[letter] > getattr(self, letter):
                return self.message(letter).format(sizes[letter])
        received = pairs_of(sizes)
        return self.message("pairs").format(received) if received > self.pairs else None

    def message(self, name: str) -> str:
        """The refusal of a request above limit `name`; "{}" stands for what was received."""
        return f"expected {self.described(name)}; received {{}}"

    def described(self, name: str) -> str:
        """What a request has that is not above limit `name`."""
        if name == "pairs":
            return (
                "B (1 + 2 P + C + M) (1 + P + C + N), the pairs of tokens that read each other, of"
                f" at most {self.pairs}"
            )
        return f"at most {getattr(self, name)} {LETTER_MEANING[name]} ({name})"


def pairs_of(sizes: Mapping[str, Any]) -> Any:
    """How many pairs of tokens there are, one of which may read the other; of ints or tensors."""
    context = 1 + sizes["P"] + sizes["C"]
    return sizes["B"] * (context + sizes["P"] + sizes["M"]) * (context + sizes["N"])
