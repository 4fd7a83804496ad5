"""What DuckDB and pyarrow read from a file of metrics: its types, and a few figures of each."""

import json
import sys

import duckdb
import pyarrow.compute as compute
import pyarrow.parquet as parquet

path = sys.argv[1]
file = parquet.ParquetFile(path)
table = file.read()
names = ["rows", "actual", "forecast", "forecasts", "first", "last", "regions"]
by_duckdb = duckdb.execute(
    """SELECT count(*)::text, sum(actualValue)::decimal(38, 2)::text, sum(forecastValue)::decimal(38, 2)::text,
              count(forecastValue)::text, min(metricDate)::text, max(metricDate)::text, count(DISTINCT region)::text
         FROM read_parquet(?)""",
    [path],
).fetchone()
actual, forecast, days = table["actualValue"], table["forecastValue"], table["metricDate"]
by_pyarrow = [
    str(table.num_rows),
    f"{compute.sum(actual).as_py():.2f}",
    f"{compute.sum(forecast).as_py():.2f}",
    str(len(forecast) - forecast.null_count),
    str(compute.min(days).as_py()),
    str(compute.max(days).as_py()),
    str(compute.count_distinct(table["region"]).as_py()),
]
print(
    json.dumps(
        {
            "types": [str(field.type) for field in file.schema_arrow],
            "groups": file.metadata.num_row_groups,
            "duckdb": dict(zip(names, by_duckdb)),
            "pyarrow": dict(zip(names, by_pyarrow)),
        }
    )
)
