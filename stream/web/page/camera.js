/** This device's camera as the source of the stream. */

import { CameraSocket } from "./camera_socket.js";
import { byId, element } from "./element.js";
import { send } from "./webrtc.js";

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const FACING = "facing:";

const REASONS = {
  NotAllowedError: "The browser may not use the camera. Allow it in the browser's settings.",
  NotFoundError: "This device has no camera.",
  NotReadableError: "Another program is using the camera.",
  OverconstrainedError: "That camera is not there.",
};

export class Camera {
  #clock;
  #transport;
  #stream = null;
  #sender = null;
  #turn = 0;
  #awake = null;
  #video = Object.assign(element("video"), { muted: true, playsInline: true });
  #button = byId("camera-switch");
  #choice = byId("camera-choice");
  #error = byId("camera-error");

  /**
   * @param {import("./clock.js").ServerClock} clock
   * @param {() => "websocket" | "webrtc"} transport how pictures travel now
   */
  constructor(clock, transport) {
    this.#clock = clock;
    this.#transport = transport;
    this.#button.addEventListener("click", () => (this.on ? this.stop() : this.start()));
    this.#choice.addEventListener("change", () => this.on && this.start());
  }

  get on() {
    return this.#stream !== null;
  }

  /** How much later than the real capture the server's capture times are, ms. */
  get way() {
    return this.#sender?.way ?? null;
  }

  /** @param {any} web of /api/status; its `camera` is null if the source is another one */
  offer(web) {
    const offered = Boolean(web?.camera);
    byId("camera").hidden = !offered;
    if (!offered && this.on) this.stop();
  }

  async start() {
    this.stop();
    const turn = this.#turn;
    this.#say("");
    if (!navigator.mediaDevices) {
      this.#say("Browsers give cameras to encrypted pages only: start with --tls, open https://.");
      return;
    }
    try {
      const wanted = this.#choice.value;
      const which = wanted.startsWith(FACING)
        ? { facingMode: wanted.slice(FACING.length) }
        : { deviceId: { exact: wanted } };
      const video = { ...SIZE, ...which };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (turn !== this.#turn) {
        end(stream); // Stopped, or another camera chosen, while the browser asked its user.
        return;
      }
      this.#stream = stream;
      await this.#begin();
      await this.#list();
      await this.#stayAwake(turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stop();
      this.#say(REASONS[error.name] ?? error.message);
    }
    this.#mark();
  }

  stop() {
    this.#turn += 1;
    this.#sender?.close();
    this.#sender = null;
    if (this.#stream) end(this.#stream);
    this.#stream = this.#video.srcObject = null;
    this.#awake?.release();
    this.#awake = null;
    this.#mark();
  }

  /** Change how the pictures travel. */
  async resend() {
    if (this.on) await this.start();
  }

  async #begin() {
    this.#stream.getVideoTracks()[0].onended = () => {
      this.stop();
      this.#say("The camera has stopped.");
    };
    const lost = (reason) => {
      this.stop();
      this.#say(reason || "The connection was lost.");
    };
    if (this.#transport() === "webrtc") {
      this.#sender = await send(this.#stream, (state) => state === "lost" && lost(""));
      return;
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#sender = new CameraSocket(this.#video, this.#clock, lost);
  }

  /** A phone that falls asleep is no camera; where that cannot be asked for, its user sees to it. */
  async #stayAwake(turn) {
    const lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    if (turn === this.#turn) this.#awake = lock;
    else lock?.release();
  }

  /** Cameras by name; browsers tell the names once one is in use. */
  async #list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind, label }) => kind === "videoinput" && label);
    for (const option of [...this.#choice.options]) {
      if (!option.value.startsWith(FACING) && !option.selected) option.remove();
    }
    const there = [...this.#choice.options].map(({ value }) => value);
    for (const { deviceId, label } of cameras) {
      if (!there.includes(deviceId)) {
        this.#choice.append(element("option", { value: deviceId, text: label }));
      }
    }
  }

  #mark() {
    this.#button.setAttribute("aria-pressed", String(this.on));
    this.#button.lastElementChild.textContent = this.on
      ? "Stop this device's camera"
      : "Use this device's camera";
  }

  #say(message) {
    this.#error.textContent = message;
    this.#error.hidden = !message;
  }
}

function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}
