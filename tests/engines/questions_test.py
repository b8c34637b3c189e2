"""The questions' SQL on small data made by hand; every expected value is counted by hand.

Bronze tables are made from models/sources.yml (columns, types, source columns) and filled from the
records below by DuckDB, without playhead, so a wrong answer here is a wrong query. `startup` is also
checked against startup_oracle.py, on invented files of the real shape.
"""

import json
import math
import os
import pathlib
import sys
import tempfile
import unittest

import duckdb
import jinja2
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import startup_oracle

ROOT = pathlib.Path(
    os.environ.get("PLAYHEAD_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2]
)
ARRIVAL = "2030-01-01"


class Lake:
    """A project's bronze tables in DuckDB's memory, and its questions."""

    def __init__(self, name, variables=None):
        self.folder = ROOT / "projects" / name
        self.variables = {
            **(self.yaml("dbt_project.yml").get("vars") or {}),
            **(variables or {}),
        }
        self.db = duckdb.connect()
        # Far from every zone in the questions: an answer that depends on the session shows here.
        self.db.execute("SET TimeZone = 'Pacific/Kiritimati'; CREATE SCHEMA bronze")
        self.offsets = 0
        self.tables = {
            table["name"]: table
            for table in self.yaml("models/sources.yml")["sources"][0]["tables"]
        }
        for table in self.tables.values():
            self.db.execute(f"CREATE TABLE bronze.{table['name']} ({self.columns(table)})")
        for seed in (self.folder / "seeds").glob("*.csv"):
            self.db.execute(f"CREATE TABLE {seed.stem} AS FROM read_csv('{seed}')")

    def yaml(self, path):
        return yaml.safe_load((self.folder / path).read_text())

    @staticmethod
    def columns(table):
        columns = [f'"{column["name"]}" {column["data_type"]}' for column in table["columns"]]
        if "ingestion_date" in table["config"]["meta"]["playhead"]["partition_by"]:
            columns.append("ingestion_date DATE")
        return ", ".join(columns) + (
            ", _topic VARCHAR, _topic_partition INTEGER, _offset BIGINT,"
            " _ingested_at TIMESTAMPTZ, _extra VARCHAR"
        )

    def add(self, name, records, topic="log", day=ARRIVAL):
        """Appends records as one file or one stretch of the log."""
        table = self.tables[name]
        for record in records:
            types = {column["name"]: column["data_type"] for column in table["columns"]}
            self.assert_declared(record, types)
            fields, values = [], []
            for field, value in record.items():
                fields.append(f'"{field}"')
                text = json.dumps(value) if isinstance(value, (list, dict)) else value
                values.append((f"CAST(?::JSON AS {types[field]})" if text is not value else "?", text))
            fixed = {"_topic": topic, "_topic_partition": 0, "_offset": self.offsets}
            if "ingestion_date DATE" in self.columns(table):
                fixed["ingestion_date"] = day
            fixed["_ingested_at"] = f"{day} 00:00:00+00"
            self.offsets += 1
            self.db.execute(
                f"INSERT INTO bronze.{name} ({', '.join([*fields, *fixed])}) VALUES"
                f" ({', '.join([value[0] for value in values] + ['?'] * len(fixed))})",
                [value[1] for value in values] + list(fixed.values()),
            )

    @staticmethod
    def assert_declared(record, types):
        unknown = set(record) - set(types)
        assert not unknown, f"not in sources.yml: {unknown}"

    def ask(self, name):
        (path,) = (self.folder / "analyses").rglob(f"{name}.sql")
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        sql = environment.from_string(path.read_text()).render(
            source=lambda schema, table: f"{schema}.{table}",
            ref=lambda seed: seed,
            var=lambda variable, *default: self.variables.get(variable, *default),
        )
        return [list(row) for row in self.db.sql(sql).fetchall()]

    def questions(self):
        """Question names with those of their rivals."""
        return {
            question["name"]: [
                rival["name"] for rival in question["config"]["meta"]["playhead"]["rivals"]
            ]
            for question in self.yaml("analyses/questions.yml")["analyses"]
        }


class QuestionTest(unittest.TestCase):
    def assert_rows(self, lake, name, expected):
        rows = [
            [value.isoformat() if hasattr(value, "isoformat") else value for value in row]
            for row in lake.ask(name)
        ]
        self.assertEqual(len(rows), len(expected), (name, rows))
        for row, wanted in zip(rows, expected):
            for value, want in zip(row, wanted, strict=True):
                if isinstance(want, float):
                    self.assertIsNotNone(value, (name, rows))
                    self.assertTrue(math.isclose(value, want, rel_tol=1e-12), (name, rows))
                else:
                    self.assertEqual(value, want, (name, rows))

    def test_questions_on_empty_tables_run(self):
        for project in sorted(path.parent.name for path in ROOT.glob("projects/*/playhead.yml")):
            lake = Lake(project)
            for question, rivals in lake.questions().items():
                for name in [question, *rivals]:
                    with self.subTest(name):
                        self.assertLessEqual(len(lake.ask(name)), 1)


class Content(QuestionTest):
    def setUp(self):
        def event(number, kind, time, user, title, position=None, **more):
            return {
                "event_id": f"e{number}",
                "event_type": kind,
                "timestamp": time,
                "user_id": user,
                "content_id": title.lower(),
                "content_type": "movie",
                "title": title,
                "duration_seconds": 200,
                "current_timestamp": position,
                **more,
            }

        self.lake = Lake("content")
        self.lake.add(
            "media_events",
            [
                event(1, "play", "2024-01-01T10:00:00Z", "ann", "Dune", 0),
                event(2, "pause", "2024-01-01T10:10:00Z", "ann", "Dune", 100),
                # The answer to event 2 got lost; the client sends it again.
                event(2, "pause", "2024-01-01T10:10:00Z", "ann", "Dune", 100),
                # 2 January by the player's clock, still the 1st in UTC.
                event(3, "play", "2024-01-02T01:30:00+02:00", "bob", "Dune", 0),
                event(4, "stop", "2024-01-02T03:00:00Z", "bob", "Dune", 50),
                event(4, "stop", "2024-01-02T03:00:00Z", "bob", "Dune", 50),
                event(5, "play", "2024-01-02T04:00:00Z", "bob", "Soap", 0, content_type="ad"),
                event(6, "stop", "2024-01-02T04:00:30Z", "bob", "Soap", 30, duration_seconds=30),
                event(7, "play", "2024-01-02T05:00:00Z", "bob", "Alien", 0),
                event(7, "play", "2024-01-02T05:00:00Z", "bob", "Alien", 0),
                # A viewer whose play never arrived, and a stop without a position.
                event(8, "stop", "2024-01-02T06:00:00Z", "cid", "Alien", 190),
                event(9, "stop", "2024-01-03T06:00:00Z", "cid", "Alien"),
            ],
        )

    def test_plays(self):
        first, second = "2024-01-01", "2024-01-02"
        name = "plays_per_title_and_day"
        self.assert_rows(
            self.lake, name, [[first, "Dune", 2], [second, "Alien", 1], [second, "Soap", 1]]
        )
        self.assert_rows(
            self.lake,
            f"{name}_delivered",
            [[first, "Dune", 2], [second, "Alien", 2], [second, "Soap", 1]],
        )
        self.assert_rows(
            self.lake, f"{name}_without_ads", [[first, "Dune", 2], [second, "Alien", 1]]
        )

    def test_pauses(self):
        self.assert_rows(self.lake, "pauses_per_title", [["Dune", 1]])
        self.assert_rows(self.lake, "pauses_per_title_delivered", [["Dune", 2]])
        self.assert_rows(self.lake, "pauses_per_title_per_100_plays", [["Dune", 1, 2, 50.0]])

    def test_viewers(self):
        self.assert_rows(self.lake, "unique_viewers", [[3]])
        self.assert_rows(self.lake, "unique_viewers_with_a_play", [[2]])
        self.assert_rows(
            self.lake,
            "unique_viewers_per_day",
            [["2024-01-01", 2], ["2024-01-02", 2], ["2024-01-03", 1]],
        )

    def test_position(self):
        self.assert_rows(self.lake, "mean_position_at_stop", [[(50 + 30 + 190) / 3]])
        self.assert_rows(self.lake, "mean_position_at_stop_delivered", [[(50 + 50 + 30 + 190) / 4]])
        # 50 of 200, 30 of 30, 190 of 200.
        self.assert_rows(self.lake, "mean_position_at_stop_percent", [[(25 + 100 + 95) / 3]])


class Startup(QuestionTest):
    MOVIES = [("Unforgiven", 100, 1000.0), ("Blue Hour", 60, 500.0), ("Mud", 80, 2000.0)]
    # movie, user, size, start and end by the wall clock (+0100)
    STREAMS = [
        ("Unforgiven", "a@x.org", 100.0, "25T07:00:00.000", "25T08:00:00.000"),  # 60 % of 100 min
        ("unforgiven", "b@x.org", 200.0, "25T12:00:00.000", "25T13:40:00.000"),  # 100 %
        ("Unforgiven", "c@x.org", 300.0, "24T20:00:00.000", "25T09:00:00.000"),  # 13 h
        ("Blue Hour", "a@x.org", 400.0, "31T20:00:00.000", "31T20:30:00.000"),  # 50 %
        ("Blue Hour", "d@x.org", 500.0, "25T00:30:00.000", "25T01:20:00.000"),  # 24th in UTC
        ("Mud", "e@x.org", 600.0, "28T10:00:00.000", "28T10:39:59.999"),  # just below 50 %
    ]

    def write(self, folder):
        (folder / "vendor").mkdir()
        with open(folder / "movies.csv", "w") as file:
            file.write("title,duration_mins,original_language,size_mb\n")
            file.writelines(f"{title},{mins},English,{size}\n" for title, mins, size in self.MOVIES)
        header = "movie_title,user_email,size_mb,start_at,end_at\n"
        for day, rows in (("2021-12-30", self.STREAMS[:4]), ("2021-12-31", self.STREAMS[2:])):
            with open(folder / f"streams_{day}.csv", "w") as file:
                file.write(header)
                file.writelines(
                    f"{title},{user},{size},2021-12-{start}+0100,2021-12-{end}+0100\n"
                    for title, user, size, start, end in rows
                )
        old = self.vendor("Gone", "Mud")
        new = self.vendor("An Old Story", "UNFORGIVEN") + self.vendor("AN OLD STORY", "BLUE HOUR")
        books = [{"name": "An old Story", "pages": 9, "author": "Tan Li", "publisher": "P"}]
        authors = [
            {
                "metadata": {"name": "tan li", "birth_date": None, "died_at": None},
                "nationalities": [
                    {"id": None, "label": "", "slug": None},
                    {"id": None, "label": "Singaporeans", "slug": "singaporeans"},
                ],
            }
        ]
        self.dumps = {
            "books_2021-12-30.json": books + [{**books[0], "name": "Gone"}],
            "books_2021-12-31.json": books,
            "authors_2021-12-31.json": authors,
            "reviews_2021-12-30.json": old,
            "reviews_2021-12-31.json": new,
        }
        for name, records in self.dumps.items():
            (folder / "vendor" / name).write_text(json.dumps(records, indent=1))

    @staticmethod
    def vendor(book, movie):
        time = "2021-12-05T10:00:00.000+0100"
        return [
            {
                "content": {"text": "Good."},
                "rating": {"rate": 4, "label": "FOUR"},
                "books": [{"id": None, "metadata": {"title": book, "pages": "unknown"}}],
                "movies": [{"id": 0, "title": movie}, {"id": 0, "title": "end"}],
                "created": time,
                "updated": time,
            }
        ]

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.raw = pathlib.Path(temporary.name)
        self.write(self.raw)
        self.lake = self.load()

    def load(self, variables=None):
        lake = Lake("startup", variables)
        names = ("title", "duration_mins", "size_mb")
        lake.add("movies", [dict(zip(names, movie)) for movie in self.MOVIES])
        names = ("movie_title", "user_email", "size_mb", "start_at", "end_at")
        for day, rows in (("2021-12-30", self.STREAMS[:4]), ("2021-12-31", self.STREAMS[2:])):
            records = [
                dict(zip(names, [*row[:3], *(f"2021-12-{time}+01:00" for time in row[3:])]))
                for row in rows
            ]
            lake.add("streams", records, f"file:streams_{day}.csv#0", day)
        for file, records in self.dumps.items():
            table, day = file.removesuffix(".json").split("_")
            lake.add(table, records, f"file:{file}#0", day)
        return lake

    def test_answers_equal_the_oracle(self):
        computed = startup_oracle.answers(self.raw)
        questions = self.lake.questions()
        self.assertEqual(set(computed), set(questions))
        for question, rivals in questions.items():
            self.assertEqual(list(computed[question]["rivals"]), rivals)
            self.assert_rows(self.lake, question, computed[question]["rows"])
            for rival in rivals:
                self.assert_rows(self.lake, rival, computed[question]["rivals"][rival])

    def test_answers_equal_those_by_hand(self):
        answers = {
            # Mud's review is in the old dump only.
            "movies_based_on_books": 200 / 3,
            "movies_based_on_books_by_streams": 500 / 6,
            "movies_based_on_books_exact_case": 0.0,
            "unforgiven_christmas_morning": 1,
            "unforgiven_christmas_morning_overlap": 2,
            "unforgiven_christmas_morning_utc": 1,
            "singaporean_books": 2,
            "singaporean_books_streams": 5,
            "singaporean_books_books": 1,
            "mean_duration": (60 + 100 + 780 + 30 + 50 + 40 - 1 / 60_000) / 6 / 60,
            "mean_duration_capped": (60 + 100 + 100 + 30 + 50 + 40 - 1 / 60_000) / 6 / 60,
            "mean_duration_median": 55 / 60,
            "median_size_gb": 0.35,
            "median_size_gb_binary": 350 / 1024,
            "median_size_gb_movies": 1.0,
            "median_size_gb_in_mb": 350.0,
            "half_watched_last_week": 2,
            "half_watched_last_week_local": 3,
            "half_watched_last_week_uncapped": 2,
            "half_watched_last_week_uncapped_local": 3,
            "half_watched_last_week_closed_in_8_days": 4,
        }
        for name, answer in answers.items():
            with self.subTest(name):
                self.assert_rows(self.lake, name, [[answer]])

    def test_month_and_christmas_come_from_variables(self):
        lake = self.load({"month": "2021-11", "christmas_day": "2020-12-25"})
        self.assert_rows(lake, "half_watched_last_week", [[0]])
        self.assert_rows(lake, "unforgiven_christmas_morning", [[0]])
        lake = self.load({"month": "2021-12-01"})
        self.assert_rows(lake, "half_watched_last_week", [[2]])


class Streampro(QuestionTest):
    def setUp(self):
        self.lake = Lake("streampro")

    def events(self, *rows, day="2025-09-09"):
        self.lake.add(
            "events",
            [
                {
                    "timestamp": f"2025-09-{time}+00",
                    "user_id": user,
                    "session_id": session,
                    "event_name": name,
                    **dict(zip(("value", "video_id"), more)),
                    "device_os": "ios",
                    "app_version": "1.0",
                }
                for time, user, session, name, *more in rows
            ],
            f"file:events_{day}.jsonl#0",
            day,
        )

    def watch(self):
        self.lake.add("videos", [{"video_id": "v1", "genre": "Noir"}], day="2025-09-08")
        self.lake.add(
            "videos",
            [{"video_id": "v1", "genre": "Drama"}, {"video_id": "v2", "genre": "Comedy"}],
        )
        self.events(
            # ann: the session of the first log-in is s2, though s1 started earlier.
            ("01 10:00:00", "ann", "s1", "session_start"),
            ("01 10:01:00", "ann", "s1", "watch_time", 100, "v1"),
            ("02 10:00:00", "ann", "s2", "session_start"),
            ("02 10:00:01", "ann", "s2", "first_login"),
            ("02 10:01:00", "ann", "s2", "watch_time", 10, "v1"),
            ("02 10:02:00", "ann", "s2", "watch_time", 10, "v2"),
            # bob: 30 s exactly, one record of them twice; back after exactly 3 days.
            ("01 12:00:00", "bob", "s3", "session_start"),
            ("01 12:00:10", "bob", "s3", "watch_time", 15, "v1"),
            ("01 12:00:20", "bob", "s3", "watch_time", 15, "v1"),
            ("01 12:00:20", "bob", "s3", "watch_time", 15, "v1"),
            ("04 12:00:00", "bob", "s4", "session_start"),
            # cid: 40 s of Drama and 35 of Comedy; back a millisecond too late.
            ("01 12:00:00", "cid", "s5", "session_start"),
            ("01 12:01:00", "cid", "s5", "watch_time", 40, "v1"),
            ("01 12:02:00", "cid", "s5", "watch_time", 35, "v2"),
            ("04 12:00:00.001", "cid", "s6", "session_start"),
            # dee: only a like in s7; a second start of the same session is no return.
            ("01 12:00:00", "dee", "s7", "session_start"),
            ("01 13:00:00", "dee", "s7", "session_start"),
            ("01 12:00:30", "dee", "s7", "like", 99, "v1"),
            # fay: another session at the very start of the first is not after it.
            ("01 12:00:00", "fay", "s9", "session_start"),
            ("01 12:00:00", "fay", "s9b", "session_start"),
            ("01 12:01:00", "fay", "s9", "watch_time", 30, "v2"),
            # eve: never a start or a log-in, so no first session.
            ("01 12:00:30", "eve", "s8", "watch_time", 500, "v1"),
        )

    def test_watch_30s(self):
        self.watch()
        name = "watch_30s_first_session"
        # First sessions: ann s2 20 s, bob s3 30 s, cid s5 75 s, dee s7 0 s, fay s9 30 s.
        self.assert_rows(self.lake, name, [[60.0]])
        self.assert_rows(self.lake, f"{name}_earliest", [[80.0]])
        self.assert_rows(self.lake, f"{name}_watch_time", [[100 * 135 / 155]])
        self.assert_rows(self.lake, f"{name}_delivered", [[60.0]])

    def test_a_repeat_counts_once(self):
        self.events(("01 10:00:00", "ann", "s1", "session_start"))
        self.events(("01 10:00:09", "ann", "s1", "watch_time", 20, "v1"), day="2025-09-09")
        self.events(("01 10:00:09", "ann", "s1", "watch_time", 20, "v1"), day="2025-09-10")
        self.assert_rows(self.lake, "watch_30s_first_session", [[0.0]])
        self.assert_rows(self.lake, "watch_30s_first_session_delivered", [[100.0]])

    def test_retention(self):
        self.watch()
        name = "second_session_retention_by_genre"
        # Drama: bob came back, cid too late. Comedy: cid.
        self.assert_rows(self.lake, name, [["Drama", 1, 2, 50.0], ["Comedy", 0, 2, 0.0]])
        self.assert_rows(
            self.lake, f"{name}_any_time", [["Drama", 2, 2, 100.0], ["Comedy", 1, 2, 50.0]]
        )
        # ann too, 10 s of each, without a later session.
        self.assert_rows(
            self.lake, f"{name}_any_watch", [["Drama", 1, 3, 100 / 3], ["Comedy", 0, 3, 0.0]]
        )

    def test_drop_off(self):
        def session(user, system, seconds):
            start = {
                "timestamp": "2025-09-01 10:00:00+00",
                "user_id": user,
                "session_id": f"{user}-1",
                "device_os": system,
                "app_version": "2.0",
            }
            yield {**start, "event_name": "session_start"}
            if seconds is not None:
                later = {"timestamp": "2025-09-01 10:01:00+00", "app_version": "2.1"}
                yield {**start, **later, "event_name": "watch_time", "value": seconds}

        sessions = (
            # android 18 of 20 dropped, ios 2 of 30, tv 1 of 1: high, yet a single session.
            [("android", None)] * 9
            + [("android", 9.5)] * 9
            + [("android", 10)] * 2
            + [("ios", 3)] * 2
            + [("ios", 60)] * 28
            + [("tv", None)]
        )
        for number, (system, seconds) in enumerate(sessions):
            self.lake.add("events", list(session(f"u{number}", system, seconds)))
        overall = 100 * 21 / 51

        def low(dropped, count):
            """Wilson's lower end as the smaller root of (p - x)^2 = z^2 x (1 - x) / n."""
            z2, p = 1.959963984540054**2, dropped / count
            a, b, c = 1 + z2 / count, -(2 * p + z2 / count), p * p
            return 100 * (-b - math.sqrt(b * b - 4 * a * c)) / (2 * a)

        rows = {
            "android": ["android", "2.0", 20, 18, 90.0, overall, low(18, 20), True],
            "ios": ["ios", "2.0", 30, 2, 100 * 2 / 30, overall, low(2, 30), False],
            "tv": ["tv", "2.0", 1, 1, 100.0, overall, low(1, 1), False],
        }
        self.assertGreater(low(18, 20), overall)
        self.assertLess(low(1, 1), overall)
        expected = [rows["android"], rows["tv"], rows["ios"]]
        self.assert_rows(self.lake, "drop_off", expected)
        self.assert_rows(self.lake, "drop_off_all_sessions", expected)
        plain = [row[:6] for row in (rows["tv"], rows["android"], rows["ios"])]
        self.assert_rows(
            self.lake,
            "drop_off_plain_rate",
            [[*row, is_high] for row, is_high in zip(plain, (True, True, False))],
        )

    def test_drop_off_of_all_sessions_counts_later_ones(self):
        self.events(
            ("01 10:00:00", "ann", "s1", "session_start"),
            ("01 10:01:00", "ann", "s1", "watch_time", 60, "v1"),
            ("02 10:00:00", "ann", "s2", "session_start"),
        )
        self.assertEqual(self.lake.ask("drop_off")[0][2:4], [1, 0])
        self.assertEqual(self.lake.ask("drop_off_all_sessions")[0][2:4], [2, 1])


class Listening(QuestionTest):
    def test_listens(self):
        lake = Lake("listening")
        listen = {"sessionId": 7, "level": "free", "song": "Harbour"}
        lake.add(
            "listen_events",
            [
                {**listen, "userId": 1, "itemInSession": 0, "ts": "2024-01-01 23:59:59.999+00"},
                {**listen, "userId": 1, "itemInSession": 1, "ts": "2024-01-02 00:00:00+00"},
                {**listen, "userId": 1, "itemInSession": 1, "ts": "2024-01-02 00:00:00+00"},
                {**listen, "userId": 2, "itemInSession": 1, "ts": "2024-01-02 00:00:00+00"},
                {**listen, "userId": 2, "ts": "2024-01-02 00:05:00+00"},
            ],
        )
        first, second = "2024-01-01", "2024-01-02"
        self.assert_rows(lake, "listens_per_day", [[first, 1], [second, 3]])
        self.assert_rows(lake, "listens_per_day_delivered", [[first, 1], [second, 4]])
        self.assert_rows(lake, "listens_per_day_listeners", [[first, 1], [second, 2]])


class Campaigns(QuestionTest):
    def test_views(self):
        lake = Lake("campaigns")

        def view(number, campaign, end):
            start = "2024-01-01 10:00:00+00"
            return {
                "viewId": f"v{number}",
                "startTimestamp": start,
                "endTimestamp": f"2024-01-01 {end}+00" if end else None,
                "bannerId": 1,
                "campaignId": campaign,
            }

        lake.add(
            "view_log_events",
            [
                view(1, 10, "10:00:02"),
                view(2, 10, "10:00:04.5"),
                view(2, 10, "10:00:04.5"),
                view(3, 10, "10:00:30"),
                view(4, 140, None),
                view(5, 140, "09:59:59"),
                view(6, 15, "10:00:01"),  # no such campaign
            ],
        )
        seeded = lake.db.sql("FROM campaigns").fetchall()
        self.assertEqual([row[1] for row in seeded], list(range(10, 150, 10)))
        names = {campaign: [network, campaign, name] for network, campaign, name in seeded}
        rest = [[*names[140], 2, None], [None, 15, None, 1, 1.0]]
        name = "views_per_network_and_campaign"
        self.assert_rows(lake, name, [[*names[10], 3, 36.5 / 3], *rest])
        self.assert_rows(lake, f"{name}_delivered", [[*names[10], 4, 41 / 4], *rest])
        self.assert_rows(lake, f"{name}_median", [[*names[10], 3, 4.5], *rest])


if __name__ == "__main__":
    unittest.main()
