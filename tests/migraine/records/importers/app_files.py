"""Files of other apps, in the forms that they publish: small, invented, and with a known truth."""

import json
import sqlite3

ZONE = "Europe/Berlin"

HEALTH_AUTO_EXPORT = {
    "data": {
        "metrics": [
            {
                "name": "heart_rate",
                "units": "count/min",
                "data": [
                    {"date": "2025-03-03 10:05:00 +0100", "Min": 50, "Avg": 60, "Max": 90},
                    {"date": "2025-03-03 10:55:00 +0100", "Min": 50, "Avg": 80, "Max": 90},
                    {"date": "2037-13-03 10:55:00 +0100", "Avg": 80},
                ],
            },
            {
                "name": "step_count",
                "units": "count",
                "data": [
                    {"date": "2025-03-03 00:00:00 +0100", "qty": 8000, "source": "Ada's Watch"},
                    {"date": "2025-03-04 09:00:00 +0100", "qty": 400},
                ],
            },
            {
                "name": "heart_rate_variability",
                "units": "ms",
                "data": [{"date": "2025-03-03 06:00:00 +0100", "qty": 48.5}],
            },
            {
                "name": "apple_sleeping_wrist_temperature",
                "units": "degF",
                "data": [{"date": "2025-03-03 06:00:00 +0100", "qty": 95.0}],
            },
            {
                "name": "sleep_analysis",
                "units": "hr",
                "data": [
                    {
                        "date": "2025-03-03 00:00:00 +0100",
                        "core": 4.0,
                        "deep": 1.0,
                        "rem": 1.5,
                        "awake": 0.5,
                        "totalSleep": 6.5,
                        "sleepStart": "2025-03-02 23:00:00 +0100",
                        "sleepEnd": "2025-03-03 06:00:00 +0100",
                        "source": "Ada's Watch",
                    },
                    {
                        "startDate": "2025-03-03 23:00:00 +0100",
                        "endDate": "2025-03-04 05:00:00 +0100",
                        "qty": 6.0,
                        "value": "Core",
                        "source": "Ada's Watch",
                    },
                    {
                        "startDate": "2025-03-03 22:00:00 +0100",
                        "endDate": "2025-03-04 06:00:00 +0100",
                        "qty": 8.0,
                        "value": "Asleep",
                        "source": "Pillow",
                    },
                ],
            },
            {
                "name": "dietary_water",
                "units": "mL",
                "data": [{"date": "2025-03-03 10:00:00 +0100", "qty": 1}],
            },
        ],
        "workouts": [{"name": "Walk", "start": "2025-03-03 10:00:00 +0100"}],
        "symptoms": [
            {
                "name": "Headache",
                "severity": "Moderate",
                "start": "2025-03-03 15:00:00 +0100",
                "end": "2025-03-03 18:00:00 +0100",
            }
        ],
    }
}

OURA = {
    "sleep": [
        {
            "id": "a",
            "type": "long_sleep",
            "day": "2025-03-03",
            "bedtime_start": "2025-03-02T23:00:00+01:00",
            "bedtime_end": "2025-03-03T07:00:00+01:00",
            "total_sleep_duration": 27000,
            "average_hrv": 41,
            "average_breath": 14.25,
            "lowest_heart_rate": 52,
            "sleep_phase_5_min": "4" * 6 + "2" * 30 + "1" * 30 + "3" * 18 + "4" * 12,
            "readiness": {"score": 80, "temperature_deviation": 0.2},
        },
        {
            "id": "b",
            "type": "long_sleep",
            "day": "2025-03-04",
            "bedtime_start": "2025-03-03T23:00:00+01:00",
            "bedtime_end": "2025-03-04T07:00:00+01:00",
            "total_sleep_duration": 25200,
        },
    ],
    "daily_activity": [{"day": "2025-03-03", "steps": 9000, "score": 70, "contributors": {}}],
    "daily_sleep": [{"day": "2025-03-03", "score": 70, "contributors": {"deep_sleep": 80}}],
    "heartrate": [{"bpm": 61, "source": "awake", "timestamp": "2025-03-03T10:00:00+01:00"}],
}

OURA_TRENDS = (
    "date,Sleep Score,Total Sleep Duration,Sleep Efficiency,Average HRV,Lowest Resting Heart Rate,"
    "Temperature Deviation (\u00b0C),Steps\n"
    "2025-03-03,80,27000,90,41,52,0.2,9000\n2025-03-04,,25200,85,,n/a,,\n"
)

GARMIN_SLEEP = [
    {
        "sleepStartTimestampGMT": "2025-03-02T22:00:00.0",
        "sleepEndTimestampGMT": "2025-03-03T06:00:00.0",
        "calendarDate": "2025-03-03",
        "deepSleepSeconds": 5400,
        "lightSleepSeconds": 16200,
        "remSleepSeconds": 5400,
        "awakeSleepSeconds": 1800,
        "averageRespiration": 13.0,
    },
    {
        "sleepStartTimestampGMT": "2025-03-03T22:00:00.0",
        "sleepEndTimestampGMT": "2025-03-04T06:00:00.0",
        "calendarDate": "2025-03-04",
    },
]
GARMIN_DAYS = [
    {
        "calendarDate": "2025-03-03",
        "totalSteps": 7000,
        "restingHeartRate": 50,
        "allDayStress": {"aggregatorList": []},
    },
    {"calendarDate": {"date": "2025-03-04"}, "totalSteps": 12, "restingHeartRate": 5000},
]

