/** Sends a camera's pictures as JPEG over a WebSocket: the newest, two on their way at most. */

import { socketUrl } from "./api.js";

const IN_FLIGHT = 2;
const QUALITY = 0.8;
const TIME_BYTES = 8;
const RETRY_MS = 1000;
const POLICY = 1008;
const REPLACED = 4001;
const KEPT = 60;

export class CameraSocket {
  #video;
  #clock;
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false });
  #socket = null;
  #sent = [];
  #ways = [];
  #encoding = false;
  #timer = 0;

  /**
   * @param {HTMLVideoElement} video plays the camera
   * @param {import("./clock.js").ServerClock} clock
   * @param {(reason: string) => void} onRefused the server takes no more pictures from here
   */
  constructor(video, clock, onRefused) {
    this.#video = video;
    this.#clock = clock;
    this.onRefused = onRefused;
    this.#connect();
    this.#watch();
  }

  /**
   * The least time of late from capture to the server, ms; null while unknown. The server's
   * capture times of this camera are later than the real ones by it.
   */
  get way() {
    return this.#ways.length ? Math.min(...this.#ways) : null;
  }

  close() {
    clearTimeout(this.#timer);
    if (this.#socket) this.#socket.onclose = null;
    this.#socket?.close();
    this.#socket = null;
    this.#video.cancelVideoFrameCallback(this.watching);
  }

  #connect() {
    const socket = new WebSocket(socketUrl("/ws/camera"));
    this.#sent = [];
    socket.onmessage = () => this.#arrived();
    socket.onclose = ({ code, reason }) => {
      if (code === POLICY || code === REPLACED) {
        this.close();
        this.onRefused(reason);
      } else {
        this.#timer = setTimeout(() => this.#connect(), RETRY_MS);
      }
    };
    this.#socket = socket;
  }

  #arrived() {
    const captured = this.#sent.shift();
    if (captured === undefined || !this.#clock.known) return;
    this.#ways.push(performance.now() - captured - this.#clock.trip / 2);
    if (this.#ways.length > KEPT) this.#ways.shift();
  }

  #watch() {
    this.watching = this.#video.requestVideoFrameCallback((now, { captureTime }) => {
      this.#watch();
      this.#send(captureTime ?? now);
    });
  }

  async #send(captured) {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN || this.#encoding) return;
    if (this.#sent.length >= IN_FLIGHT) return;
    this.#encoding = true;
    try {
      const jpeg = await this.#jpeg();
      if (!jpeg || socket.readyState !== WebSocket.OPEN) return;
      const message = new Uint8Array(TIME_BYTES + jpeg.byteLength);
      new DataView(message.buffer).setFloat64(0, captured, true);
      message.set(new Uint8Array(jpeg), TIME_BYTES);
      socket.send(message);
      this.#sent.push(captured);
    } finally {
      this.#encoding = false;
    }
  }

  async #jpeg() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return null;
    if (this.#canvas.width !== videoWidth) this.#canvas.width = videoWidth;
    if (this.#canvas.height !== videoHeight) this.#canvas.height = videoHeight;
    this.#context.drawImage(this.#video, 0, 0);
    const blob = await new Promise((take) => this.#canvas.toBlob(take, "image/jpeg", QUALITY));
    return blob?.arrayBuffer();
  }
}
