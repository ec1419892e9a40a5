-- Mile by mile (1,609.344 m).
-- columns as in record_splits_standard
create or replace view activity_splits_standard as
select r.activity_id, p.* exclude (record_id)
from record_splits_standard as p
inner join records as r on r.record_id = p.record_id
where list_contains(r.gives, 'splits_standard');
comment on view activity_splits_standard is 'Mile by mile (1,609.344 m)';
comment on column activity_splits_standard.activity_id is 'activities.id';
