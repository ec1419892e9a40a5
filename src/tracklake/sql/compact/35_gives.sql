-- What each record gives to its activity, of all that is offered for it.
-- Laps, splits and efforts: the file's before the service's; a service's own list of distance
-- efforts before what was computed from its points. Points and geometry: those with positions; of
-- these, those that are nearly complete (at least 0.9 times the most points); then the file's.
-- A track read from a list's polyline only (points: none) is the last choice.
create or replace temp table ordered_records as
select
  activity_id, record_id, offers, has_track, point_count,
  row_number() over (
    partition by activity_id
    order by (case
      when starts_with(source_id, 'strava-export/') then 2
      when source = 'files' then 0
      else 1
    end), record_id
  ) as measuring_order,
  row_number() over (
    partition by activity_id
    order by (case
      when source <> 'files' then 0
      when starts_with(source_id, 'strava-export/') then 1
      else 2
    end), record_id
  ) as describing_order
from records
where activity_id in (select id from affected) and gone_at is null;

create or replace temp table taken as
with offered as (
  select
    activity_id, record_id, measuring_order, unnest(offers) as offer, has_track,
    coalesce(point_count, 0) as points
  from ordered_records
  union all
  select r.activity_id, r.record_id, r.measuring_order, unnest(d.offers), false, 0
  from ordered_records as r
  inner join record_details as d on d.record_id = r.record_id
  union all
  select r.activity_id, r.record_id, r.measuring_order, unnest(t.offers), t.has_track, t.point_count
  from ordered_records as r
  inner join record_streams as t on t.record_id = r.record_id
  union all
  select r.activity_id, r.record_id, r.measuring_order, 'zones', false, 0
  from ordered_records as r
  inner join record_zones as z on z.record_id = r.record_id
),
ranked as (
  select
    *,
    case when offer in ('streams', 'track') then has_track end as located,
    case when offer in ('streams', 'track') then
      10 * points >= 9 * max(points) over (partition by activity_id, split_part(offer, '/', 1))
    end as complete,
    case when offer in ('streams', 'track') then points > 0 end as recorded
  from offered
)
select activity_id, record_id, offer
from ranked
qualify row_number() over (
  partition by activity_id, split_part(offer, '/', 1)
  order by located desc nulls last, complete desc nulls last, recorded desc nulls last,
    measuring_order, offer desc, record_id
) = 1;

update records
set gives = g.gives
from (
  select r.record_id, coalesce(t.gives, []) as gives
  from records as r
  left join (
    select record_id, list_sort(list(distinct offer)) as gives from taken group by record_id
  ) as t on t.record_id = r.record_id
  where r.activity_id in (select id from affected)
) as g
where g.record_id = records.record_id and records.gives is distinct from g.gives;
