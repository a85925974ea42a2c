/** Brings the parts of the panel together. */

import { call } from "./api.js";
import { Camera } from "./camera.js";
import { ServerClock } from "./clock.js";
import { byId, element } from "./element.js";
import { Instruments } from "./instruments.js";
import { Look } from "./look.js";
import { Pictures } from "./pictures.js";
import { showPlaces } from "./places.js";
import { listen } from "./shortcuts.js";
import { Sound } from "./sound.js";
import { follow } from "./status.js";
import { tabs } from "./tabs.js";
import { notice, Recording, saveSnapshot } from "./tools.js";
import { Viewer } from "./viewer.js";
import { placeName } from "./words.js";

const POST_MS = 2000;
const FRESH_MS = 3000;

const clock = new ServerClock();
const viewer = new Viewer(() => pictures.choose());
const camera = new Camera(clock, () => pictures.transport);
const pictures = new Pictures(viewer, clock, () => camera.way);
const sound = new Sound(pictures);
const look = new Look();
const instruments = new Instruments();
const recording = new Recording();
let wasAway = false;
let withheld = 0;
let hasSound = false;

function freeze() {
  pictures.frozen = !pictures.frozen;
  byId("frozen").hidden = !pictures.frozen;
  byId("freeze").setAttribute("aria-pressed", String(pictures.frozen));
}

function connection(state, text) {
  const line = byId("link");
  line.dataset.state = state;
  const label = line.lastElementChild;
  if (label.textContent !== text) label.textContent = text;
}

function showStatus(status) {
  if (wasAway) {
    wasAway = false;
    notice("Connected again");
    look.refresh();
  }
  connection("running", "Connected");
  showRun(status);
  camera.offer(status.web);
  hasSound = status.web.sound;
  sound.offer(hasSound);
  instruments.show(status, pictures.latency, pictures.unknown);
  showPlaces(status);
  recording.show(status.recording);
  showHeld(status);
  const fresh = pictures.frozen || performance.now() - pictures.seen < FRESH_MS;
  if (fresh && pictures.seen) viewer.say("");
  else if (!status.source && status.web?.camera) viewer.say("Waiting for a camera", !camera.on);
  else viewer.say(waitingFor(status));
}

/** Why the picture is not the newest one: the gate kept it back, or none came. */
function showHeld({ report }) {
  const kept = (report?.withheld ?? 0) > withheld;
  withheld = report?.withheld ?? 0;
  const badge = byId("held");
  badge.hidden = !kept && !pictures.held;
  badge.textContent = kept ? "Withheld: a face was not replaced" : "No signal";
}

function waitingFor({ source }) {
  if (!source) return "Waiting for the source";
  if (pictures.state !== "lost") return "Waiting for a picture";
  return pictures.reason || "The picture was lost, trying again";
}

function showRun({ source, model, device, mode }) {
  const size = source ? `${source.width} × ${source.height}` : "";
  const rest = [size, model && device ? `${model} on ${device}` : "", mode].filter(Boolean);
  const line = byId("run");
  const name = source ? placeName(source.url) : "";
  const text = rest.join("  ·  ");
  if (line.textContent === name + text) return;
  line.replaceChildren(element("b", { text: name }), element("span", { text }));
}

function away(state, text, veil) {
  wasAway = true;
  connection(state, text);
  viewer.say(veil);
  instruments.gap();
}

viewer.view = "split";
pictures.transport = "websocket";
for (const input of byId("transports").querySelectorAll("input")) {
  input.addEventListener("change", () => {
    pictures.transport = input.value;
    sound.offer(hasSound);
    camera.resend();
  });
}
byId("veil-camera").addEventListener("click", () => camera.start());
byId("freeze").addEventListener("click", freeze);
byId("snapshot").addEventListener("click", () => saveSnapshot(pictures.frozen ? pictures.still() : null));

listen([
  { keys: [" "], label: "Freeze the picture, or let it go on", down: freeze },
  { keys: ["s"], label: "Result, split, side by side in turn", down: () => viewer.next() },
  {
    keys: ["o"],
    label: "Show the original while held",
    down: () => (viewer.peeking = true),
    up: () => (viewer.peeking = false),
  },
  { keys: ["r"], label: "Start or stop recording", down: () => recording.toggle() },
  { keys: ["m"], label: "Sound on or off, by WebRTC", down: () => sound.toggle() },
  { keys: ["f"], label: "Full screen", down: () => viewer.toggleFullscreen() },
  { keys: ["+", "="], label: "More opacity", down: () => look.nudge("opacity", 0.05), repeat: true },
  { keys: ["-"], label: "Less opacity", down: () => look.nudge("opacity", -0.05), repeat: true },
]);
tabs();
look.refresh();

setInterval(() => {
  const latency = pictures.latency;
  // Lost with the server, if that is away: the next one comes in two seconds.
  if (latency && !document.hidden) call("/api/latency", { method: "POST", body: latency }).catch(() => {});
}, POST_MS);

follow({
  status: showStatus,
  noAccess: () =>
    away("failed", "No access", "No access: open the address that the program printed when it started"),
  away: () => away("lost", "Connecting again", "The connection was lost, trying again"),
});
