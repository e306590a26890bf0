"""Make examples/export.zip and examples/diary.csv: ninety days of an invented person.

The files have the format of the real thing; the person does not exist. Attacks come more often
after a fall in stress, after a short night and around the start of menstruation, so that there is
something to find, and the diary has gaps. The same seed gives the same bytes.

    python examples/make_examples.py [--out DIRECTORY] [--seed SEED]
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

LAST_DAY = date(2025, 4, 27)  # a Sunday
DAYS = 90
SEED = 13
#: Central Europe put its clocks forward on the night to 30 March 2025, at 01:00 UTC.
CLOCK_CHANGE = datetime(2025, 3, 30, 1, tzinfo=UTC)
CYCLE_STARTS = (date(2025, 2, 6), date(2025, 3, 7), date(2025, 4, 4))

WATCH = "Mira\u2019s Apple Watch"
PHONE = "Mira\u2019s iPhone"
DEVICE = {
    WATCH: "<<HKDevice: 0x30341a5c0>, name:Apple Watch, manufacturer:Apple Inc., model:Watch,"
    " hardware:Watch7,1, software:11.4>",
    PHONE: "<<HKDevice: 0x30341b840>, name:iPhone, manufacturer:Apple Inc., model:iPhone,"
    " hardware:iPhone15,2, software:18.4>",
}
VERSION = {WATCH: "11.4", PHONE: "18.4", "Health": "18.4", "Clock": "18.4"}

PROLOG = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT ExportDate EMPTY>
<!ATTLIST ExportDate
  value CDATA #REQUIRED
>
<!ELEMENT Me EMPTY>
<!ATTLIST Me
  HKCharacteristicTypeIdentifierDateOfBirth         CDATA #REQUIRED
  HKCharacteristicTypeIdentifierBiologicalSex       CDATA #REQUIRED
  HKCharacteristicTypeIdentifierBloodType           CDATA #REQUIRED
  HKCharacteristicTypeIdentifierFitzpatrickSkinType CDATA #REQUIRED
  HKCharacteristicTypeIdentifierCardioFitnessMedicationsUse CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  unit          CDATA #IMPLIED
  value         CDATA #IMPLIED
  sourceName    CDATA #REQUIRED
  sourceVersion CDATA #IMPLIED
  device        CDATA #IMPLIED
  creationDate  CDATA #IMPLIED
  startDate     CDATA #REQUIRED
  endDate       CDATA #REQUIRED
>
<!ELEMENT MetadataEntry EMPTY>
<!ATTLIST MetadataEntry
  key   CDATA #REQUIRED
  value CDATA #REQUIRED
>
<!ELEMENT HeartRateVariabilityMetadataList (InstantaneousBeatsPerMinute*)>
<!ELEMENT InstantaneousBeatsPerMinute EMPTY>
<!ATTLIST InstantaneousBeatsPerMinute
  bpm  CDATA #REQUIRED
  time CDATA #REQUIRED
>
]>
"""

CDA_DECOY = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
 <title>Health Data Export</title>
