/**
 * Reads tiles out of PMTiles files by HTTP ranges. Ranges that are asked for at about the same time
 * are fetched by one request, and small files whole: a view of many years takes few requests.
 */
const HEAD_BYTES = 16_384; // what the library reads first: header and root directory
const WHOLE_BYTES = 65_536; // files up to this are read at once
const GAP_BYTES = 49_152; // more than this between two ranges, and they are two requests
const MOST_BYTES = 786_432;
const WAIT_MS = 8;

const COARSE = 10; // a tile of this zoom is about as large as a city with its surroundings
const FINE = 12;
const SHARE = 0.65; // of what is in that city, so much is in view

/** Whether a file of that size is read by one request. */
export const isReadAtOnce = (bytes) => bytes <= WHOLE_BYTES;

/** A file of the manifest is no longer there. */
export class Gone extends Error {
  constructor(url) {
    super(`${url} is gone`);
    this.name = "Gone";
  }
}

/** A source for `pmtiles.PMTiles` over one file that never changes. */
class Ranges {
  constructor(url, bytes) {
    this.url = url;
    this.bytes = bytes;
    this.head = null;
    this.waiting = [];
  }

  getKey() {
    return this.url;
  }

  /** @returns {Promise<{data: ArrayBuffer}>} */
  async getBytes(offset, length) {
    const headBytes = this.bytes && isReadAtOnce(this.bytes) ? this.bytes : HEAD_BYTES;
    if (offset + length <= headBytes || (offset === 0 && length <= HEAD_BYTES)) {
      this.head ??= this.#fetch(0, headBytes).catch((error) => {
        this.head = null;
        throw error;
      });
      return { data: (await this.head).slice(offset, offset + length) };
    }
    return new Promise((resolve, reject) => {
      if (!this.waiting.length) setTimeout(() => this.#flush(), WAIT_MS);
      this.waiting.push({ offset, end: offset + length, resolve, reject });
    });
  }

  #flush() {
    const asked = this.waiting.sort((a, b) => a.offset - b.offset);
    this.waiting = [];
    const groups = [];
    for (const range of asked) {
      const group = groups.at(-1);
      const near = group && range.offset - group.end <= GAP_BYTES;
      if (near && Math.max(range.end, group.end) - group.offset <= MOST_BYTES) {
        group.ranges.push(range);
        group.end = Math.max(group.end, range.end);
      } else {
        groups.push({ offset: range.offset, end: range.end, ranges: [range] });
      }
    }
    for (const group of groups) {
      this.#fetch(group.offset, group.end - group.offset).then(
        (data) => group.ranges.forEach(({ offset, end, resolve }) =>
          resolve({ data: data.slice(offset - group.offset, end - group.offset) })),
        (error) => group.ranges.forEach(({ reject }) => reject(error)),
      );
    }
  }

  async #fetch(offset, length) {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const answer = await fetch(this.url, { headers: { Range: range } });
    if (answer.status === 404 || answer.status === 410) throw new Gone(this.url);
    if (!answer.ok) throw new Error(`${this.url} answered ${answer.status}`);
    const data = await answer.arrayBuffer();
    // A server that knows no ranges sends the whole file.
    return answer.status === 200 ? data.slice(offset, offset + length) : data;
  }
}

/**
 * Let a map read `tracklake://<key>/{z}/{x}/{y}`.
 * @param {object} maplibregl the library
 * @param {(error: Error, key: string) => void} onFailure called for each tile that cannot be read
 * @returns {{get: (key: string) => object, add: (key: string, url: string, bytes?: number) => object}}
 *   `add` names a file and returns its `PMTiles`; bytes: only of files that never change
 */
export function tileReader(maplibregl, onFailure) {
  const files = new Map();
  maplibregl.addProtocol("tracklake", async ({ url }, abort) => {
    const [key, z, x, y] = url.slice("tracklake://".length).split("/");
    try {
      const tile = await files.get(key).getZxy(Number(z), Number(x), Number(y), abort.signal);
      return { data: tile ? new Uint8Array(tile.data) : new Uint8Array() };
    } catch (error) {
      if (!abort.signal.aborted) onFailure(error, key);
      throw error;
    }
  });
  return {
    get: (key) => files.get(key),
    add(key, url, bytes) {
      if (!files.has(key)) {
        // Only files that we wrote never change under their name; the library minds that of others.
        const source = bytes === undefined ? url : new Ranges(url, bytes);
        files.set(key, new window.pmtiles.PMTiles(source));
      }
      return files.get(key);
    },
  };
}

/**
 * Find where most of the activities are, from the files' directories alone: no tile is loaded.
 * @param {object[]} files `PMTiles` of lines
 * @returns {Promise<number[] | null>} west, south, east, north; null: no telling
 */
export async function findHome(files) {
  const bytes = new Map();
  for (const directory of await Promise.all(files.map(rootDirectory))) {
    for (const { tileId, length, runLength } of directory) {
      const [z, x, y] = window.pmtiles.tileIdToZxy(tileId);
      if (z === FINE && runLength > 0) {
        const key = `${x}/${y}`;
        bytes.set(key, (bytes.get(key) ?? 0) + length);
      }
    }
  }
  return busiest([...bytes].map(([key, size]) => [...key.split("/").map(Number), size]));
}

async function rootDirectory(file) {
  const header = await file.getHeader();
  const { rootDirectoryOffset: offset, rootDirectoryLength: length } = header;
  return file.cache.getDirectory(file.source, offset, length, header);
}

/**
 * The box around the busiest city.
 * @param {[number, number, number][]} tiles x, y and bytes of tiles of the finer zoom
 */
export function busiest(tiles) {
  const cities = new Map();
  const cityOf = ([x, y]) => `${x >> (FINE - COARSE)}/${y >> (FINE - COARSE)}`;
  for (const tile of tiles) cities.set(cityOf(tile), (cities.get(cityOf(tile)) ?? 0) + tile[2]);
  const [city] = [...cities].reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0]);
  const inside = tiles.filter((tile) => cityOf(tile) === city);
  if (!inside.length) return null;
  const heart = inside.reduce((best, one) => (one[2] > best[2] ? one : best));
  // Around the fullest tile, ring by ring, until most of what is near is within.
  const around = 1 << (FINE - COARSE);
  const near = tiles.filter((tile) => rings(tile, heart) <= around);
  const all = near.reduce((sum, tile) => sum + tile[2], 0);
  let radius = 0;
  const within = () => near.filter((tile) => rings(tile, heart) <= radius);
  while (within().reduce((sum, tile) => sum + tile[2], 0) < SHARE * all) radius += 1;
  const xs = within().map(([x]) => x), ys = within().map(([, y]) => y);
  return [longitude(Math.min(...xs)), latitude(Math.max(...ys) + 1),
    longitude(Math.max(...xs) + 1), latitude(Math.min(...ys))];
}

function rings([x, y], [otherX, otherY]) {
  return Math.max(Math.abs(x - otherX), Math.abs(y - otherY));
}

function longitude(x) {
  return (x / 2 ** FINE) * 360 - 180;
}

function latitude(y) {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** FINE))) * 180) / Math.PI;
}
