-- Whose activities these are.
create table if not exists athletes (
  athlete VARCHAR,
  activity_count BIGINT,
  first_activity_at TIMESTAMPTZ,
  last_activity_at TIMESTAMPTZ
);
comment on table athletes is 'Whose activities these are';
comment on column athletes.athlete is 'Name in settings and folders';
comment on column athletes.activity_count is 'Activities, legs not counted';
comment on column athletes.first_activity_at is 'Start of the first';
comment on column athletes.last_activity_at is 'Start of the last';
