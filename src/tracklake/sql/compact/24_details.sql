-- What services say of one activity beyond their lists; the newest word replaces all of an older
-- one. An answer that there is nothing (402, 403, 404) is no word: what was known before stays.
create or replace temp table incoming_details as
select * from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
  and outcome not in ('none', 'gone');

create or replace temp table staged_details as
with newest as (
  select rowid as row_index, record_id, ingested_at, content_hash
  from incoming_details
  qualify row_number() over (
    partition by record_id order by ingested_at desc, content_hash desc
  ) = 1
),
known as (
  select record_id, ingested_at, content_hash
  from record_details
  where record_id in (select record_id from incoming_details)
)
select n.row_index, n.record_id, k.record_id is not null as is_known
from newest as n
left join known as k on k.record_id = n.record_id
where k.record_id is null or (k.ingested_at, k.content_hash) < (n.ingested_at, n.content_hash);

delete from incoming_details where rowid not in (select row_index from staged_details);

delete from record_details
where record_id in (select record_id from staged_details where is_known);
delete from record_laps where record_id in (select record_id from staged_details where is_known);
delete from record_splits_metric
where record_id in (select record_id from staged_details where is_known);
delete from record_splits_standard
where record_id in (select record_id from staged_details where is_known);
delete from record_segment_efforts
where record_id in (select record_id from staged_details where is_known);
delete from record_best_efforts
where origin = 'source' and record_id in (select record_id from staged_details where is_known);

insert into record_details by name
select
  record_id, description, private_note, calories, perceived_exertion, device_name, gear_id,
  gear_name, kudos_count, comment_count, photo_count, hide_from_home, embed_token,
  nullif(polyline, '') as polyline,
  available_zones, all_efforts,
  list_filter([
    'details',
    case when len(segment_efforts) > 0 then 'segment_efforts' end,
    case when len(laps) > 0 then 'laps' end,
    case when len(splits_metric) > 0 then 'splits_metric' end,
    case when len(splits_standard) > 0 then 'splits_standard' end,
    case when len(best_efforts) > 0 then 'distance/source' end
  ], lambda offer: offer is not null) as offers,
  ingested_at, content_hash
from incoming_details;

insert into record_laps by name
select
  record_id, l.lap_index, make_timestamptz(round(l.start_s * 1e6)::bigint) as start_date,
  l.distance, l.elapsed_time, l.moving_time, l.average_speed, l.max_speed, l.total_elevation_gain,
  l.average_heartrate, l.max_heartrate, l.average_cadence, l.average_watts
from (select record_id, unnest(laps) as l from incoming_details);

insert into record_splits_metric by name
select record_id, unnest(p)
from (select record_id, unnest(splits_metric) as p from incoming_details);

insert into record_splits_standard by name
select record_id, unnest(p)
from (select record_id, unnest(splits_standard) as p from incoming_details);

insert into record_best_efforts by name
select
  record_id, 'source' as origin, 'distance' as kind, e.name, e.distance_m, e.elapsed_time,
  e.moving_time, e.pr_rank, make_timestamptz(round(e.start_s * 1e6)::bigint) as start_date,
  e.start_index, e.end_index
from (select record_id, unnest(best_efforts) as e from incoming_details);

insert into record_segment_efforts by name
select
  record_id, e.* exclude (start_s), make_timestamptz(round(e.start_s * 1e6)::bigint) as start_date
from (select record_id, unnest(segment_efforts) as e from incoming_details);

insert into touched
select record_id, activity_id from records
where record_id in (select record_id from staged_details);
