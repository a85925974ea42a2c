/** Pictures over a WebSocket: two on their way at most, reconnecting by itself. */

import { socketUrl } from "./api.js";

const HEADER_BYTES = 24;
const HAS_ORIGINAL = 1;
const IS_HELD = 2;
const FIRST_PINGS = 6;
const FIRST_PING_MS = 150;
const PING_MS = 2000;
const RETRY_MS = { least: 300, most: 4000 };

/**
 * A picture as it came.
 * @typedef {object} Picture
 * @property {number} seq
 * @property {boolean} held repeated, because no new one came
 * @property {number} captured server's clock, ms
 * @property {number} arrived `performance.now()`
 * @property {ImageBitmap} result
 * @property {ImageBitmap | null} original
 * @property {() => void} done to be called once, when it was shown or left out
 */

export class PictureSocket {
  #socket = null;
  #retries = 0;
  #timer = 0;
  #pings = 0;
  #original;
  #closed = false;

  /**
   * Connects at once.
   * @param {object} how
   * @param {boolean} how.original ask for the picture as captured, too
   * @param {boolean} how.pictures false: for the clock only; without acknowledgments, the server
   *   sends nothing after the first two
   * @param {import("./clock.js").ServerClock} how.clock learns from this socket
   * @param {(picture: Picture) => void} how.onPicture
   * @param {(state: "connecting" | "running" | "lost", reason?: string) => void} how.onState
   */
  constructor({ original, pictures, clock, onPicture, onState }) {
    this.#original = original;
    this.pictures = pictures;
    this.clock = clock;
    this.onPicture = onPicture;
    this.onState = onState;
    onState("connecting");
    this.#connect();
  }

  /** Ask for the original, or no longer. */
  set original(wanted) {
    if (wanted === this.#original) return;
    this.#original = wanted;
    this.#leave();
    this.#connect();
  }

  close() {
    this.#closed = true;
    this.#leave();
  }

  #connect() {
    const socket = new WebSocket(socketUrl(`/ws/view?original=${this.#original ? 1 : 0}`));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#retries = 0;
      this.#pings = 0;
      this.clock.forget();
      this.#ping(socket);
      this.onState("running");
    };
    socket.onmessage = ({ data }) =>
      typeof data === "string" ? this.#answer(JSON.parse(data)) : this.#receive(socket, data);
    socket.onclose = ({ reason }) => this.#lost(reason);
    this.#socket = socket;
  }

  #leave() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null;
    this.#socket.close();
    this.#socket = null;
  }

  #lost(reason) {
    this.#leave();
    if (this.#closed) return;
    this.onState("lost", reason);
    const wait = Math.min(RETRY_MS.least * 2 ** this.#retries++, RETRY_MS.most);
    // Panels that lost the same server do not come back at the same moment.
    this.#timer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #ping(socket) {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ ping: performance.now() }));
    this.#pings += 1;
    const pause = this.#pings < FIRST_PINGS ? FIRST_PING_MS : PING_MS;
    this.#timer = setTimeout(() => this.#ping(socket), pause);
  }

  #answer({ pong, now }) {
    if (pong !== undefined) this.clock.learn(pong, performance.now(), now);
  }

  async #receive(socket, data) {
    if (!this.pictures) return;
    const arrived = performance.now();
    const header = new DataView(data, 0, HEADER_BYTES);
    const flags = header.getUint32(4, true);
    const split = HEADER_BYTES + header.getUint32(16, true);
    const done = () => socket.readyState === WebSocket.OPEN && socket.send("ack");
    try {
      const [result, original] = await Promise.all([
        decoded(data, HEADER_BYTES, split),
        flags & HAS_ORIGINAL ? decoded(data, split, split + header.getUint32(20, true)) : null,
      ]);
      const seq = header.getUint32(0, true);
      const captured = header.getFloat64(8, true);
      const held = (flags & IS_HELD) !== 0;
      this.onPicture({ seq, held, captured, arrived, result, original, done });
    } catch {
      done(); // A picture that cannot be decoded is left out, the next one comes.
    }
  }
}

function decoded(data, begin, end) {
  return createImageBitmap(new Blob([new Uint8Array(data, begin, end - begin)], { type: "image/jpeg" }));
}
