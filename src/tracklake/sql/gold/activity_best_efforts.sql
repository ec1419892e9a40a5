-- Fastest over a distance and best mean power over a duration, within each activity.
-- columns as in record_best_efforts
create or replace view activity_best_efforts as
select r.activity_id, p.* exclude (record_id)
from record_best_efforts as p
inner join records as r on r.record_id = p.record_id
where list_contains(r.gives, p.kind || '/' || p.origin);
comment on view activity_best_efforts is 'Fastest over a distance and best mean power over a duration, within each activity';
comment on column activity_best_efforts.activity_id is 'activities.id';
