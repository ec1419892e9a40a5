-- Pairs of activities that may be one; `tracklake merge` says that they are.
create or replace view duplicate_candidates as
select
  r.athlete,
  r.activity_id as first_activity_id,
  r.source as first_source,
  r.source_id as first_source_id,
  r.name as first_name,
  r.sport_type as first_sport_type,
  r.start_date as first_start_date,
  r.distance as first_distance,
  r.elapsed_time as first_elapsed_time,
  o.activity_id as second_activity_id,
  o.source as second_source,
  o.source_id as second_source_id,
  o.name as second_name,
  o.sport_type as second_sport_type,
  o.start_date as second_start_date,
  o.distance as second_distance,
  o.elapsed_time as second_elapsed_time,
  d.method,
  d.confidence
from record_doubts as d
inner join records as r on r.record_id = d.record_id
inner join records as o on o.record_id = d.other_record_id
where r.gone_at is null and o.gone_at is null
  and r.activity_id is not null and o.activity_id is not null
  -- What the athlete has parted is no question any more.
  and not exists (
    from match_decisions as m
    inner join records as a
      on a.athlete = m.athlete and a.source || '/' || a.source_id = m.first_record
    inner join records as b
      on b.athlete = m.athlete and b.source || '/' || b.source_id = m.second_record
    where m.kind = 'split'
      and (a.activity_id, b.activity_id)
        in ((r.activity_id, o.activity_id), (o.activity_id, r.activity_id))
  );
comment on view duplicate_candidates is 'Pairs of activities that may be one; `tracklake merge` says that they are';
comment on column duplicate_candidates.athlete is 'Whose';
comment on column duplicate_candidates.first_activity_id is 'activities.id';
comment on column duplicate_candidates.first_source is 'Source of the record that looks like the other one';
comment on column duplicate_candidates.first_source_id is 'Its id there';
comment on column duplicate_candidates.first_name is 'Title there';
comment on column duplicate_candidates.first_sport_type is 'Strava''s vocabulary';
comment on column duplicate_candidates.first_start_date is 'Start, UTC';
comment on column duplicate_candidates.first_distance is 'm';
comment on column duplicate_candidates.first_elapsed_time is 's';
comment on column duplicate_candidates.second_activity_id is 'activities.id';
comment on column duplicate_candidates.second_source is 'Source of the other record';
comment on column duplicate_candidates.second_source_id is 'Its id there';
comment on column duplicate_candidates.second_name is 'Title there';
comment on column duplicate_candidates.second_sport_type is 'Strava''s vocabulary';
comment on column duplicate_candidates.second_start_date is 'Start, UTC';
comment on column duplicate_candidates.second_distance is 'm';
comment on column duplicate_candidates.second_elapsed_time is 's';
comment on column duplicate_candidates.method is 'What makes them look alike: time, track, or a key that they share while nothing else fits';
comment on column duplicate_candidates.confidence is '0 to 1; from 0.8 they would be one';
