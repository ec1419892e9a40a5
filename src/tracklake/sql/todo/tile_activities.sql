-- Every activity that has a place on the map, without its geometry, oldest first.
-- The year is that of start_date in UTC, whatever the session's time zone.
select
    a.id,
    year(make_timestamp(epoch_us(a.start_date))) as start_year,
    coalesce(a.sport_type, 'Workout') as sport,
    cast(a.start_date_local as date) - date '1970-01-01' as start_day,
    a.start_date_local,
    a.name,
    a.distance,
    a.moving_time,
    case when a.start_lng between -180 and 180 and a.start_lat between -90 and 90
        then a.start_lng end as start_lng,
    case when a.start_lng between -180 and 180 and a.start_lat between -90 and 90
        then a.start_lat end as start_lat,
    t.track_hash
from activities as a
left join activity_tracks as t on t.activity_id = a.id
where
    t.activity_id is not null
    or (
        -- the legs of a multisport outing stand for it
        coalesce(a.leg_count, 0) = 0
        and a.start_lng between -180 and 180
        and a.start_lat between -90 and 90
    )
order by a.start_date, a.id
