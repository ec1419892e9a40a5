-- Which family of sports each sport type belongs to; the one place for that rule in gold.
create table if not exists sport_families (
  sport_type VARCHAR,
  sport_family VARCHAR,
  is_motorised BOOLEAN
);
comment on table sport_families is 'Which family of sports each sport type belongs to';
comment on column sport_families.sport_type is 'As in activities';
comment on column sport_families.sport_family is 'run, walk, ride, swim, winter, water, other; a type that is not listed here is other';
comment on column sport_families.is_motorised is 'A motor helps: it counts in totals and streaks, but sets no records';

-- As family() in sports.py, with what goes on foot divided into run and walk; a test compares them.
insert into sport_families
select unnest(sport_types) as sport_type, sport_family, sport_type in ('EBikeRide', 'EMountainBikeRide')
from (values
  ('run', [
    'Run', 'TrailRun', 'VirtualRun'
  ]),
  ('walk', [
    'Hike', 'Walk'
  ]),
  ('ride', [
    'EBikeRide', 'EMountainBikeRide', 'GravelRide', 'Handcycle', 'MountainBikeRide', 'Ride',
    'Velomobile', 'VirtualRide'
  ]),
  ('swim', [
    'Swim'
  ]),
  ('winter', [
    'AlpineSki', 'BackcountrySki', 'IceSkate', 'NordicSki', 'Snowboard', 'Snowshoe'
  ]),
  ('water', [
    'Canoeing', 'Kayaking', 'Kitesurf', 'Rowing', 'Sail', 'StandUpPaddling', 'Surfing',
    'VirtualRow', 'Windsurf'
  ]),
  ('other', [
    'Badminton', 'Basketball', 'Cricket', 'Crossfit', 'Dance', 'Elliptical', 'Golf',
    'HighIntensityIntervalTraining', 'InlineSkate', 'Padel', 'PhysicalTherapy', 'Pickleball',
    'Pilates', 'Racquetball', 'RockClimbing', 'RollerSki', 'Skateboard', 'Soccer', 'Squash',
    'StairStepper', 'TableTennis', 'Tennis', 'Volleyball', 'WeightTraining', 'Wheelchair',
    'Workout', 'Yoga', 'Multisport', 'Transition'
  ])
) as families (sport_family, sport_types);
