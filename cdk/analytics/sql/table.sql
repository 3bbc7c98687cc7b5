-- A pipeline's rows, in the order of the columns in its Parquet files: COPY goes by position.
-- Sorted by the record's time: queries take a range of it, and rows come nearly in that order, so there is little to
-- vacuum. Distribution is left to Redshift, which knows the table's size and its joins.
-- There is no primary key: Redshift would not enforce it, but believe it, even where a query looks for duplicates.
CREATE TABLE "${schema}"."${table}" (
    ${columns}
)
DISTSTYLE AUTO
COMPOUND SORTKEY ("_timestamp")
