"""The answers of projects/startup, computed from the raw files without DuckDB or playhead.

Files are read with Python's csv and json, times with datetime and zoneinfo; joins and counts are
SQLite's, means and medians Python's. The definitions are those of
projects/startup/analyses/questions.yml; the code shares nothing with the project's SQL.

    python3 startup_oracle.py FOLDER [--zone Europe/Berlin]

prints {question: {"rows": [[value]], "rivals": {rival: [[value]]}}}.
"""

import argparse
import calendar
import csv
import datetime
import json
import pathlib
import re
import sqlite3
import statistics
import zoneinfo

TABLES = {
    "users": "csv",
    "movies": "csv",
    "streams": "csv",
    "authors": "json",
    "books": "json",
    "reviews": "json",
}
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def files_of(folder, table):
    """The table's landing files, oldest ingestion date first; a name without a date arrived today."""
    pattern = re.compile(rf"{table}(_(\d{{4}}-\d{{2}}-\d{{2}}))?\.{TABLES[table]}")
    found = []
    for path in pathlib.Path(folder).rglob(f"{table}*"):
        match = pattern.fullmatch(path.name)
        if match:
            found.append((match[2] or datetime.date.today().isoformat(), path.name, path))
    return [path for _, _, path in sorted(found)]


def json_objects(text):
    """The objects of one JSON array, or of objects one after the other."""
    decoder, position, objects = json.JSONDecoder(), 0, []
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        value, position = decoder.raw_decode(text, position)
        objects.extend(value if isinstance(value, list) else [value])
    return objects


