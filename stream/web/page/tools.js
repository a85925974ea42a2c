/** Freeze, record and save pictures. */

import { call } from "./api.js";
import { byId, element } from "./element.js";

const NOTICE_MS = 5000;
const OFFER_MS = 20_000;

let hiding = 0;

/**
 * Say something for a while.
 * @param {string} text
 * @param {...Node} links what can be done about it; such a notice stays longer
 */
export function notice(text, ...links) {
  const line = byId("notice");
  line.replaceChildren(text, ...links);
  line.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (line.hidden = true), links.length ? OFFER_MS : NOTICE_MS);
}

/** Starts and stops recordings, and shows how long one is. */
export class Recording {
  #button = byId("record");
  #busy = false;

  constructor() {
    this.#button.addEventListener("click", () => this.toggle());
  }

  async toggle() {
    if (this.#busy) return;
    this.#busy = true;
    const on = this.#button.getAttribute("aria-pressed") !== "true";
    try {
      const made = await call("/api/recording", { method: "POST", body: { on } });
      if (on) notice(`Recording ${made.name}`);
      else {
        const link = element("a", { href: made.download, download: made.name, text: "Download" });
        notice(`Saved ${made.name} in ${made.folder} on the server. `, link);
      }
      this.#show(on ? 0 : null);
    } catch (error) {
      notice(`Recording: ${error.message}`);
    } finally {
      this.#busy = false;
    }
  }

  /** @param {{name: string, seconds: number} | null} recording of /api/status */
  show(recording) {
    if (!this.#busy) this.#show(recording ? recording.seconds : null);
  }

  #show(seconds) {
    const on = seconds !== null;
    this.#button.setAttribute("aria-pressed", String(on));
    this.#button.lastElementChild.textContent = on ? "Stop" : "Record";
    const badge = byId("recording");
    badge.hidden = !on;
    if (on) badge.lastElementChild.textContent = clockText(seconds);
  }
}

/**
 * Save the picture that is seen: the very one while frozen, else the newest of the server.
 * @param {HTMLCanvasElement | null} frozen
 */
export async function saveSnapshot(frozen) {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  if (frozen) {
    frozen.toBlob((blob) => download(URL.createObjectURL(blob), `facestream-${stamp}.png`));
    return;
  }
  try {
    const response = await fetch("/api/snapshot.jpg", { cache: "no-store" });
    if (!response.ok) throw new Error((await response.json()).error);
    download(URL.createObjectURL(await response.blob()), `facestream-${stamp}.jpg`);
  } catch (error) {
    notice(`Snapshot: ${error.message}`);
  }
}

function download(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then, and keeps its data.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function clockText(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
