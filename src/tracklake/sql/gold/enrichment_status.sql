-- What is known about each activity beyond its list or file, what is still to come, and why not.
create or replace view enrichment_status as
with services as (
  select
    r.activity_id,
    bool_or(r.source = 'strava') as at_strava,
    bool_or(d.record_id is not null) as has_details,
    bool_or(coalesce(r.manual, false)) as is_manual,
    bool_or(t.outcome = 'none') as has_no_streams
  from records as r
  left join record_details as d on d.record_id = r.record_id
  left join record_streams as t on t.record_id = r.record_id
  where r.gone_at is null
  group by r.activity_id
),
weather as (
  select
    c.activity_id,
    any_value(c.obstacle) as obstacle,
    any_value((epoch_us(c.last_hour) - epoch_us(c.first_hour)) // 3600000000 + 1) as hours_needed,
    count(h.hour_utc) as hours_asked,
    count(h.temperature_celsius) as hours_known,
    count(*) filter (where h.is_final) as hours_final
  from activity_cells as c
  left join activity_hours as h on h.activity_id = c.activity_id
  group by c.activity_id
),
reasons as (
  select
    a.id as activity_id,
    a.athlete,
    case
      when coalesce(s.has_details, false) then 'done'
      when not coalesce(s.at_strava, false) then 'impossible: no_service'
      else 'pending: not_fetched'
    end as details,
    case
      when a.point_count > 0 then 'done'
      when coalesce(a.leg_count, 0) > 0 then 'done'
      when coalesce(s.is_manual, false) then 'impossible: manual'
      when coalesce(s.has_no_streams, false) then 'impossible: none_at_source'
      when not coalesce(s.at_strava, false) then 'impossible: no_points_in_file'
      else 'pending: not_fetched'
    end as streams,
    case
      when w.obstacle is not null then 'impossible: ' || w.obstacle
      when w.hours_final < w.hours_needed and w.hours_asked < w.hours_needed
        then 'pending: not_fetched'
      when w.hours_final < w.hours_needed then 'pending: not_final'
      when w.hours_known < w.hours_needed then 'impossible: no_data'
      else 'done'
    end as weather,
    case
      when coalesce(p.country_code, p.end_country_code) is not null then 'done'
      when p.activity_id is not null then 'impossible: no_settlement'
      when a.sport_type in ('VirtualRide', 'VirtualRun', 'VirtualRow') then 'impossible: virtual'
      when e.activity_id is null then 'impossible: no_position'
      else 'pending: not_looked_up'
    end as places
  from activities as a
  left join services as s on s.activity_id = a.id
  left join weather as w on w.activity_id = a.id
  left join activity_places as p on p.activity_id = a.id
  left join (select distinct activity_id from activity_ends) as e on e.activity_id = a.id
)
select
  activity_id,
  athlete,
  split_part(details, ': ', 1) as details,
  nullif(split_part(details, ': ', 2), '') as details_reason,
  split_part(streams, ': ', 1) as streams,
  nullif(split_part(streams, ': ', 2), '') as streams_reason,
  split_part(weather, ': ', 1) as weather,
  nullif(split_part(weather, ': ', 2), '') as weather_reason,
  split_part(places, ': ', 1) as places,
  nullif(split_part(places, ': ', 2), '') as places_reason
from reasons;
comment on view enrichment_status is 'What is known about each activity beyond its list or file, what is still to come, and why not; each done, pending or impossible';
comment on column enrichment_status.activity_id is 'activities.id';
comment on column enrichment_status.athlete is 'Whose';
comment on column enrichment_status.details is 'done, pending, impossible: what Strava says beyond its list';
comment on column enrichment_status.details_reason is 'Why not: no_service (no service has it), not_fetched; NULL: done';
comment on column enrichment_status.streams is 'done, pending, impossible: points';
comment on column enrichment_status.streams_reason is 'Why not: manual, none_at_source, no_points_in_file, not_fetched; NULL: done';
comment on column enrichment_status.weather is 'done, pending, impossible: weather at the start and over it';
comment on column enrichment_status.weather_reason is 'Why not: manual, start_hidden, indoor, no_position, no_start, before_1940, no_data (the service has none), not_fetched, not_final (there is some; it is fetched once more when the archive is complete); NULL: done';
comment on column enrichment_status.places is 'done, pending, impossible: where it started and ended, in words';
comment on column enrichment_status.places_reason is 'Why not: no_position, virtual (a game''s place), no_settlement (at sea, or none within 50 km), not_looked_up; NULL: done';
