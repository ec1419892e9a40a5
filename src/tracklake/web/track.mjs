/** What is computed of an opened activity's points: length, measures, colours along the line. Pure. */
import { along, familyOf, ramp } from "./colors.mjs";

const EARTH_M = 6_371_008.8;
const GRADE_OVER_M = 60; // a gradient is told over at least this way
const MOST_STOPS = 1000;

/**
 * Make of an activity's points what can be drawn; points without a position are left out.
 * @param {Record<string, (number | null)[]>} points as the server gives them
 * @returns {null | {coordinates: number[][], length: number[], distance: number[], time: number[],
 *   altitude: (number | null)[], values: Record<string, (number | null)[] | null>}}
 *   length: metres along the drawn line; values: m/s, per cent, beats a minute; null: not known
 */
export function readTrack(points) {
  const at = points.lng.map((lng, i) => i).filter((i) => points.lng[i] !== null && points.lat[i] !== null);
  if (at.length < 2) return null;
  const pick = (name) => at.map((i) => points[name]?.[i] ?? null);
  const coordinates = unwrapped(at.map((i) => [points.lng[i], points.lat[i]]));
  const length = [0];
  for (let i = 1; i < at.length; i += 1) {
    length.push(length[i - 1] + metresBetween(coordinates[i - 1], coordinates[i]));
  }
  const told = pick("distance_m");
  const distance = told.every((value) => value !== null) && told.at(-1) > 0 ? told : length;
  const altitude = pick("altitude_m");
  const known = (values) => (values.some((value) => value !== null) ? values : null);
  return {
    coordinates, length, distance, time: pick("time_s"), altitude: known(altitude),
    values: {
      speed: known(smooth(pick("velocity_mps"), 5)),
      grade: known(smooth(grades(pick("grade_pct"), altitude, distance), 5)),
      heartrate: known(pick("heartrate_bpm")),
    },
  };
}

/** Let longitudes run on beyond 180 degrees instead of jumping to the other side of the map. */
function unwrapped(coordinates) {
  let turn = 0;
  return coordinates.map(([lng, lat], i) => {
    const step = i ? lng - coordinates[i - 1][0] : 0;
    if (step > 180) turn -= 360;
    if (step < -180) turn += 360;
    return [lng + turn, lat];
  });
}

function metresBetween([lng, lat], [toLng, toLat]) {
  const radians = Math.PI / 180;
  const x = (toLng - lng) * radians * Math.cos(((lat + toLat) / 2) * radians);
  return Math.hypot(x, (toLat - lat) * radians) * EARTH_M;
}

/** Gradients where the recording has none: from altitude, over a way that evens out its steps. */
function grades(told, altitude, distance) {
  if (told.some((value) => value !== null)) return told;
  let behind = 0;
  return altitude.map((height, i) => {
    while (behind + 1 < i && distance[i] - distance[behind + 1] >= GRADE_OVER_M) behind += 1;
    const way = distance[i] - distance[behind];
    if (height === null || altitude[behind] === null || way < GRADE_OVER_M / 2) return null;
    return ((height - altitude[behind]) / way) * 100;
  });
}

/** Means over a window of that many points; unknown values are left out of them. */
function smooth(values, window) {
  const half = Math.floor(window / 2);
  return values.map((value, i) => {
    if (value === null) return null;
    const near = values.slice(Math.max(0, i - half), i + half + 1).filter((one) => one !== null);
    return near.reduce((sum, one) => sum + one, 0) / near.length;
  });
}

/**
 * From which to which value the colours run: without the rarest twentieth at both ends; a gradient's
 * are symmetrical, so that the middle colour means level.
 * @returns {[number, number]}
 */
export function valueRange(values, measure) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(0.05), at(0.95)];
  if (measure === "grade") {
    const most = Math.max(3, Math.abs(low), Math.abs(high));
    return [-most, most];
  }
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/**
 * The colours along the line as MapLibre's line-gradient, which goes by length.
 * @param {ReturnType<typeof readTrack>} track @param {string} measure
 */
export function gradient(track, measure, theme) {
  const values = track.values[measure];
  const total = track.length.at(-1);
  if (!values || !total) return plain(theme);
  const [low, high] = valueRange(values, measure);
  const colors = ramp(measure, theme);
  const least = 1 / MOST_STOPS;
  const stops = [];
  let last = -1;
  values.forEach((value, i) => {
    const share = track.length[i] / total;
    if (value === null || (last >= 0 && share - last < least) || share <= last) return;
    last = share;
    stops.push(share, along(colors, (value - low) / (high - low)));
  });
  if (!stops.length) return plain(theme);
  return ["interpolate", ["linear"], ["line-progress"], ...stops];
}

function plain(theme) {
  const color = ramp("speed", theme)[1];
  return ["interpolate", ["linear"], ["line-progress"], 0, color, 1, color];
}

/** The line as MapLibre takes it. */
export function lineData({ coordinates }) {
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}

/** The box of a track: west, south, east, north. */
export function boxOf({ coordinates }) {
  const lngs = coordinates.map(([lng]) => lng), lats = coordinates.map(([, lat]) => lat);
  const least = (values) => values.reduce((a, b) => Math.min(a, b));
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  return [least(lngs), least(lats), most(lngs), most(lats)];
}

/** The number of the point nearest to a distance (ascending distances). */
export function indexAt(distance, metres) {
  let low = 0, high = distance.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (distance[middle] < metres) low = middle + 1;
    else high = middle;
  }
  return low && metres - distance[low - 1] < distance[low] - metres ? low - 1 : low;
}

/** A measure's value as people read it; on foot, a speed is a pace. */
export function valueText(measure, value, sport) {
  if (value === null || value === undefined) return "–";
  if (measure === "grade") return `${value.toFixed(1)} %`;
  if (measure === "heartrate") return `${Math.round(value)} bpm`;
  if (familyOf(sport).name === "On foot" && value > 0.3) {
    const seconds = Math.round(1000 / value);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} /km`;
  }
  return `${(value * 3.6).toFixed(1)} km/h`;
}
