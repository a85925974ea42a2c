/** The switch for sound: there while WebRTC shows a source that has any. */

import { byId } from "./element.js";

export class Sound {
  #button = byId("sound");
  #pictures;

  /** @param {import("./pictures.js").Pictures} pictures */
  constructor(pictures) {
    this.#pictures = pictures;
    this.#button.addEventListener("click", () => this.toggle());
  }

  /** @param {boolean} offered whether the server has sound */
  offer(offered) {
    this.#button.hidden = !offered || this.#pictures.transport !== "webrtc";
  }

  toggle() {
    if (this.#button.hidden) return;
    const on = !this.#pictures.sound;
    this.#pictures.sound = on;
    this.#button.setAttribute("aria-pressed", String(on));
    const drawing = on ? "sound" : "muted";
    this.#button.querySelector("use").setAttribute("href", `/static/icons.svg#${drawing}`);
  }
}
