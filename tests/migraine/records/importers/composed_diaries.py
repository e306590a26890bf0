"""Diaries composed at random, of every form that people hold, each with what is true in it.

Words, dates and clocks are written here by hand and share nothing with the tables of the importer.
"""

import dataclasses
import json
import os
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

#: How many are tried; tests of composed files of other kinds try a share of it.
COMPOSITIONS = int(os.environ.get("ALINE_TF_COMPOSITIONS", "2000"))
#: yes, no, mild, moderate, severe, a note, and encodings that older programs write it in.
LANGUAGES = {
    "en": ("yes", "no", "mild", "moderate", "severe", "slept badly", ("cp1252",)),
    "de": ("Ja", "Nein", "leicht", "mittel", "stark", "müde, übel", ("cp1252", "latin-1")),
    "fr": ("oui", "non", "légère", "modérée", "sévère", "très fatiguée", ("cp1252", "latin-1")),
    "es": ("sí", "no", "leve", "moderado", "fuerte", "mucho café", ("cp1252", "latin-1")),
    "it": ("Sì", "No", "lieve", "moderato", "forte", "perché no", ("cp1252",)),
    "pt": ("sim", "não", "leve", "moderada", "forte", "manhã ruim", ("cp1252", "latin-1")),
    "nl": ("ja", "nee", "licht", "matig", "ernstig", "geïrriteerd", ("cp1252",)),
    "pl": ("tak", "nie", "lekki", "umiarkowany", "silny", "źle spałam", ("cp1250",)),
    "ru": ("Да", "Нет", "слабая", "умеренная", "сильная", "плохо спала", ("cp1251",)),
    "tr": ("evet", "hay\u0131r", "hafif", "orta", "şiddetli", "kötü uyudum", ("cp1254",)),
    "zh": ("是", "否", "轻度", "中度", "重度", "睡得不好", ("gb18030",)),
    "ja": ("はい", "いいえ", "軽度", "中等度", "重度", "よく眠れない", ("cp932",)),
    "hi": ("हाँ", "नहीं", "हल्का", "मध्यम", "गंभीर", "नींद नहीं", ()),
    "ar": ("نعم", "لا", "خفيف", "متوسط", "شديد", "نوم سيئ", ("cp1256",)),
}
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
    " dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października"
    " listopada grudnia",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "tr": "Ocak Şubat Mart Nisan May\u0131s Haziran Temmuz Ağustos Eylül Ekim Kas\u0131m"
    " Aral\u0131k",
}
DATES = (
    *("iso", "iso/", "iso.", "packed", "dmy.", "dmy/", "dmy-", "mdy/", "mdy-", "dmy.2", "mdy/2"),
    *("named", "named,", "serial", "isoT", "instant"),
)
CLOCKS = ("24", "24s", "12", "12dots", "12tight", "dot", "h", "packed", "moment")
SEPARATORS = ",;\t|"
DAMAGE = ("more", "fewer", "unclosed", "conflict", "unknown", "bad date", "scale", "nothing")
DEGREES = {2: 2.0, 3: 5.0, 4: 8.0}
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "UTC")


@dataclasses.dataclass
class Composition:
    """A diary as bytes, its zone, and what is true: {(day, field): value}.

    `attacks` is {day: (start, end)} in minutes, or None for a day without one, or () for an hour
    that is not known. `doubtful` are fields of days of which a row was damaged, or a second
    answer stands: an answer may be missing there, and one of several.
    """

    data: bytes
    zone: str
    form: dict
    truth: dict
    attacks: dict
    doubtful: set
    others: dict


def compose(seed: int) -> Composition:
    """A diary of its own for every seed."""
    rng = random.Random(seed)
    language = rng.choice(list(LANGUAGES))
    form = {
        "language": language,
        "separator": rng.choice(SEPARATORS),
        "date": rng.choice(DATES),
        "clock": rng.choice(CLOCKS),
        "damage": rng.choice(DAMAGE) if rng.random() < 0.6 else "nothing",
        "decimal": rng.choice(".,"),
        "degrees": rng.random() < 0.3,
        "quote all": rng.random() < 0.2,
        "sep line": rng.random() < 0.15,
        "ending": rng.choice(("\n", "\r\n")),
        "encoding": rng.choice(("utf-8", "utf-8-sig", "utf-16", *LANGUAGES[language][-1])),
        "zone": rng.choice(ZONES),
        "of 100": rng.random() < 0.15,
        "lengths": rng.random() < 0.2,
        "objects": rng.random() < 0.15,
    }
    if form["objects"]:
        form |= {"encoding": "utf-8", "sep line": False}
        if form["damage"] in ("more", "fewer", "unclosed"):
            form["damage"] = "nothing"
    if form["of 100"] and form["damage"] == "scale":
        form["damage"] = "nothing"
    if form["date"].startswith("named") and language not in MONTHS:
        form["date"] = "iso"
    return _written(rng, form)


