/** Saves the map as a PNG picture, with whose data it shows written on it. */
import { dateOf } from "./state.mjs";
import { attributionText } from "./controls.mjs";

/** Draw the map once more and hand its picture to the browser as a download. */
export async function savePicture(page) {
  const blob = await picture(page);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `tracklake-${dateOf(Math.floor(Date.now() / 86_400_000))}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @returns {Promise<Blob>} a PNG of what the map shows, in device pixels */
export function picture(page) {
  const { map } = page;
  return new Promise((resolve, reject) => {
    // The drawing is still there while 'render' is told; afterwards the browser may drop it.
    map.once("render", () => {
      const drawn = map.getCanvas();
      const copy = document.createElement("canvas");
      copy.width = drawn.width;
      copy.height = drawn.height;
      const pen = copy.getContext("2d");
      pen.drawImage(drawn, 0, 0);
      sign(pen, copy, attributionText(page), page.theme);
      copy.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
    });
    map.triggerRepaint();
  });
}

function sign(pen, { width, height }, text, theme) {
  const scale = window.devicePixelRatio || 1;
  pen.font = `${11 * scale}px sans-serif`;
  const room = 5 * scale;
  const wide = pen.measureText(text).width + 2 * room;
  pen.fillStyle = theme === "dark" ? "rgba(10,15,22,0.75)" : "rgba(255,255,255,0.8)";
  pen.fillRect(width - wide, height - 19 * scale, wide, 19 * scale);
  pen.fillStyle = theme === "dark" ? "#d6dde8" : "#333";
  pen.textBaseline = "middle";
  pen.fillText(text, width - wide + room, height - 9.5 * scale);
}
