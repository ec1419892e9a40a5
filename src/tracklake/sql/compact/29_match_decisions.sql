-- What the athlete decided; all of it stays, for a later word counts only where it differs.
create or replace temp table staged_decisions as
select distinct athlete, kind, first_record, second_record, decided_at
from read_parquet(
  getvariable('new_shards'), union_by_name = true, hive_partitioning = false, file_row_number = true
)
where file_row_number >= getvariable('first_row') and file_row_number < getvariable('end_row')
except
from match_decisions;

insert into match_decisions from staged_decisions;

insert into unsettled
select r.record_id
from records as r
inner join (
  select athlete, unnest([first_record, second_record]) as name from staged_decisions
) as d on d.athlete = r.athlete and d.name = r.source || '/' || r.source_id;
