"""Metrics for Prometheus: counts and durations by route, format and outcome, never a value."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "aline_gateway_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "aline_gateway_request_seconds",
            "Seconds until a request was answered.",
            ("route",),
            registry=self._registry,
        )
        self._records = Counter(
            "aline_gateway_records",
            "Records of the payloads that were kept for the first time.",
            ("format", "outcome"),
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered.

        Args:
            method: of HTTP.
            route: as it is written in the description, without its parameters.
            status: of HTTP.
            seconds: that it took.
        """
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def kept(self, kind: str, account: dict) -> None:
        """A payload was kept, with this account."""
        for outcome in ("read", "skipped", "unused"):
            self._records.labels(kind, outcome).inc(account[outcome])

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
