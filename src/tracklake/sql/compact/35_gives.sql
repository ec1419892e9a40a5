-- What each record gives to its activity, of all that is offered for it. Whose measurements and whose
-- words come first: docs/formulas.md.
-- Laps, splits and efforts: by the order of measurements; a service's own list of distance efforts
-- before what was computed from its points. Points and geometry: those with positions; of these,
-- those that are nearly complete (at least 0.9 times the most points); then by that order.
-- What is said beyond a list: by the order of words.
-- A track read from a list's polyline only (points: none) is the last choice.
create or replace temp table ordered_records as
with ranked as (
  select
    r.activity_id, r.record_id, r.source, r.offers, r.has_track, r.point_count,
    list_contains(getvariable('kept_apart'), r.source) as is_apart,
    starts_with(r.source_id, 'strava-export/') and r.source = 'files' as is_export,
    case
      when is_export then 7
      when r.source = 'files' then 0
      when r.source = 'garmin' then 1
      when r.source = 'intervals' and t.file_sha256 is not null then 2
      when r.source = 'strava' then 3
      when r.source = 'intervals' then 4
      when r.source = 'smashrun' then 5
      else 6
    end as measuring_rank,
    case
      when is_export then 1
      when r.source = 'strava' then 0
      when r.source = 'garmin' then 2
      when r.source = 'intervals' then 3
      when r.source = 'smashrun' then 4
      when r.source = 'files' then 6
      else 5
    end as describing_rank
  from records as r
  left join record_streams as t on t.record_id = r.record_id
  where r.activity_id in (select id from affected) and r.gone_at is null and not r.is_stub
),
-- A source that may not be combined gives only where no other has the activity.
givers as (
  select *
  from ranked
  qualify not is_apart or (
    bool_and(is_apart) over (partition by activity_id)
    and source = first_value(source)
      over (partition by activity_id order by measuring_rank, record_id)
  )
)
select
  activity_id, record_id, offers, has_track, point_count,
  row_number() over (partition by activity_id order by measuring_rank, record_id)
    as measuring_order,
  row_number() over (partition by activity_id order by describing_rank, record_id)
    as describing_order
from givers;

create or replace temp table taken as
with offered as (
  select
    activity_id, record_id, measuring_order, describing_order, unnest(offers) as offer, has_track,
    coalesce(point_count, 0) as points
  from ordered_records
  union all
  select
    r.activity_id, r.record_id, r.measuring_order, r.describing_order, unnest(d.offers), false, 0
  from ordered_records as r
  inner join record_details as d on d.record_id = r.record_id
  union all
  select
    r.activity_id, r.record_id, r.measuring_order, r.describing_order, unnest(t.offers),
    t.has_track, t.point_count
  from ordered_records as r
  inner join record_streams as t on t.record_id = r.record_id
  union all
  select r.activity_id, r.record_id, r.measuring_order, r.describing_order, 'zones', false, 0
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
    case when offer = 'details' then describing_order else measuring_order end,
    offer desc, record_id
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
