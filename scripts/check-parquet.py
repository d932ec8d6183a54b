#!/usr/bin/env python3
"""Reads Parquet files with every library that is importable, and prints the row count and the schema that each sees.

Exits with 1 if a library fails, if two libraries count different numbers of rows, or if no library is installed.
With --require all, a missing library is a failure too.

How to run it (PySpark needs a Java runtime: `apt-get install default-jre-headless`):

    python3 -m venv /tmp/parquet && /tmp/parquet/bin/pip install pyarrow pandas polars duckdb pyspark
    cargo run -p tvshows-export --example sample /tmp
    /tmp/parquet/bin/python scripts/check-parquet.py /tmp/*.parquet

It is not part of `make test`: the libraries and the Java runtime are a download of several hundred megabytes.
"""

import argparse
import functools
import importlib.util
import sys


def read_with_pyarrow(path):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    table.validate(full=True)
    table.to_pylist()
    return table.num_rows, [(field.name, str(field.type)) for field in table.schema]


def read_with_pandas(path):
    import pandas

    frame = pandas.read_parquet(path)
    return len(frame), [(name, str(dtype)) for name, dtype in frame.dtypes.items()]


def read_with_polars(path):
    import polars

    frame = polars.read_parquet(path)
    frame.rows()
    return frame.height, [(name, str(dtype)) for name, dtype in frame.schema.items()]


def read_with_duckdb(path):
    import duckdb

    relation = duckdb.read_parquet(path)
    return len(relation.fetchall()), [(name, str(dtype)) for name, dtype in zip(relation.columns, relation.types)]


@functools.cache
def spark_session():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("check-parquet")
    builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    # The default of Spark 3, which refuses old dates.
    builder = builder.config("spark.sql.parquet.datetimeRebaseModeInRead", "EXCEPTION")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def read_with_pyspark(path):
    frame = spark_session().read.parquet(path)
    return len(frame.collect()), frame.dtypes


READERS = {
    "pyarrow": read_with_pyarrow,
    "pandas": read_with_pandas,
    "polars": read_with_polars,
    "duckdb": read_with_duckdb,
    "pyspark": read_with_pyspark,
}


def check(path, libraries):
    """Prints what each library reads. Returns whether all of them read the same number of rows."""
    row_counts = set()
    succeeded = True
    for library in libraries:
        try:
            row_count, schema = READERS[library](path)
        except Exception as error:  # Any exception counts as a failure of the library.
            message = str(error).strip().partition("\n")[0]
            print(f"{path}: {library}: FAILED: {type(error).__name__}: {message}")
            succeeded = False
            continue
        row_counts.add(row_count)
        print(f"{path}: {library}: {row_count} rows: " + ", ".join(f"{name} {dtype}" for name, dtype in schema))
    if len(row_counts) > 1:
        print(f"{path}: FAILED: the libraries count different numbers of rows: {sorted(row_counts)}")
        succeeded = False
    return succeeded


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--require", choices=["any", "all"], default="any", help="libraries that must be installed")
    options = parser.parse_args()

    libraries = [library for library in READERS if importlib.util.find_spec(library)]
    missing = sorted(READERS.keys() - set(libraries))
    if missing:
        print("not installed: " + ", ".join(missing), file=sys.stderr)
    if not libraries or (missing and options.require == "all"):
        return 1
    # A list, so that a failure does not hide the results of the files after it.
    results = [check(path, libraries) for path in options.files]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
