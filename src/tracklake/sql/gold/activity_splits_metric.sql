-- Kilometre by kilometre.
-- columns as in record_splits_metric
create or replace view activity_splits_metric as
select r.activity_id, p.* exclude (record_id)
from record_splits_metric as p
inner join records as r on r.record_id = p.record_id
where list_contains(r.gives, 'splits_metric');
comment on view activity_splits_metric is 'Kilometre by kilometre';
comment on column activity_splits_metric.activity_id is 'activities.id';