def _written(rng: random.Random, form: dict) -> Composition:
    yes, no, *degrees, note, _ = LANGUAGES[form["language"]]
    first = date(2019, 1, 1) + timedelta(days=rng.randrange(2200))
    days, day = [], first
    for _ in range(rng.randint(2, 14)):
        days.append(day)
        day += timedelta(days=rng.choice((1, 1, 1, 2, 5)))
    header = ["date", "attack", "attack_start", "attack_end", "stress", "pain", "sleep_hours"]
    header += ["medication", "notes"]
    if form["lengths"]:
        header[header.index("attack_end")] = "attack_duration (min)"
    if form["of 100"]:
        header[header.index("stress")] = "stress (0-100)"
    stress = header[4]
    truth, attacks, doubtful, others, rows = {}, {}, set(), {}, []
    for day in days:
        kind = rng.choice(("no", "no", "yes", "times", "times", "open"))
        start, end = _shown_once(day, 15 * rng.randrange(96), form["zone"]), None
        cells = {"date": _date(day, form), "notes": rng.choice(("", note, f'"{note}"', "a; b | c"))}
        cells["attack"] = no if kind == "no" else yes
        if kind in ("times", "open"):
            cells["attack_start"] = _clock(day, start, form)
            if kind == "times":
                length = rng.choice((30, 135, 600))
                end = _after(day, start, length, form["zone"])
                ended = _clock(day + timedelta(days=end // 1440), end % 1440, form)
                cells[header[3]] = str(length) if form["lengths"] else ended
        attacks[day] = {"no": None, "yes": ()}.get(kind, (start, end))
        if rng.random() < 0.9:
            truth[day, "stress"] = float(rng.randint(0, 10))
            cells[stress] = _stress(truth[day, "stress"], form)
        if form["degrees"]:
            level = rng.choice((2, 3, 4))
            truth[day, "pain"], cells["pain"] = DEGREES[level], degrees[level - 2]
        else:
            truth[day, "pain"] = float(rng.randint(0, 10))
            cells["pain"] = f"{truth[day, 'pain']:g}"
        if rng.random() < 0.8:
            hours = rng.choice((5.5, 6.25, 7.0, 8.75))
            truth[day, "sleep_hours"] = hours
            cells["sleep_hours"] = f"{hours:g}".replace(".", form["decimal"])
        if rng.random() < 0.8:
            taken = rng.random() < 0.5
            truth[day, "medication"] = float(taken)
            cells["medication"] = yes if taken else no
        rows.append([cells.get(name, "") for name in header])
    _mark_conflicts(rng, form, days, rows, header, truth, doubtful, others)
    lines = _lines(rng, form, rows, header, days, doubtful)
    text = form["ending"].join(lines) + form["ending"]
    if form["sep line"]:
        text = f"sep={form['separator']}{form['ending']}{text}"
    try:
        data = text.encode(form["encoding"])
    except UnicodeEncodeError:
        form["encoding"], data = "utf-8", text.encode()
    return Composition(data, form["zone"], form, truth, attacks, doubtful, others)


def _shown_once(day: date, minute: int, zone: str) -> int:
    """A minute of a day that its clocks show once, an hour or two later where they do not."""
    while True:
        wall = datetime(day.year, day.month, day.day, *divmod(minute % 1440, 60))
        wall += timedelta(days=minute // 1440)
        offsets = {wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)}
        if len(offsets) == 1:
            return minute
        minute += 60


def _after(day: date, start: int, length: int, zone: str) -> int:
    """The minute of the day that the clock shows so many minutes after another, shown once."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    begin = local.replace(hour=start // 60, minute=start % 60).astimezone(UTC)
    ended = (begin + timedelta(minutes=length)).astimezone(local.tzinfo).replace(tzinfo=None)
    return round((ended - local.replace(tzinfo=None)).total_seconds() / 60)


def _stress(value: float, form: dict) -> str:
    return f"{10 * value if form['of 100'] else value:g}"


def _mark_conflicts(rng, form, days, rows, header, truth, doubtful, others) -> None:
    place = rng.randrange(len(days))
    day, row = days[place], rows[place]
    if form["damage"] == "conflict":
        # The row once more, with another answer: the one further down is newer.
        again = list(row)
        others[day, "stress"] = truth.get((day, "stress"))
        newer = float(rng.randint(0, 10))
        again[4] = _stress(newer, form)
        truth[day, "stress"] = newer
        rows.append(again)
    elif form["damage"] == "unknown":
        row[header.index("medication")] = "hmpf"
        doubtful.add((day, "medication"))
    elif form["damage"] == "bad date":
        row[0] = rng.choice(("some day", "32.13.2025", "1871-01-05", "Total"))
        doubtful.add(day)
    elif form["damage"] == "scale":
        for each, other in zip(days, rows, strict=True):
            other[4] = str(rng.randint(0, 100))
            doubtful.add((each, "stress"))
        row[4] = str(rng.randint(11, 100))


def _lines(rng, form, rows, header, days, doubtful) -> list[str]:
    separator = form["separator"]
    if form["objects"]:
        # A value that is not said is null or has no key.
        blank = rng.choice((None, ""))
        return [
            json.dumps({k: v or blank for k, v in zip(header, row, strict=True)}) for row in rows
        ]

    def quoted(cell):
        needs = any(c in cell for c in (separator, '"', "\n", ";" if separator == "," else ","))
        doubled = cell.replace('"', '""')
        return f'"{doubled}"' if needs or form["quote all"] else cell

    lines = [separator.join(map(quoted, row)) for row in rows]
    place = rng.randrange(len(days))
    if form["damage"] == "more":
        cells = list(map(quoted, rows[place]))
        cells.insert(rng.randrange(1, len(cells)), "7")
        lines[place] = separator.join(cells)
        doubtful.add(days[place])
    elif form["damage"] == "fewer":
        cells = list(map(quoted, rows[place]))
        del cells[rng.randrange(1, len(cells) - 1)]
        lines[place] = separator.join(cells)
        doubtful.add(days[place])
    elif form["damage"] == "unclosed":
        lines[place] = (
            lines[place] + rng.choice(('"x', 'x"'))
            if form["quote all"]
            else (separator.join([*map(quoted, rows[place][:-1]), '"bad day']))
        )
        doubtful.add(days[place])
    lines.insert(0, separator.join(map(quoted, header)))
    if rng.random() < 0.2:
        lines.insert(rng.randrange(1, len(lines) + 1), lines[0])
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines) + 1), "")
    if rng.random() < 0.1:
        lines.insert(rng.randrange(1, len(lines) + 1), "# a remark")
    return lines


def _date(day: date, form: dict) -> str:
    style = form["date"]
    if style.startswith("named"):
        month = MONTHS[form["language"]].split()[day.month - 1]
        return (
            f"{month} {day.day}, {day.year}"
            if style[-1] == ","
            else f"{day.day} {month} {day.year}"
        )
    if style == "serial":
        return str((day - date(1899, 12, 30)).days)
    if style == "instant":
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(form["zone"]))
        return noon.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return day.strftime(
        {
            "iso": "%Y-%m-%d",
            "iso/": "%Y/%m/%d",
            "iso.": "%Y.%m.%d",
            "packed": "%Y%m%d",
            "isoT": "%Y-%m-%dT00:00:00",
            "dmy.": "%d.%m.%Y",
            "dmy/": "%d/%m/%Y",
            "dmy-": "%d-%m-%Y",
            "mdy/": "%m/%d/%Y",
            "mdy-": "%m-%d-%Y",
            "dmy.2": "%d.%m.%y",
            "mdy/2": "%m/%d/%y",
        }[style]
    )


def _clock(day: date, minute: int, form: dict) -> str:
    hour, minute = divmod(minute, 60)
    half, twelve = "AM" if hour < 12 else "PM", hour % 12 or 12
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(form["zone"]))
    moment = local.astimezone(UTC)
    # A spring leaves out an hour, of which no program writes a moment.
    if form["clock"] == "moment" and moment.astimezone(local.tzinfo).hour == hour:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "moment": f"{hour:02d}:{minute:02d}",
        "24": f"{hour:02d}:{minute:02d}",
        "24s": f"{hour}:{minute:02d}:00",
        "12": f"{twelve}:{minute:02d} {half}",
        "12dots": f"{twelve:02d}:{minute:02d} {half[0].lower()}.m.",
        "12tight": f"{twelve}:{minute:02d}{half.lower()}",
        "dot": f"{hour:02d}.{minute:02d}",
        "h": f"{hour}h{minute:02d}",
        "packed": f"{hour:02d}{minute:02d}",
    }[form["clock"]]
