/** Lists of activities: what lies under a click, or in view. The index is loaded when first needed. */
import { familyOf, sportName } from "./colors.mjs";
import { arrowKeys, byId, element, unfold } from "./panel.mjs";

const AT_ONCE = 200;
const number = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });

/** Metres as people say them. */
export function distanceText(metres) {
  if (metres === null || metres === undefined) return "";
  return metres < 1000 ? `${Math.round(metres)} m`
    : `${(metres / 1000).toFixed(metres < 99_950 ? 1 : 0)} km`;
}

/** Seconds as h:mm:ss. */
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.round(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A local date and time ("2024-05-01T09:00:00") as a date. */
export function dateText(local) {
  const at = new Date(`${local.slice(0, 19)}Z`);
  return Number.isNaN(at.getTime()) ? local : day.format(at);
}

/** What a person calls an activity; one without a name is called by its sport. */
export function nameOf({ name, sport_type: sport }) {
  return name?.trim() || sportName(sport ?? "Activity");
}

/** The index as a map from id to an object of its fields. */
export function readIndex({ fields, activities }) {
  return new Map(Object.entries(activities).map(([id, values]) =>
    [id, Object.fromEntries(fields.map((field, at) => [field, values[at]]))]));
}

/**
 * @param {object} page
 * @param {() => Promise<Map<string, object>>} page.index loads the index once
 * @param {(id: string | null) => void} page.point marks an activity on the map, or none
 * @param {(id: string) => void} page.open
 * @param {() => string} page.theme
 */
export function activityList({ index, point, open, theme }) {
  const section = byId("list");
  const box = section.querySelector("ol");
  const more = section.querySelector(".more");
  let rows = [], asked = 0, back = null;

  function item([id, facts]) {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = familyOf(facts.sport_type)[theme()];
    const button = element("button", { type: "button", "data-id": id, onclick: () => open(id),
      onfocus: () => point(id), onmouseenter: () => point(id), onmouseleave: () => point(null) },
    element("span", { class: "name" }, swatch, nameOf(facts)),
    element("span", { class: "detail" }, [dateText(facts.date), sportName(facts.sport_type),
      distanceText(facts.distance_m), durationText(facts.moving_time_s)].filter(Boolean).join(" · ")));
    return element("li", {}, button);
  }

  function showMore() {
    const from = box.children.length;
    box.append(...rows.slice(from, from + AT_ONCE).map(item));
    more.hidden = box.children.length >= rows.length;
    return box.children[from]?.firstElementChild;
  }

  more.addEventListener("click", () => showMore()?.focus());
  arrowKeys(box, "button");
  box.addEventListener("focusout", () => point(null));

  return {
    /** Is a list shown? */
    get isOpen() {
      return !section.hidden;
    },
    /** Show these activities, newest first; `where` ends the sentence in the title. */
    async show(ids, where) {
      const mine = (asked += 1);
      if (section.hidden) back = document.activeElement;
      const title = byId("list-title");
      section.hidden = false;
      byId("filters").hidden = true;
      unfold();
      title.textContent = "Loading …";
      box.replaceChildren();
      more.hidden = true;
      const known = await index();
      if (mine !== asked) return;
      rows = [...new Set(ids.map(String))].map((id) =>
        [id, known.get(id) ?? { name: `Activity ${id}`, sport_type: "", date: "" }]);
      rows.sort(([one, a], [other, b]) => b.date.localeCompare(a.date) || other - one);
      title.textContent = rows.length
        ? `${number.format(rows.length)} ${rows.length === 1 ? "activity" : "activities"} ${where}`
        : `No activities ${where}`;
      showMore();
      (box.querySelector("button") ?? title).focus();
    },
    /** Put the focus back where it was in the list. */
    focus(id) {
      const button = [...box.querySelectorAll("button")].find((one) => one.dataset.id === id);
      (button ?? byId("list-title")).focus();
    },
    close() {
      asked += 1;
      section.hidden = true;
      byId("filters").hidden = false;
      point(null);
      if (back?.isConnected) back.focus();
    },
    onClose(callback) {
      section.querySelector(".close").addEventListener("click", callback);
    },
  };
}