</ClinicalDocument>
"""

DIARY_COLUMNS = (
    "date",
    "answered_at",
    "attack",
    "attack_start",
    "attack_end",
    "pain",
    "stress_morning",
    "stress_afternoon",
    "stress_evening",
    "prodrome",
    "medication",
    "alcohol",
    "caffeine",
    "missed_meal",
    "notes",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "export.zip").write_bytes(health_export(live(args.seed), args.seed))
    (args.out / "diary.csv").write_text(diary(live(args.seed), args.seed), encoding="utf-8")


def live(seed: int) -> list[dict]:
    """Ninety days of a life: one dictionary a day, with times as hours after local midnight."""
    rng = np.random.default_rng([seed, 0])
    days: list[dict] = []
    stress, attack_until = 4.0, -1.0
    for index in range(DAYS):
        day = LAST_DAY - timedelta(days=DAYS - 1 - index)
        weekend = day.weekday() >= 5
        before = days[-1] if days else None
        level = 2.6 if weekend else 4.8
        stress = float(np.clip(level + 0.5 * (stress - level) + rng.normal(0, 1.5), 0, 10))
        fall = max(0.0, before["stress"] - stress) if before else 0.0
        sleep = float(np.clip(7.3 + 0.6 * weekend - 0.2 * (stress - 4) + rng.normal(0, 0.9), 4, 10))
        window = any(abs((day - start).days) <= 2 for start in CYCLE_STARTS)
        logit = -2.35 + 0.45 * fall + 0.9 * max(0.0, 6.6 - sleep) + 1.7 * window
        attack = None
        if 24 * index > attack_until and rng.random() < 1 / (1 + np.exp(-logit)):
            begin = float(rng.choice([5.5, 8, 10.5, 14, 16.5, 18.25])) + 0.25 * rng.integers(0, 5)
            attack = (begin, begin + float(np.clip(rng.lognormal(np.log(11), 0.5), 4, 40)))
            attack_until = 24 * index + attack[1] + 12
        days.append(
            {
                "day": day,
                "stress": stress,
                "sleep": sleep,
                "attack": attack,
                "in_attack": attack is not None or 24 * index < attack_until - 12,
                "window": window,
                "weekend": weekend,
                "bed": 22.6 + 0.6 * weekend + float(rng.normal(0, 0.4)),
                "worn": bool(rng.random() > 0.07),
                "alcohol": int(rng.poisson(1.1 if weekend else 0.15)),
                "coffee": int(rng.poisson(2.2)),
                "missed_meal": bool(rng.random() < 0.08),
            }
        )
    for today, tomorrow in pairwise(days):
        ahead = tomorrow["attack"] is not None
        today["prodrome"] = bool(rng.random() < (0.55 if ahead else 0.06))
    days[-1]["prodrome"] = False
    return days


def diary(days: list[dict], seed: int) -> str:
    """The diary as CSV: a row for most days, some cells blank, a few questions refused.

    The last day has no row yet: the export is made before that evening's entry, when it is still
    open what to ask.
    """
    rng = np.random.default_rng([seed, 1])
    text = io.StringIO()
    table = csv.DictWriter(text, DIARY_COLUMNS, lineterminator="\n", restval="")
    table.writeheader()
    for today in days[:-1]:
        ill = today["in_attack"]
        if rng.random() < (0.18 if ill else 0.10) and today["attack"] is None:
            continue
        row = {"date": today["day"].isoformat(), "answered_at": clock(19.5 + 0.4 * rng.random())}
        parts = zip(("morning", "afternoon", "evening"), (0.3, 0.6, -0.7), strict=True)
        for part, shift in parts:
            if rng.random() < 0.85:
                felt = today["stress"] + shift + rng.normal(0, 0.7)
                row[f"stress_{part}"] = str(int(np.clip(round(felt), 0, 10)))
        row["attack"] = "yes" if today["attack"] else "no"
        if today["attack"]:
            begin, end = today["attack"]
            finish = datetime.combine(today["day"], datetime.min.time()) + timedelta(hours=end)
            row["attack_start"] = clock(begin)
            row["attack_end"] = (
                clock(end) if end < 24 else finish.replace(second=0).strftime("%Y-%m-%dT%H:%M")
            )
            if rng.random() < 0.1:
                row["attack_end"] = ""
            row["pain"] = str(int(rng.integers(5, 10)))
            row["medication"] = "yes" if rng.random() < 0.6 else "no"
        elif rng.random() < 0.9:
            row["pain"] = str(int(rng.choice([0, 0, 0, 0, 1, 2])))
            row["medication"] = "no"
        if rng.random() < 0.9:
            row["prodrome"] = "yes" if today["prodrome"] else "no"
        if rng.random() < 0.9:
            row["alcohol"] = str(today["alcohol"]) if rng.random() < 0.95 else "refused"
            row["caffeine"] = str(today["coffee"])
            row["missed_meal"] = "yes" if today["missed_meal"] else "no"
        if today["window"] and rng.random() < 0.3:
            row["notes"] = "tired, went home early"
        table.writerow(row)
    return text.getvalue()


def health_export(days: list[dict], seed: int) -> bytes:
    """The bytes of export.zip."""
    rng = np.random.default_rng([seed, 2])
    records: dict[str, list[str]] = {
        name: [] for name in ("heart", "steps", "sleep", "resting", "hrv", "cycle", "headache")
    }
    for before, today in zip([None, *days[:-1]], days, strict=True):
        _night(records, rng, before, today)
        _daytime(records, rng, today)
        _cycle(records, rng, today)
    now = local(LAST_DAY, 20.15)
    kept = [line for lines in records.values() for moment, line in lines if moment <= now]
    document = "".join(
        [
            PROLOG,
            '<HealthData locale="en_DE">\n',
            f' <ExportDate value="{stamp(now)}"/>\n',
            ' <Me HKCharacteristicTypeIdentifierDateOfBirth="1988-06-14"'
            ' HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"'
            ' HKCharacteristicTypeIdentifierBloodType="HKBloodTypeNotSet"'
            ' HKCharacteristicTypeIdentifierFitzpatrickSkinType="HKFitzpatrickSkinTypeNotSet"'
            ' HKCharacteristicTypeIdentifierCardioFitnessMedicationsUse="None"/>\n',
            *kept,
            "</HealthData>\n",
        ]
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, text in (("export.xml", document), ("export_cda.xml", CDA_DECOY)):
            info = zipfile.ZipInfo(f"apple_health_export/{name}", (2025, 4, 27, 20, 10, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            out.writestr(info, text)
    return archive.getvalue()


def _night(records: dict, rng: np.random.Generator, before: dict | None, today: dict) -> None:
    """Sleep that ends today: the phone's time in bed and, when it was worn, the watch's stages."""
    if before is None:
        return
    to_bed = local(before["day"], before["bed"])
    asleep = to_bed + timedelta(minutes=float(rng.uniform(8, 30)))
    stages, slept = [], 0.0
    moment = asleep
    while slept < today["sleep"]:
        for stage, minutes in (("Core", 48), ("Deep", 18), ("Core", 20), ("REM", 20)):
            length = timedelta(minutes=float(np.clip(rng.normal(minutes, 8), 5, 90)))
            stages.append((f"Asleep{stage}", moment, moment + length))
            moment += length
            slept += length.total_seconds() / 3600
            if slept >= today["sleep"]:
                break
        awake = timedelta(minutes=float(rng.exponential(7 + 6 * today["in_attack"])) + 1)
        stages.append(("Awake", moment, moment + awake))
        moment += awake
    up = moment + timedelta(minutes=float(rng.uniform(2, 15)))
    today["up"] = (up - local(today["day"], 0)).total_seconds() / 3600
    prefix = "HKCategoryTypeIdentifierSleepAnalysis"
    value = "HKCategoryValueSleepAnalysis"
    put(records["sleep"], prefix, "Clock", None, to_bed, up, value + "InBed", up)
    if not today["worn"]:
        return
    zone = {"HKTimeZone": "Europe/Berlin"}
    for stage, begin, end in stages:
        put(records["sleep"], prefix, WATCH, None, begin, end, value + stage, up, zone)
    for _ in range(int(rng.integers(2, 5))):
        at = asleep + (moment - asleep) * float(rng.uniform(0.05, 0.95))
        log = 3.75 + rng.normal(0, 0.2) - 0.05 * (today["stress"] - 4) - 0.3 * today["in_attack"]
        beats = [(at + timedelta(seconds=7 * k), 58 + int(rng.integers(0, 9))) for k in range(4)]
        put(
            records["hrv"],
            "HKQuantityTypeIdentifierHeartRateVariabilitySDNN",
            WATCH,
            "ms",
            at,
            at + timedelta(seconds=60),
            f"{np.exp(log):.4f}",
            at + timedelta(seconds=62),
            beats=beats,
        )


def _daytime(records: dict, rng: np.random.Generator, today: dict) -> None:
    day, up, bed = today["day"], today.get("up", 7.0), today["bed"]
    slow = 0.55 if today["in_attack"] else 1.0
    for hour in range(int(up) + 1, int(bed)):
        walked = rng.random() < 0.8
        steps = float(rng.gamma(1.1, 520 * slow * (1.25 if 7 <= hour <= 9 else 1.0)))
        begin = hour + float(rng.uniform(0, 0.4))
        length = float(rng.uniform(0.08, 0.5))
        for source, seen, shift in ((WATCH, today["worn"], 0.0), (PHONE, rng.random() < 0.7, 0.02)):
            count = int(steps * (1.0 if source == WATCH else rng.uniform(0.6, 1.0)))
            if walked and seen and count:
                start, end = local(day, begin + shift), local(day, begin + shift + length)
                kind = "HKQuantityTypeIdentifierStepCount"
                put(records["steps"], kind, source, "count", start, end, str(count), end)
        for _ in range(3 if today["worn"] else 0):
            at = local(day, hour + float(rng.uniform(0, 1)))
            rate = 74 + rng.normal(0, 9) + 6 * walked
            kind = "HKQuantityTypeIdentifierHeartRate"
            motion = {"HKMetadataKeyHeartRateMotionContext": str(int(walked))}
            put(records["heart"], kind, WATCH, "count/min", at, at, f"{rate:.0f}", at, motion)
    if today["worn"]:
        rest = 60 + rng.normal(0, 1.6) + 0.5 * (today["stress"] - 4) + 2.5 * today["in_attack"]
        end = local(day, 17 + float(rng.uniform(0, 2)))
        kind = "HKQuantityTypeIdentifierRestingHeartRate"
        put(records["resting"], kind, WATCH, "count/min", local(day, 0.05), end, f"{rest:.0f}", end)
    if today["attack"] and rng.random() < 0.5:
        begin, end = (local(day, hour) for hour in today["attack"])
        kind = "HKCategoryTypeIdentifierHeadache"
        value = "HKCategoryValueSeverity" + str(rng.choice(["Moderate", "Severe"]))
        put(records["headache"], kind, "Health", None, begin, end, value, end)


def _cycle(records: dict, rng: np.random.Generator, today: dict) -> None:
    for start in CYCLE_STARTS:
        since = (today["day"] - start).days
        if 0 <= since < 5:
            flow = ("Medium", "Heavy", "Medium", "Light", "Light")[since]
            begin = local(today["day"], 0)
            put(
                records["cycle"],
                "HKCategoryTypeIdentifierMenstrualFlow",
                "Health",
                None,
                begin,
                begin,
                f"HKCategoryValueMenstrualFlow{flow}",
                local(today["day"], 8 + float(rng.uniform(0, 2))),
                {"HKMenstrualCycleStart": str(int(since == 0))},
            )


def put(
    lines: list,
    kind: str,
    source: str,
    unit: str | None,
    start: datetime,
    end: datetime,
    value: str,
    created: datetime,
    metadata: dict[str, str] | None = None,
    beats: list[tuple[datetime, int]] | None = None,
) -> None:
    """Append (when it was written down, one Record in the form of the Health app)."""
    attributes = {"type": kind, "sourceName": source, "sourceVersion": VERSION[source]}
    if source in DEVICE:
        attributes["device"] = DEVICE[source]
    if unit:
        attributes["unit"] = unit
    for name, moment in (("creationDate", created), ("startDate", start), ("endDate", end)):
        attributes[name] = stamp(moment)
    attributes["value"] = value
    text = " <Record " + " ".join(f"{k}={quoteattr(v)}" for k, v in attributes.items())
    inside = "".join(
        f'  <MetadataEntry key="{k}" value="{v}"/>\n' for k, v in (metadata or {}).items()
    )
    if beats:
        inside += "  <HeartRateVariabilityMetadataList>\n"
        for moment, bpm in beats:
            time = zoned(moment).strftime("%H:%M:%S,") + f"{moment.microsecond // 10000:02d}"
            inside += f'   <InstantaneousBeatsPerMinute bpm="{bpm}" time="{time}"/>\n'
        inside += "  </HeartRateVariabilityMetadataList>\n"
    lines.append((created, f"{text}>\n{inside} </Record>\n" if inside else f"{text}/>\n"))


def local(day: date, hours: float) -> datetime:
    """The instant at which a clock on the wall in Berlin shows `hours` after midnight of `day`."""
    wall = datetime.combine(day, datetime.min.time(), UTC) + timedelta(seconds=round(hours * 3600))
    summer = wall - timedelta(hours=2)
    return summer if summer >= CLOCK_CHANGE else wall - timedelta(hours=1)


def zoned(moment: datetime) -> datetime:
    return moment.astimezone(timezone(timedelta(hours=2 if moment >= CLOCK_CHANGE else 1)))


def stamp(moment: datetime) -> str:
    return zoned(moment).strftime("%Y-%m-%d %H:%M:%S %z")


def clock(hours: float) -> str:
    minutes = round(hours * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


if __name__ == "__main__":
    main()