def csv_rows(folder, table, key):
    """All rows of all files; of rows with one key the newest file's last one."""
    newest = {}
    for path in files_of(folder, table):
        with open(path, newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                row = {name: value if value != "" else None for name, value in row.items()}
                if None not in key(row):
                    newest[key(row)] = row
    return list(newest.values())


def dump(folder, table):
    """The records of the newest file: the vendor sends each dump whole."""
    files = files_of(folder, table)
    return json_objects(files[-1].read_text(encoding="utf-8")) if files else []


def microseconds(text):
    """ISO 8601 with an offset, as microseconds since 1970."""
    delta = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z") - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def wall_clock(time_us, zone):
    return (EPOCH + datetime.timedelta(microseconds=time_us)).astimezone(zone).replace(tzinfo=None)


def fold(text):
    return text.lower() if text is not None else None


def number(text, kind):
    return kind(text) if text is not None else None


def load(folder):
    """The six tables in SQLite; nested lists become tables of their own. Case is kept."""
    db = sqlite3.connect(":memory:")
    db.create_function("fold", 1, fold, deterministic=True)
    db.executescript(
        """
        CREATE TABLE movies(title TEXT, duration_mins INTEGER, size_mb REAL);
        CREATE TABLE streams(title TEXT, email TEXT, size_mb REAL, start_us INTEGER, end_us INTEGER);
        CREATE TABLE links(movie TEXT, book TEXT);
        CREATE TABLE books(name TEXT, author TEXT);
        CREATE TABLE nationalities(author TEXT, label TEXT);
        """
    )
    db.executemany(
        "INSERT INTO movies VALUES (?, ?, ?)",
        [
            (row["title"], number(row["duration_mins"], int), number(row["size_mb"], float))
            for row in csv_rows(folder, "movies", lambda row: (fold(row["title"]),))
        ],
    )
    db.executemany(
        "INSERT INTO streams VALUES (?, ?, ?, ?, ?)",
        [
            (
                row["movie_title"],
                row["user_email"],
                number(row["size_mb"], float),
                microseconds(row["start_at"]),
                number(row["end_at"], microseconds),
            )
            for row in csv_rows(
                folder,
                "streams",
                lambda row: (fold(row["user_email"]), fold(row["movie_title"]), row["start_at"]),
            )
        ],
    )
    for review in dump(folder, "reviews"):
        for movie in review.get("movies") or []:
            for book in review.get("books") or []:
                db.execute(
                    "INSERT INTO links VALUES (?, ?)", (movie["title"], book["metadata"]["title"])
                )
    db.executemany(
        "INSERT INTO books VALUES (?, ?)",
        [(book["name"], book["author"]) for book in dump(folder, "books")],
    )
    for author in dump(folder, "authors"):
        for nationality in author.get("nationalities") or []:
            db.execute(
                "INSERT INTO nationalities VALUES (?, ?)",
                (author["metadata"]["name"], nationality["label"]),
            )
    # Without them the joins take minutes.
    db.executescript(
        """
        CREATE INDEX links_fold ON links(fold(movie));
        CREATE INDEX links_exact ON links(movie);
        CREATE INDEX books_fold ON books(fold(name));
        CREATE INDEX books_exact ON books(name);
        CREATE INDEX movies_fold ON movies(fold(title));
        CREATE INDEX nationalities_fold ON nationalities(fold(author));
        """
    )
    return db


def value(db, sql, *parameters):
    return db.execute(sql, parameters).fetchone()[0]


def column(db, sql):
    return [row[0] for row in db.execute(sql)]


def movies_based_on_books(db):
    linked = """EXISTS (SELECT 1 FROM links JOIN books ON {f}(books.name) = {f}(links.book)
                        WHERE {f}(links.movie) = {f}(streams.title))"""
    folded, exact = linked.format(f="fold"), linked.format(f="")
    movies = "SELECT 100.0 * COUNT(DISTINCT CASE WHEN {} THEN {} END) / COUNT(DISTINCT {}) FROM streams"
    return (
        value(db, movies.format(folded, "fold(title)", "fold(title)")),
        {
            "by_streams": value(db, f"SELECT 100.0 * SUM({folded}) / COUNT(*) FROM streams"),
            "exact_case": value(db, movies.format(exact, "title", "title")),
        },
    )


def unforgiven_christmas_morning(db, zone):
    streams = db.execute(
        "SELECT email, start_us, end_us FROM streams WHERE fold(title) = 'unforgiven'"
    ).fetchall()
    newest_us = value(db, "SELECT MAX(start_us) FROM streams")

    def users(clock, watches):
        today = wall_clock(newest_us, clock).date()
        year = today.year if (today.month, today.day) >= (12, 25) else today.year - 1
        begin, end = (datetime.datetime(year, 12, 25, hour) for hour in (7, 12))
        return len(
            {
                fold(email)
                for email, start_us, end_us in streams
                if watches(
                    begin,
                    end,
                    wall_clock(start_us, clock),
                    wall_clock(end_us, clock) if end_us is not None else None,
                )
            }
        )

    def opened(begin, end, start, _):
        return begin <= start < end

    def overlaps(begin, end, start, stop):
        return stop is not None and start < end and stop > begin

    return (
        users(zone, opened),
        {"overlap": users(zone, overlaps), "utc": users(zoneinfo.ZoneInfo("UTC"), opened)},
    )


def singaporean_books(db):
    tables = """FROM streams
        JOIN links ON fold(links.movie) = fold(streams.title)
        JOIN books ON fold(books.name) = fold(links.book)
        JOIN nationalities ON fold(nationalities.author) = fold(books.author)
        WHERE fold(nationalities.label) = 'singaporeans'"""
    return (
        value(db, f"SELECT COUNT(DISTINCT fold(streams.title)) {tables}"),
        {
            "streams": value(db, f"SELECT COUNT(DISTINCT streams.rowid) {tables}"),
            "books": value(db, f"SELECT COUNT(DISTINCT fold(books.name)) {tables}"),
        },
    )


def mean_duration(db):
    durations = column(db, "SELECT end_us - start_us FROM streams WHERE end_us >= start_us")
    capped = column(
        db,
        f"""SELECT MIN(end_us - start_us, duration_mins * {MINUTE_US})
            FROM streams JOIN movies ON fold(streams.title) = fold(movies.title)
            WHERE end_us >= start_us AND duration_mins IS NOT NULL""",
    )
    return (
        sum(durations) / len(durations) / HOUR_US,
        {
            "capped": sum(capped) / len(capped) / HOUR_US,
            "median": statistics.median(durations) / HOUR_US,
        },
    )


def median_size_gb(db):
    streamed = statistics.median(column(db, "SELECT size_mb FROM streams WHERE size_mb NOTNULL"))
    catalogue = statistics.median(column(db, "SELECT size_mb FROM movies WHERE size_mb NOTNULL"))
    return (
        streamed / 1000,
        {"binary": streamed / 1024, "movies": catalogue / 1000, "in_mb": streamed},
    )


def half_watched_last_week(db, zone):
    streams = db.execute(
        """SELECT fold(email), start_us, end_us - start_us, duration_mins
           FROM streams JOIN movies ON fold(streams.title) = fold(movies.title)
           WHERE end_us NOTNULL AND duration_mins NOTNULL"""
    ).fetchall()
    newest_us = value(db, "SELECT MAX(start_us) FROM streams")

    def users(clock, is_capped):
        month = wall_clock(newest_us, clock)
        days = calendar.monthrange(month.year, month.month)[1]
        found = set()
        for email, start_us, open_us, runtime_mins in streams:
            start = wall_clock(start_us, clock)
            is_last_week = (start.year, start.month) == (month.year, month.month) and (
                start.day > days - 7
            )
            is_half = 2 * open_us >= runtime_mins * MINUTE_US
            is_over = open_us > runtime_mins * MINUTE_US
            if is_last_week and is_half and not (is_capped and is_over):
                found.add(email)
        return len(found)

    def users_closed_in_8_days():
        month = wall_clock(newest_us, utc)
        days = calendar.monthrange(month.year, month.month)[1]
        found = set()
        for email, start_us, open_us, runtime_mins in streams:
            end = wall_clock(start_us + open_us, utc)
            if (end.year, end.month) == (month.year, month.month) and end.day >= days - 7:
                if 2 * open_us >= runtime_mins * MINUTE_US:
                    found.add(email)
        return len(found)

    utc = zoneinfo.ZoneInfo("UTC")
    return (
        users(utc, True),
        {
            "local": users(zone, True),
            "uncapped": users(utc, False),
            "uncapped_local": users(zone, False),
            "closed_in_8_days": users_closed_in_8_days(),
        },
    )


def answers(folder, zone="Europe/Berlin"):
    """Every question's answer and rivals, keyed by the names in questions.yml and in its order."""
    db = load(folder)
    clock = zoneinfo.ZoneInfo(zone)
    computed = {
        "movies_based_on_books": movies_based_on_books(db),
        "unforgiven_christmas_morning": unforgiven_christmas_morning(db, clock),
        "singaporean_books": singaporean_books(db),
        "mean_duration": mean_duration(db),
        "median_size_gb": median_size_gb(db),
        "half_watched_last_week": half_watched_last_week(db, clock),
    }
    return {
        name: {
            "rows": [[answer]],
            "rivals": {f"{name}_{rival}": [[found]] for rival, found in rivals.items()},
        }
        for name, (answer, rivals) in computed.items()
    }


def main():
    parser = argparse.ArgumentParser(description="Answers of projects/startup from the raw files.")
    parser.add_argument("folder")
    parser.add_argument("--zone", default="Europe/Berlin", help="the viewers' wall clock")
    options = parser.parse_args()
    print(json.dumps(answers(options.folder, options.zone), indent=2))


if __name__ == "__main__":
    main()
