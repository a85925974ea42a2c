/** The live picture: how it comes, and how old it is when it is seen. */

import { byId } from "./element.js";
import { LatencyMeter } from "./latency.js";
import { PictureSocket } from "./picture_socket.js";
import { Screen } from "./screen.js";
import { ageOf, StampReader } from "./stamp.js";
import { watch } from "./webrtc.js";

const RETRY_MS = 2000;
const OLDEST_MS = 60_000;

/** Without a stamp for so many pictures, only each such one is searched for one. */
const STAMP_RARE = 30;

/**
 * `seen` is when a picture was shown last, `performance.now()`; `held` whether it was an earlier
 * one again, or a slate.
 */
export class Pictures {
  #viewer;
  #clock;
  #way;
  #screen;
  #socket = null;
  #peer = null;
  #transport = "";
  #sound = false;
  #retry = 0;
  #video = byId("result-video");
  #frameRequest = 0;
  #canvas = byId("result-canvas");
  #stamps = new StampReader();
  #sinceStamp = STAMP_RARE;
  #latency = new LatencyMeter();
  #state = "connecting";
  #reason = "";

  /**
   * @param {import("./viewer.js").Viewer} viewer
   * @param {import("./clock.js").ServerClock} clock
   * @param {() => number | null} way what to add for this device's own camera, ms
   */
  constructor(viewer, clock, way) {
    this.#viewer = viewer;
    this.#clock = clock;
    this.#way = way;
    this.#screen = new Screen(this.#canvas, byId("original-canvas"), (picture, shown) =>
      this.#seen(picture, shown),
    );
    this.seen = 0;
    this.held = false;
  }

  get transport() {
    return this.#transport;
  }

  /** "websocket" or "webrtc". */
  set transport(transport) {
    if (transport === this.#transport) return;
    this.#transport = transport;
    this.#leave();
    this.#latency.clear();
    const webrtc = transport === "webrtc";
    this.#video.hidden = !webrtc;
    this.#canvas.hidden = webrtc;
    this.#viewer.originalOffered = !webrtc;
    this.#socket = this.#open(!webrtc);
    if (webrtc) this.#join();
  }

  get sound() {
    return this.#sound;
  }

  /**
   * Whether WebRTC brings sound. Pictures wait for theirs, so silence is a connection without it
   * and not a muted one.
   */
  set sound(on) {
    this.#sound = on;
    this.#video.muted = !on;
    if (!this.#peer) return; // The next connection follows the wish.
    this.#leavePeer();
    this.#join();
  }

  /** "connecting", "running" or "lost". */
  get state() {
    return this.#state;
  }

  /** Why it was lost, as far as the server said. */
  get reason() {
    return this.#reason;
  }

  /** How old pictures are when they are seen; null while that is not known. */
  get latency() {
    return this.#latency.summary();
  }

  /** Why it is not known, in a few words. */
  get unknown() {
    return this.#transport === "webrtc" ? "needs --stamp" : "";
  }

  get frozen() {
    return this.#screen.frozen;
  }

  set frozen(frozen) {
    this.#screen.frozen = frozen;
    if (this.#transport !== "webrtc") return;
    if (frozen) this.#video.pause();
    else this.#video.play();
  }

  /** Follow the viewer's wish for the original. */
  choose() {
    if (this.#transport === "websocket") this.#socket.original = this.#viewer.wantsOriginal;
  }

  /** A canvas with the picture that is seen. */
  still() {
    if (this.#transport !== "webrtc") return this.#canvas;
    this.#canvas.width = this.#video.videoWidth;
    this.#canvas.height = this.#video.videoHeight;
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0);
    return this.#canvas;
  }

  #open(pictures) {
    return new PictureSocket({
      original: pictures && this.#viewer.wantsOriginal,
      pictures,
      clock: this.#clock,
      onPicture: (picture) => this.#screen.show(picture),
      onState: (state, reason = "") => {
        if (pictures) [this.#state, this.#reason] = [state, reason];
      },
    });
  }

  #leave() {
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#leavePeer();
  }

  #leavePeer() {
    this.#peer?.close();
    this.#peer = null;
  }

  async #join() {
    this.#state = "connecting";
    const sound = this.#sound;
    try {
      const peer = await watch(this.#video, sound, (state) => {
        this.#state = state;
        if (state === "lost") this.#again();
      });
      if (this.#transport !== "webrtc") peer.close();
      else this.#peer = peer;
      this.#request();
      if (this.#sound !== sound) this.sound = this.#sound; // Another wish meanwhile.
    } catch {
      this.#again();
    }
  }

  #again() {
    clearTimeout(this.#retry);
    this.#leavePeer();
    this.#state = "lost";
    this.#retry = setTimeout(() => this.#transport === "webrtc" && this.#join(), RETRY_MS);
  }

  /** A picture of the WebSocket is on the screen. */
  #seen({ captured, held, original }, shown) {
    this.seen = shown;
    this.#viewer.originalThere = original !== null;
    this.held = held;
    this.#viewer.fit(this.#canvas.width, this.#canvas.height);
    if (held || !this.#clock.known) return;
    const stamp = this.#stamp(this.#canvas, this.#canvas.width, this.#canvas.height);
    const now = this.#clock.at(shown);
    const age = stamp === null ? now - captured : ageOf(stamp, now);
    this.#add(age, shown);
  }

  /** A picture of WebRTC is on the screen. */
  #frame(now, { width, height, expectedDisplayTime }) {
    if (this.#transport !== "webrtc") return;
    this.seen = now;
    this.#viewer.fit(width, height);
    const stamp = this.#stamp(this.#video, width, height);
    if (stamp !== null && this.#clock.known) {
      this.#add(ageOf(stamp, this.#clock.at(expectedDisplayTime)), now);
    }
    this.#request();
  }

  #request() {
    this.#video.cancelVideoFrameCallback(this.#frameRequest);
    const seen = (now, frame) => this.#frame(now, frame);
    this.#frameRequest = this.#video.requestVideoFrameCallback(seen);
  }

  #stamp(picture, width, height) {
    this.#sinceStamp += 1;
    if (this.#sinceStamp > STAMP_RARE && this.#sinceStamp % STAMP_RARE) return null;
    const stamp = this.#stamps.read(picture, width, height);
    if (stamp !== null) this.#sinceStamp = 0;
    return stamp;
  }

  #add(age, shown) {
    // A stamp of another machine's clock tells nothing here.
    if (Math.abs(age) < OLDEST_MS) this.#latency.add(age + (this.#way() ?? 0), shown);
  }
}
