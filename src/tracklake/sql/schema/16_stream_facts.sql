-- What is made of an activity's points once, because reading them all takes long; analysis/stream_facts.py, version 1.
create table if not exists stream_facts (
  stream_key BIGINT,
  heartrate_bpm INTEGER[],
  heartrate_time_s DOUBLE[],
  sustained_heartrate_bpm INTEGER,
  power_w INTEGER[],
  power_time_s DOUBLE[],
  power_recorded_s DOUBLE,
  normalized_power_w DOUBLE,
  best_2h_w DOUBLE,
  best_3h_w DOUBLE,
  best_4h_w DOUBLE
);
comment on table stream_facts is 'What is made of an activity''s points once, because reading them all takes long';
comment on column stream_facts.stream_key is 'activity_points.stream_key';
comment on column stream_facts.heartrate_bpm is 'Each heart rate that occurred, beats a minute, ascending';
comment on column stream_facts.heartrate_time_s is 's at each of them: until the next value, at most 30 s';
comment on column stream_facts.sustained_heartrate_bpm is 'The highest heart rate that was reached or exceeded for 30 s in all';
comment on column stream_facts.power_w is 'Each power that occurred, rounded to W, ascending';
comment on column stream_facts.power_time_s is 's at each of them: until the next value, at most 5 s';
comment on column stream_facts.power_recorded_s is 's with a value of power, pauses and gaps left out';
comment on column stream_facts.normalized_power_w is 'W, normalised (Coggan): fourth root of the mean fourth power of the mean over 30 s';
comment on column stream_facts.best_2h_w is 'Best mean power over 2 h, W';
comment on column stream_facts.best_3h_w is 'Best mean power over 3 h, W';
comment on column stream_facts.best_4h_w is 'Best mean power over 4 h, W';
