-- Records that were found gone upstream; a landing of the record after that brings it back.
create or replace temp table staged_tombstones as
select record_id, reason, ingested_at, content_hash
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
qualify row_number() over (partition by record_id order by ingested_at desc, content_hash desc) = 1;

delete from staged_tombstones
using record_tombstones as t
where t.record_id = staged_tombstones.record_id
  and (t.ingested_at, t.content_hash) >= (staged_tombstones.ingested_at, staged_tombstones.content_hash);

-- What is deleted makes room for what was uploaded in its place.
create or replace temp table bereft as
select record_id from records
where (record_id in (select record_id from staged_tombstones) or strava_id in (
    select strava_id from records where record_id in (select record_id from staged_tombstones)
  ))
  and record_id not in (select record_id from rematched);

create or replace temp table wanted as from bereft;
insert into former from matching_inputs;
insert into rematched from bereft;

delete from record_tombstones where record_id in (select record_id from staged_tombstones);

insert into record_tombstones by name select * from staged_tombstones;

insert into touched
select r.record_id, r.activity_id from records as r
where r.record_id in (select record_id from staged_tombstones);
