-- Points that services have; the newest word on each record wins, also that there are none.
create or replace temp table staged_streams as
with versions as (
  select * from read_parquet(
    getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
  )
  where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
  union all by name
  select  -- columns that older shards lack
    null::varchar as file_sha256, null::double as start_lat, null::double as start_lng,
    null::double as end_lat, null::double as end_lng, null::varchar as summary_polyline
  where false
)
select * from versions
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

delete from staged_streams
using record_streams as s
where s.record_id = staged_streams.record_id
  and (s.ingested_at, s.content_hash) >= (staged_streams.ingested_at, staged_streams.content_hash);

-- Another file than before, or what is read from it, may tie the record to others.
create or replace temp table relinked as
select s.record_id
from staged_streams as s
left join record_streams as t on t.record_id = s.record_id
where (s.file_sha256, s.start_lat, s.start_lng, s.summary_polyline)
    is distinct from (t.file_sha256, t.start_lat, t.start_lng, t.summary_polyline)
  and s.record_id not in (select record_id from rematched);

create or replace temp table wanted as from relinked;
insert into former from matching_inputs;
insert into rematched from relinked;

delete from record_streams where record_id in (select record_id from staged_streams);
delete from record_best_efforts
where origin = 'computed' and record_id in (select record_id from staged_streams);

insert into record_streams by name
select
  record_id, outcome, stream_key, point_count, has_track, channels, file_sha256,
  start_lat, start_lng, end_lat, end_lng, summary_polyline,
  list_filter([
    case when point_count > 0 then 'streams' end,
    case when has_track then 'track' end,
    case when len(list_filter(best_efforts, lambda e: e.kind = 'distance')) > 0 then 'distance/computed' end,
    case when len(list_filter(best_efforts, lambda e: e.kind = 'power')) > 0 then 'power/computed' end
  ], lambda offer: offer is not null) as offers,
  ingested_at, content_hash
from staged_streams;

insert into record_best_efforts by name
select
  record_id, 'computed' as origin, e.kind, e.name, e.distance_m, e.duration_s,
  e.elapsed_time_s as elapsed_time, e.average_watts,
  make_timestamptz(round((start_s + e.start_offset_s) * 1e6)::bigint) as start_date,
  e.start_index, e.end_index
from (select record_id, start_s, unnest(best_efforts) as e from staged_streams);

insert into touched
select r.record_id, r.activity_id from records as r
where r.record_id in (select record_id from staged_streams);
