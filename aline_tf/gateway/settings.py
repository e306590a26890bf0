"""What an operator decides about a gateway."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from urllib.parse import urlsplit

from aline_tf.errors import InputError

#: SQLite beside the working directory; its write-ahead log lies there too.
DATABASE = "sqlite:///gateway.db"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a gateway.

    Attributes:
        database: URL of the one database, SQLite or PostgreSQL (postgresql+psycopg://...).
        served_model: "host:port" of a model server with the model `migraine`; None for inference in
            this process. A served model tells risks, triggers, what-ifs and the policy's question;
            intervals and gains need the model here.
        preset: directory of the model for this process; None for the one that is shipped.
        cost_weight: nats that one prompt has to be worth.
        seed: of the draws behind intervals.
        largest_body: bytes of a request as it arrives.
        largest_payload: bytes of it once unpacked.
        model_timeout: seconds to wait for a model server.
        per_minute, burst: requests of one person a minute, and at once; of an address without a
            token that counts, as many.
        origins: of other sites whose pages may ask, as https://app.example.org; none by default.
        webhook_hosts: who may be called about events, as host or host:port; nobody by default.
        attend_seconds: between looks after everybody, for events and prompts; 0 for none.
        plan_twins: simulated people that a plan is made with; more of them make errors smaller.

    Raises:
        InputError: a limit that is not positive, or a weight that is negative.

    Example:
        >>> from aline_tf.gateway import Settings
        >>> Settings(served_model="127.0.0.1:8500").database
        'sqlite:///gateway.db'
    """

    database: str = DATABASE
    served_model: str | None = None
    preset: Path | None = None
    cost_weight: float = 0.001
    seed: int = 0
    largest_body: int = 8 << 20
    largest_payload: int = 64 << 20
    model_timeout: float = 10.0
    per_minute: float = 600.0
    burst: int = 200
    origins: tuple[str, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    attend_seconds: float = 60.0
    plan_twins: int = 128

    def __post_init__(self) -> None:
        for name in ("largest_body", "largest_payload", "model_timeout", "per_minute", "burst"):
            if not getattr(self, name) > 0:
                raise InputError(f"expected {name} above 0; received {getattr(self, name)}")
        if not 8 <= self.plan_twins <= 2048:
            raise InputError(f"expected plan_twins from 8 to 2048; received {self.plan_twins}")
        if not (math.isfinite(self.cost_weight) and self.cost_weight >= 0):
            raise InputError(f"expected a cost_weight of 0 or more; received {self.cost_weight}")
        for origin in self.origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or f"{parts.scheme}://{parts.netloc}" != origin
            ):
                raise InputError(
                    f"expected an origin like https://app.example.org; received {origin!r}"
                )
