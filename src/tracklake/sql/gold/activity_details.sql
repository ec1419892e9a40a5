-- What a service says of an activity beyond its list.
-- columns as in record_details
create or replace view activity_details as
select
  r.activity_id, d.* exclude (record_id, offers, ingested_at, content_hash)
  replace (
    case  -- kudos come and go: the newer word counts, the list's or this one
      when d.ingested_at >= r.ingested_at then coalesce(d.kudos_count, r.kudos_count)
      else coalesce(r.kudos_count, d.kudos_count)
    end as kudos_count
  ),
  d.ingested_at as fetched_at
from record_details as d
inner join records as r on r.record_id = d.record_id
where list_contains(r.gives, 'details');
comment on view activity_details is 'What a service says of an activity beyond its list';
comment on column activity_details.activity_id is 'activities.id';
comment on column activity_details.fetched_at is 'UTC';
