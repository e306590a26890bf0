"""Make examples/more: four weeks of an invented person in the other formats that can be imported.

The files have the format of the real thing, thinned out (a pulse every ten minutes instead of
every few seconds); the person does not exist. She lives in Berlin, where the clocks change on 30
March 2025, and is in New York from 7 to 11 April. The same seed gives the same bytes.

    python examples/make_more_examples.py [--out DIRECTORY] [--seed SEED]
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

FIRST, LAST = date(2025, 3, 24), date(2025, 4, 20)
AWAY = (date(2025, 4, 7), date(2025, 4, 11))
HOME, ABROAD = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SEED = 5
FOLDER = "Takeout/Fitbit"

HRV_HEADER = "timestamp,rmssd,nremhr,entropy"
TEMPERATURE_HEADER = (
    "type,sleep_start,sleep_end,temperature_samples,nightly_temperature,"
    "baseline_relative_sample_sum,baseline_relative_sample_sum_of_squares,"
    "baseline_relative_nightly_standard_deviation,baseline_relative_sample_standard_deviation"
)
SLEEPS_HEADER = (
    "sleep_id,sleep_type,minutes_in_sleep_period,minutes_after_wake_up,minutes_to_fall_asleep,"
    "minutes_asleep,minutes_awake,minutes_longest_awakening,minutes_to_persistent_sleep,"
    "start_utc_offset,sleep_start,end_utc_offset,sleep_end,data_source,sleep_created,"
    "sleep_last_updated"
)
CYCLES_HEADER = (
    "id,cycle_start_date,cycle_end_date,ovulation_start_date,ovulation_end_date,ovulation_source,"
    "period_start_date,period_end_date,period_source,fertile_start_date,fertile_end_date,"
    "fertile_source"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "more")
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, content in files(args.seed).items():
        (args.out / name).write_bytes(content)


def files(seed: int) -> dict[str, bytes]:
    """Name -> content of every example."""
    return {
        "takeout.zip": takeout(seed),
        "calendar.ics": calendar().encode(),
        "observations.json": observations(seed).encode(),
        "diary.jsonl": diary(seed).encode(),
    }


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def zone_on(day: date) -> ZoneInfo:
    return ABROAD if AWAY[0] <= day <= AWAY[1] else HOME


def at(day: date, hours: float) -> datetime:
    """The moment at which a clock where the person is shows `hours` after midnight."""
    moment = datetime.combine(day, time()) + timedelta(minutes=round(60 * hours))
    return moment.replace(tzinfo=zone_on(moment.date()))


def takeout(seed: int) -> bytes:
    """A Google Takeout of a Fitbit account."""
    rng = np.random.default_rng([seed, 0])
    contents: dict[str, str] = {}
    logs, sleeps, rmssd, degrees, resting = [], [SLEEPS_HEADER], [HRV_HEADER], [], []
    steps: list[dict] = []
    degrees.append(TEMPERATURE_HEADER)
    for number, day in enumerate(days()):
        nights = [(day - timedelta(days=1), 22.6 + rng.normal(0, 0.4), 7.2 + rng.normal(0, 0.8))]
        if day.weekday() == 6:
            nights.append((day, 14.25, 0.75))
        for kind, (evening, bed, hours) in enumerate(nights):
            log = sleep_log(rng, 48_000_000_000 + 10 * number + kind, evening, bed, hours, not kind)
            if rng.random() < 0.93:
                logs.append(log["json"])
                sleeps.append(log["row"])
            if not kind:
                up = log["end"]
                noted = f"{np.exp(3.4 + rng.normal(0, 0.18)):.3f},{55 + rng.normal(0, 2):.3f}"
                rmssd.append(f"{day}T00:00:00,{noted},{2.9 + rng.normal(0, 0.1):.3f}")
                warm = 33.6 + rng.normal(0, 0.2)
                walls = f"{log['json']['startTime'][:16]},{log['json']['endTime'][:16]}"
                degrees.append(f"SKIN,{walls},{int(60 * hours)},{warm:.6f},NaN,NaN,NaN,NaN")
        bpm = 60 + rng.normal(0, 1.5)
        worn = rng.random() > 0.1
        short = day.strftime("%m/%d/%y")
        value = {"date": short, "value": round(bpm, 6), "error": 6.5} if worn else NO_VALUE
        resting.append({"dateTime": f"{short} 00:00:00", "value": value})
        beats, walked = daytime(rng, day, up, bpm)
        contents[f"Global Export Data/heart_rate-{day}.json"] = json.dumps(beats, indent=1)
        steps += walked
    contents |= {
        f"Global Export Data/sleep-{FIRST}.json": json.dumps(logs, indent=1),
        f"Global Export Data/steps-{FIRST}.json": json.dumps(steps, indent=1),
        f"Global Export Data/resting_heart_rate-{FIRST}.json": json.dumps(resting, indent=1),
        "Health Fitness Data_GoogleData/UserSleeps_2025-03-01.csv": "\n".join(sleeps) + "\n",
        "Heart Rate Variability/Daily Heart Rate Variability Summary - 2025-04-(20).csv": "\n".join(
            rmssd
        )
        + "\n",
        "Temperature/Computed Temperature - 2025-04-01.csv": "\n".join(degrees) + "\n",
        "Menstrual Health/menstrual_health_cycles.csv": f"{CYCLES_HEADER}\n"
        "1,2025-04-04,2025-05-01,2025-04-17,2025-04-17,Computed,2025-04-04,2025-04-08,Manual,"
        "2025-04-13,2025-04-18,Computed\n"
        "2,2025-05-02,2025-05-29,2025-05-15,2025-05-15,Computed,2025-05-02,2025-05-06,Computed,"
        "2025-05-11,2025-05-16,Computed\n",
        "Biometrics/Glucose 202504.csv": "no data",
        "Stress Score/Stress Score.csv": "DATE,UPDATED_AT,STRESS_SCORE,STATUS\n",
        "Your Profile/Profile.csv": "id,full_name,timezone\nX,Nobody,Europe/Berlin\n",
    }
    return zipped({f"{FOLDER}/{name}": text for name, text in sorted(contents.items())})


NO_VALUE = {"date": None, "value": 0.0, "error": 0.0}


def sleep_log(rng, log_id: int, evening: date, bed: float, hours: float, main: bool) -> dict:
    """A sleep as Fitbit logs it, as JSON and as a row of UserSleeps."""
    begin = at(evening, bed).astimezone(UTC).replace(second=0) + timedelta(seconds=30)
    zone = zone_on(begin.astimezone(HOME).date()) if main else zone_on(evening)
    cursor, data, asleep_s = begin, [], 0
    names = ("wake", "light", "deep", "light", "rem") if main else ("asleep", "restless")
    while asleep_s < 3600 * hours:
        for name in names:
            length = 30 * int(
                rng.integers(*{"wake": (6, 20), "restless": (4, 8)}.get(name, (20, 90)))
            )
            stamp = cursor.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.000")
            data.append({"dateTime": stamp, "level": name, "seconds": length})
            cursor += timedelta(seconds=length)
            asleep_s += length * (name not in ("wake", "restless"))
    waking = begin + timedelta(seconds=1800)
    short = [{"dateTime": wall(waking, zone), "level": "wake", "seconds": 90}] if main else []
    summary = {name: {"count": 1, "minutes": 0} for name in names}
    for entry in data:
        summary[entry["level"]]["minutes"] += entry["seconds"] // 60
    total = round((cursor - begin).total_seconds())
    inside = [e for e in data if e["level"] not in ("wake", "restless")]
    asleep = sum(entry["seconds"] for entry in inside) - overlap(short, data)
    in_bed = total // 60
    log = {
        "logId": log_id,
        "dateOfSleep": str(cursor.astimezone(zone).date()),
        "startTime": wall(begin, zone),
        "endTime": wall(cursor, zone),
        "duration": 1000 * total,
        "minutesToFallAsleep": 0,
        "minutesAsleep": asleep // 60,
        "minutesAwake": in_bed - asleep // 60,
        "minutesAfterWakeup": 0,
        "timeInBed": in_bed,
        "efficiency": round(100 * asleep / total),
        "type": "stages" if main else "classic",
        "infoCode": 0,
        "logType": "auto_detected",
        "levels": {"summary": summary, "data": data, **({"shortData": short} if main else {})},
        "mainSleep": main,
    }
    edges = [
        f"{offset(moment, zone)},{moment.strftime('%Y-%m-%d %H:%M:%S+0000')}"
        for moment in (begin, cursor)
    ]
    row = f"{7_000_000_000_000_000_000 + log_id},{log['type'].upper()},{in_bed},0,0,{asleep // 60},"
    row += f"{in_bed - asleep // 60},5,3,{edges[0]},{edges[1]},DERIVED,,"
    return {"json": log, "row": row, "end": cursor}


def overlap(short: list[dict], data: list[dict]) -> int:
    """Seconds of the short wakings that lie in sleep."""
    taken = 0
    for waking in short:
        first = datetime.fromisoformat(waking["dateTime"])
        for entry in data:
            begin = datetime.fromisoformat(entry["dateTime"])
            end = begin + timedelta(seconds=entry["seconds"])
            last = first + timedelta(seconds=waking["seconds"])
            if entry["level"] != "wake":
                taken += max(0, round((min(last, end) - max(first, begin)).total_seconds()))
    return taken


def daytime(rng, day: date, up: datetime, bpm: float) -> tuple[list[dict], list[dict]]:
    """Pulse and steps of a day as the export writes them: in UTC, without saying so."""
    beats, walked = [], []
    moment, end = up.replace(second=0), at(day, 22).astimezone(UTC)
    while moment < end:
        stamp = moment.strftime("%m/%d/%y %H:%M:%S")
        pulse = {"bpm": int(bpm + rng.gamma(2, 7)), "confidence": int(rng.integers(1, 4))}
        beats.append({"dateTime": stamp, "value": pulse})
        if rng.random() < 0.5:
            walked.append({"dateTime": stamp, "value": str(int(rng.gamma(1.5, 90)))})
        moment += timedelta(minutes=10)
    return beats, walked


def wall(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.000")


def offset(moment: datetime, zone: ZoneInfo) -> str:
    text = moment.astimezone(zone).strftime("%z")
    return f"{text[:3]}:{text[3:]}"


def calendar() -> str:
    """A calendar as Google exports it: what repeats, what moved, what lasts all day."""
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Nobody",
        "X-WR-TIMEZONE:Europe/Berlin",
    ]

    def event(uid: str, *fields: str) -> None:
        lines.extend(["BEGIN:VEVENT", "DTSTAMP:20250420T183000Z", f"UID:{uid}@example.org"])
        lines.extend([*fields, "STATUS:CONFIRMED", "END:VEVENT"])

    berlin, york = "TZID=Europe/Berlin", "TZID=America/New_York"
    event(
        "weekly",
        f"DTSTART;{berlin}:20250324T090000",
        f"DTEND;{berlin}:20250324T103000",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR",
        f"EXDATE;{berlin}:20250407T090000,20250409T090000,20250411T090000",
        "CATEGORIES:Work",
        "SUMMARY:Team",
        "CREATED:20250103T080000Z",
    )
    event(
        "weekly",
        f"RECURRENCE-ID;{berlin}:20250402T090000",
        f"DTSTART;{berlin}:20250402T130000",
        f"DTEND;{berlin}:20250402T160000",
        "CATEGORIES:Work",
        "SUMMARY:Team\\, moved",
        "CREATED:20250103T080000Z",
    )
    event(
        "conference",
        f"DTSTART;{york}:20250408T090000",
        f"DTEND;{york}:20250408T173000",
        "CATEGORIES:Work,Travel",
        "SUMMARY:Conference",
        "LOCATION:Somewhere",
    )
    event("late", "DTSTART:20250415T150000Z", "DTEND:20250415T170000Z", "CREATED:20250415T130000Z")
    event(
        "holiday", "DTSTART;VALUE=DATE:20250418", "DTEND;VALUE=DATE:20250419", "CATEGORIES:Holiday"
    )
    event(
        "sport",
        f"DTSTART;{berlin}:20250325T183000",
        f"DTEND;{berlin}:20250325T193000",
        "RRULE:FREQ=WEEKLY;COUNT=20",
        "CATEGORIES:Sport",
        "TRANSP:TRANSPARENT",
    )
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def observations(seed: int) -> str:
    """A FHIR R4 bundle, as a patient app would hand out what it holds."""
    rng = np.random.default_rng([seed, 1])
    entries = [{"resource": {"resourceType": "Patient", "id": "nobody", "name": [{"text": "N."}]}}]

    def add(code: str, words: str, when: dict, value: dict, **more) -> None:
        entries.append(
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": f"o{len(entries)}",
                    "status": "final",
                    "code": {
                        "coding": [{"system": "http://loinc.org", "code": code, "display": words}]
                    },
                    "subject": {"reference": "Patient/nobody"},
                    **when,
                    **value,
                    **more,
                }
            }
        )

    def quantity(value: float, unit: str, code: str) -> dict:
        system = "http://unitsofmeasure.org"
        return {"valueQuantity": {"value": value, "unit": unit, "system": system, "code": code}}

    for day in days():
        when = {"effectiveDateTime": at(day, 7.25).isoformat()}
        add(
            "40443-4",
            "Resting heart rate",
            when,
            quantity(float(rng.integers(57, 64)), "bpm", "/min"),
        )
        begin, end = at(day - timedelta(days=1), 23), at(day, 6.75)
        period = {"effectivePeriod": {"start": begin.isoformat(), "end": end.isoformat()}}
        minutes = float(rng.integers(360, 450))
        add("93832-4", "Sleep duration", period, quantity(minutes, "minutes", "min"))
        add(
            "55423-8",
            "Steps",
            {"effectiveDateTime": str(day)},
            quantity(float(rng.integers(2500, 7500)), "steps", "{steps}"),
        )
        if rng.random() < 0.3:
            evening = {"effectiveDateTime": at(day, 19.5).isoformat()}
            score = quantity(float(rng.integers(2, 9)), "score", "{score}")
            refused = {
                "dataAbsentReason": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                            "code": "asked-declined",
                        }
                    ]
                }
            }
            pain = score if rng.random() < 0.8 else refused
            add("72514-3", "Pain severity - 0-10", evening, pain)
    when = {"effectiveDateTime": "2025-04-02T21:10:00Z"}
    add("80404-7", "R-R interval.standard deviation", when, quantity(0.0412, "s", "s"))
    add(
        "8867-4",
        "Heart rate",
        when,
        quantity(71.0, "beats/minute", "/min"),
        issued=when_issued(when),
    )
    add("29463-7", "Body weight", when, quantity(61.5, "kg", "kg"))
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}, indent=1)


def when_issued(when: dict) -> str:
    return when["effectiveDateTime"].replace("21:10:00Z", "21:12:30Z")


def diary(seed: int) -> str:
    """A diary as JSON lines, as an app would write it: numbers, booleans, units in words."""
    rng = np.random.default_rng([seed, 2])
    lines = []
    for day in days():
        if rng.random() < 0.1:
            continue
        row: dict = {"date": str(day), "answered_at": "19:45", "stress": int(rng.integers(1, 9))}
        row["attack"] = bool(rng.random() < 0.2)
        if row["attack"]:
            row["attack_start"] = "10:30"
            row["attack_end"] = "22:00" if rng.random() < 0.8 else None
            row["pain"] = int(rng.integers(5, 10))
        row["caffeine"] = int(rng.poisson(2)) if rng.random() < 0.9 else "refused"
        row["screen_time"] = f"{int(rng.integers(60, 300))} min"
        lines.append(json.dumps(row))
    return "\n".join(lines) + "\n"


def zipped(contents: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, text in contents.items():
            info = zipfile.ZipInfo(name, (2025, 4, 20, 20, 30, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            out.writestr(info, text)
    return archive.getvalue()


if __name__ == "__main__":
    main()