FITBIT_SLEEP = {
    "sleep": [
        {
            "dateOfSleep": "2025-03-03",
            "startTime": "2025-03-02T23:00:00.000",
            "endTime": "2025-03-03T07:00:00.000",
            "duration": 28_800_000,
            "minutesAsleep": 450,
            "timeInBed": 480,
            "isMainSleep": True,
            "levels": {
                "data": [
                    {"dateTime": "2025-03-02T23:00:00.000", "level": "light", "seconds": 14400},
                    {"dateTime": "2025-03-03T03:00:00.000", "level": "wake", "seconds": 1800},
                    {"dateTime": "2025-03-03T03:30:00.000", "level": "rem", "seconds": 12600},
                ]
            },
        }
    ],
    "summary": {"totalMinutesAsleep": 450},
}
FITBIT_HEART = {
    "activities-heart": [{"dateTime": "2025-03-03", "value": {"restingHeartRate": 58}}],
    "activities-heart-intraday": {
        "dataset": [{"time": "10:00:00", "value": 60}, {"time": "10:30:00", "value": 70}],
        "datasetInterval": 1,
    },
}
FITBIT_STEPS = {"activities-steps": [{"dateTime": "2025-03-03", "value": "8123"}]}
FITBIT_HRV = {
    "hrv": [
        {"dateTime": "2025-03-03", "value": {"dailyRmssd": 34.9, "deepRmssd": 31.5}},
        {"dateTime": "2025-03-04", "value": {}},
    ]
}

FILES = {
    "HealthAutoExport-2025-03.json": HEALTH_AUTO_EXPORT,
    "oura.json": OURA,
    "oura_trends.csv": OURA_TRENDS,
    "2025-03-01_2025-04-01_1_sleepData.json": GARMIN_SLEEP,
    "UDSFile_2025-03-01_2025-04-01.json": GARMIN_DAYS,
    "sleep.json": FITBIT_SLEEP,
    "heart.json": FITBIT_HEART,
    "steps.json": FITBIT_STEPS,
    "hrv.json": FITBIT_HRV,
}


def write(folder, name):
    """Write one of `FILES`; returns its path."""
    path = folder / name
    content = FILES[name]
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def write_health_connect(path):
    """A database of Health Connect with a night, a pulse, steps and a type that is not used."""
    base = sqlite3.connect(path)
    at = 1_740_956_400_000  # 2025-03-03 00:00 in Berlin
    hour = 3_600_000
    base.executescript(
        """
        CREATE TABLE steps_record_table (row_id INTEGER PRIMARY KEY, app_info_id INTEGER,
            device_info_id INTEGER, start_time INTEGER, start_zone_offset INTEGER,
            end_time INTEGER, end_zone_offset INTEGER, count INTEGER);
        CREATE TABLE heart_rate_record_table (row_id INTEGER PRIMARY KEY, app_info_id INTEGER,
            device_info_id INTEGER, start_time INTEGER, start_zone_offset INTEGER);
        CREATE TABLE heart_rate_record_series_table (parent_key INTEGER,
            beats_per_minute INTEGER, epoch_millis INTEGER);
        CREATE TABLE heart_rate_variability_rmssd_record_table (row_id INTEGER PRIMARY KEY,
            app_info_id INTEGER, time INTEGER, zone_offset INTEGER,
            heart_rate_variability_millis REAL);
        CREATE TABLE sleep_session_record_table (row_id INTEGER PRIMARY KEY, app_info_id INTEGER,
            start_time INTEGER, start_zone_offset INTEGER, end_time INTEGER,
            end_zone_offset INTEGER);
        CREATE TABLE sleep_stages_table (parent_key INTEGER, stage_start_time INTEGER,
            stage_end_time INTEGER, stage_type INTEGER);
        CREATE TABLE weight_record_table (row_id INTEGER PRIMARY KEY, weight REAL);
        CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, app_name TEXT);
        """
    )
    base.execute(
        "INSERT INTO steps_record_table VALUES (1, 1, 1, ?, 3600, ?, 3600, 600)",
        (at + 10 * hour - hour // 4, at + 10 * hour + hour // 4),
    )
    base.execute("INSERT INTO steps_record_table VALUES (2, 1, 1, 0, 3600, 1, 3600, 5)")
    base.execute("INSERT INTO heart_rate_record_table VALUES (1, 1, 1, ?, 3600)", (at + 8 * hour,))
    for minute, bpm in ((5, 60), (50, 70)):
        moment = at + 8 * hour + minute * 60_000
        base.execute("INSERT INTO heart_rate_record_series_table VALUES (1, ?, ?)", (bpm, moment))
    base.execute(
        "INSERT INTO heart_rate_variability_rmssd_record_table VALUES (1, 1, ?, 3600, 38.5)",
        (at + 6 * hour,),
    )
    base.execute(
        "INSERT INTO sleep_session_record_table VALUES (1, 1, ?, 3600, ?, 3600)",
        (at - hour, at + 7 * hour),
    )
    for begin, end, stage in ((-1, 3, 4), (3, 4, 1), (4, 7, 6)):
        base.execute(
            "INSERT INTO sleep_stages_table VALUES (1, ?, ?, ?)",
            (at + begin * hour, at + end * hour, stage),
        )
    base.execute("INSERT INTO weight_record_table VALUES (1, 70.0)")
    base.execute("INSERT INTO application_info_table VALUES (1, 'Ada''s app')")
    base.commit()
    base.close()
    return path
