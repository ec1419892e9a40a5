-- Time in zones, as the service reports it.
-- columns as in record_zones
create or replace view activity_zones as
select r.activity_id, unnest(z.zones, recursive := true)
from record_zones as z
inner join records as r on r.record_id = z.record_id
where list_contains(r.gives, 'zones');
comment on view activity_zones is 'Time in zones, as the service reports it';
comment on column activity_zones.activity_id is 'activities.id';
comment on column activity_zones.zone_type is 'heartrate, pace, power';
comment on column activity_zones.zone_index is 'From 1';
comment on column activity_zones.zone_min is 'Beats a minute, m/s or W';
comment on column activity_zones.zone_max is 'Beats a minute, m/s or W; NULL: no upper end';
comment on column activity_zones.time_s is 's';
comment on column activity_zones.sensor_based is 'Measured by a sensor';
comment on column activity_zones.custom_zones is 'The athlete set the zones';
