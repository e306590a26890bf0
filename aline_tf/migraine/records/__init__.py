"""A person's records: timeline, files, wall clock, units, days, FHIR, importers."""

from aline_tf.runtime.lazy_exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "attack_days": "attack_slots",
        "convert": "units",
        "day_history": "days",
        "DayHistory": "days",
        "import_timeline": "importers",
        "ImportSummary": "import_summary",
        "Kind": "timeline",
        "KINDS": "timeline",
        "read_apple_health": "importers",
        "read_diary": "importers",
        "read_records": "importers",
        "read_timeline": "timeline_file",
        "Records": "importers",
        "Support": "evening",
        "support": "evening",
        "time_zone": "wall_clock",
        "Timeline": "timeline",
        "WallClock": "wall_clock",
        "write_bundle": "fhir_export",
        "write_timeline": "timeline_file",
    },
)
