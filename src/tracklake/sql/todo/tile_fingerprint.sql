-- A fingerprint of all that is drawn: equal as long as nothing of it changed. A track's key is new
-- with each landing, so it stands for the geometry, which need not be read.
select
    count(*),
    bit_xor(facts),
    cast(sum(cast(facts as hugeint)) as varchar)
from (
    select
        hash(
            a.id, a.start_date, a.sport_type, a.start_date_local, a.name, a.distance, a.moving_time,
            a.start_lng, a.start_lat, a.leg_count, p.track_key
        ) as facts
    from activities as a
    left join activity_points as p on p.activity_id = a.id
)
