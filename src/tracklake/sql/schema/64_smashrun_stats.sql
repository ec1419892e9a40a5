-- What SmashRun counts over all runs of an athlete, as it said last.
create table if not exists smashrun_stats (
  athlete VARCHAR,
  run_count DOUBLE,
  total_distance_m DOUBLE,
  average_speed DOUBLE,
  longest_run_m DOUBLE,
  longest_run_on VARCHAR,
  average_run_m DOUBLE,
  longest_streak_days DOUBLE,
  longest_streak_on VARCHAR,
  longest_break_days DOUBLE,
  longest_break_on VARCHAR,
  average_days_run_a_week DOUBLE,
  most_often_run_on_day VARCHAR,
  least_often_run_on_day VARCHAR,
  days_run_am DOUBLE,
  days_run_pm DOUBLE,
  days_run_both DOUBLE,
  ingested_at TIMESTAMPTZ,
  content_hash VARCHAR
);
comment on table smashrun_stats is 'One row an athlete: what SmashRun counts over all runs, as it said last. What the runs here give themselves is in totals and streaks';
comment on column smashrun_stats.athlete is 'Whose';
comment on column smashrun_stats.run_count is 'Runs in all';
comment on column smashrun_stats.total_distance_m is 'm in all';
comment on column smashrun_stats.average_speed is 'm/s';
comment on column smashrun_stats.longest_run_m is 'm';
comment on column smashrun_stats.longest_run_on is 'When, as SmashRun writes it';
comment on column smashrun_stats.average_run_m is 'm';
comment on column smashrun_stats.longest_streak_days is 'Days in a row with a run';
comment on column smashrun_stats.longest_streak_on is 'When, as SmashRun writes it';
comment on column smashrun_stats.longest_break_days is 'Days between two runs';
comment on column smashrun_stats.longest_break_on is 'When, as SmashRun writes it';
comment on column smashrun_stats.average_days_run_a_week is 'Days of a week with a run';
comment on column smashrun_stats.most_often_run_on_day is 'A day of the week';
comment on column smashrun_stats.least_often_run_on_day is 'A day of the week';
comment on column smashrun_stats.days_run_am is 'Days with a run before noon only';
comment on column smashrun_stats.days_run_pm is 'Days with a run after noon only';
comment on column smashrun_stats.days_run_both is 'Days with both';
comment on column smashrun_stats.ingested_at is 'When it landed';
comment on column smashrun_stats.content_hash is 'SHA-256 of what was received';
