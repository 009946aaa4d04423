// Writes tables with DuckDB, each as Parquet and as CSV: npm install @duckdb/node-api && node make.mjs
import { DuckDBInstance } from '@duckdb/node-api'

const db = await (await DuckDBInstance.create()).connect()
await db.run("set timezone = 'UTC'")

// Of every type that a table may have, with nulls in all but the first column and the last.
await db.run(`create table types as select
  i::tinyint as tiny,
  case when i % 7 != 0 then (i * 97 % 30001 - 15000)::smallint end as small,
  case when i % 5 != 1 then (i::bigint * 7919 % 16000000 - 8000000)::integer end as "int",
  case when i % 11 != 2 then ((i::bigint * 104729) % 16777216 - 8388608)::bigint end as big,
  case when i % 3 != 1 then (i % 256)::utinyint end as utiny,
  case when i % 4 != 1 then (60000 + i)::usmallint end as usmall,
  case when i % 6 != 1 then (4294900000::bigint + i % 2 * 256)::uinteger end as uint,
  case when i % 13 != 3 then (i / 7)::float end as real,
  case when i % 9 != 4 then sqrt(i) end as double,
  case when i % 8 != 1 then (i * 0.25 - 11)::decimal(4, 2) end as dec4,
  case when i % 8 != 2 then (i * 1234.5 - 3)::decimal(9, 3) end as dec9,
  case when i % 8 != 3 then (i * 12345.6789 - 777)::decimal(18, 4) end as dec18,
  case when i % 8 != 4 then (1000 - i * 98765.4321)::decimal(30, 5) end as dec30,
  case when i % 10 != 5 then i % 3 = 0 end as flag,
  case when i % 10 != 6 then date '1969-12-30' + (i % 5)::integer end as day,
  case when i % 10 != 7 then time '01:02:03' + to_milliseconds(i % 3 * 250) end as clock,
  case when i % 10 != 8 then timestamp '1969-12-31 23:59:58.5' + to_seconds(i % 4) end as moment,
  case when i % 10 != 9 then timestamptz '2026-11-27 12:00:00+00' + to_hours(i % 3) end as zoned,
  case when i % 12 != 1 then ['b', 'a', 'two words', 'naïve', '"quoted", with commas'][i % 5 + 1] end as words,
  ['yes', 'no', 'maybe'][i % 3 + 1] as answer
  from range(0, 120) t(i)`)

// Numbers and texts for all encodings: runs and packed groups of levels, dictionaries, long and short differences.
await db.run(`create table many as select
  i as row,
  case when i < 700 then 1 when i < 1500 then i % 2 else (i * i) % 1000003 end as jumps,
  case when i between 300 and 900 or i % 17 = 0 then null else i / 1024 end as ratio,
  case when i % 31 != 0 then 'level ' || (i % 10) end as level,
  i % 4 as class
  from range(0, 3000) t(i)`)

await db.run(`create table nested as select i as number, [i, i + 1] as list, {'a': i, 'b': 'x'} as record, 'b' || i % 3 as text, '\\xAA'::blob as bytes from range(0, 9) t(i)`)

const write = (table, name, options) => db.run(`copy ${table} to '${name}' (${options})`)
// Bools and times with a zone as pandas writes them.
await write("(select * replace (case when flag then 'True' when not flag then 'False' end as flag, zoned::varchar || ':00' as zoned) from types)", 'types.csv', "format csv, header, nullstr 'NA'")
await write('many', 'many.csv', "format csv, header, nullstr 'NA'")
await write('types', 'types-snappy.parquet', 'format parquet, codec snappy')
await write('types', 'types-v2-zstd.parquet', 'format parquet, codec zstd, parquet_version v2')
await write('many', 'many-plain.parquet', 'format parquet, codec uncompressed, dictionary_size_limit 0')
for (const codec of ['gzip', 'brotli', 'lz4_raw']) {
  await write('many', `many-${codec}.parquet`, `format parquet, codec ${codec}, row_group_size 2048`)
}
await write('many', 'many-v2.parquet', 'format parquet, codec snappy, parquet_version v2, dictionary_size_limit 1')
await write('nested', 'nested.parquet', 'format parquet')
