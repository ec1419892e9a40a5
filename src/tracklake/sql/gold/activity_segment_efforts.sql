-- Efforts on segments (named stretches).
-- columns as in record_segment_efforts
create or replace view activity_segment_efforts as
select p.effort_id, r.activity_id, p.segment_id, p.* exclude (record_id, effort_id, segment_id)
from record_segment_efforts as p
inner join records as r on r.record_id = p.record_id
where list_contains(r.gives, 'segment_efforts');
comment on view activity_segment_efforts is 'Efforts on segments (named stretches)';
comment on column activity_segment_efforts.activity_id is 'activities.id';
