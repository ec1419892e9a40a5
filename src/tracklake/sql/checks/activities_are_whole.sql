-- An activity without what every activity has.
select id from activities where start_date is null or athlete is null or primary_source is null
