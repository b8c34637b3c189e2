"""A lake's tables as PyIceberg and DuckDB see them, to be compared with what `playhead sql` answers."""

import datetime
import decimal

import duckdb
from pyiceberg.catalog.sql import SqlCatalog


def open_catalog(lake):
    return SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                      warehouse=f"file://{lake.warehouse}")


def as_json(value):
    """A value of PyIceberg or DuckDB as `playhead sql --format json` writes it."""
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.timezone.utc).isoformat(timespec="microseconds")
        text = text.replace("+00:00", "")
        return text.rstrip("0").rstrip(".") + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, list) and value and isinstance(value[0], tuple):  # a map
        return {key: as_json(item) for key, item in value}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


def by_key(rows, key="n"):
    return sorted(({name: as_json(value) for name, value in row.items()} for row in rows),
                  key=lambda row: (row[key] is None, row[key], str(row)))


def check_readers(lake, name):
    """Rows of the table, which `playhead sql` and PyIceberg read alike, all columns of all files."""
    table = open_catalog(lake).load_table(name)
    iceberg = by_key(table.scan().to_arrow().to_pylist())
    own = by_key(lake.sql(f"select * from {name}"))
    assert own == iceberg, f"{name}: playhead sql and PyIceberg differ:\n{own}\n{iceberg}"
    return own


def check_folder(lake, name, columns):
    """The same rows as plain files, as DuckDB reads the folder by the files' names of columns."""
    namespace, table = name.split(".")
    files = f"{lake.warehouse}/{namespace}/{table}/data/**/*.parquet"
    with duckdb.connect() as duck:
        result = duck.execute(f"select {', '.join(columns)} from read_parquet('{files}', "
                              "union_by_name = true, hive_partitioning = false)").fetchall()
    plain = by_key(dict(zip(columns, row)) for row in result)
    own = by_key(lake.sql(f"select {', '.join(columns)} from {name}"))
    assert own == plain, f"{name}: playhead sql and DuckDB over the folder differ:\n{own}\n{plain}"
