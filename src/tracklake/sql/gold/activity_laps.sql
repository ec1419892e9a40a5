-- Parts marked by device or athlete.
-- columns as in record_laps
create or replace view activity_laps as
select r.activity_id, p.* exclude (record_id)
from record_laps as p
inner join records as r on r.record_id = p.record_id
where list_contains(r.gives, 'laps');
comment on view activity_laps is 'Parts marked by device or athlete';
comment on column activity_laps.activity_id is 'activities.id';
