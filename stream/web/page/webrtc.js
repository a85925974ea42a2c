/** Pictures by WebRTC, in either direction; one offer, one answer, then media. */

import { call } from "./api.js";

const GATHERING_MS = 2000;

/** Sound is kept so long by browsers at least; pictures that wait from the start are in step sooner. */
const SOUND_MS = 60;

/**
 * Watch by WebRTC.
 * @param {HTMLVideoElement} video shows what comes
 * @param {boolean} sound ask for it too; browsers play it only after a click
 * @param {(state: "running" | "lost") => void} onState
 * @returns {Promise<{close: () => void}>}
 */
export async function watch(video, sound, onState) {
  const connection = new RTCPeerConnection();
  if (sound) connection.addTransceiver("audio", { direction: "recvonly" });
  const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
  connection.ontrack = ({ track, receiver, streams }) => {
    // The newest picture counts, not an even pace.
    const wait = sound && track.kind === "video" ? SOUND_MS : 0;
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = wait;
    video.srcObject = streams[0] ?? new MediaStream([track]);
    video.play().catch(() => {}); // Ended before it began: closed meanwhile.
  };
  preferH264(transceiver, RTCRtpReceiver);
  await negotiate(connection, "/api/webrtc/view", onState);
  return closing(connection, () => (video.srcObject = null));
}

/**
 * Send a camera by WebRTC.
 * @param {MediaStream} stream
 * @param {(state: "running" | "lost") => void} onState
 * @returns {Promise<{close: () => void}>}
 */
export async function send(stream, onState) {
  const connection = new RTCPeerConnection();
  const [track] = stream.getVideoTracks();
  track.contentHint = "motion";
  const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  await negotiate(connection, "/api/webrtc/camera", onState);
  const parameters = transceiver.sender.getParameters();
  // A face needs its pixels more than every one of its frames.
  parameters.degradationPreference = "maintain-resolution";
  await transceiver.sender.setParameters(parameters).catch(() => {}); // Not everywhere known.
  return closing(connection, () => {});
}

async function negotiate(connection, path, onState) {
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === "connected") onState("running");
    if (["failed", "disconnected"].includes(connection.connectionState)) onState("lost");
  };
  try {
    await connection.setLocalDescription(inStereo(await connection.createOffer()));
    await gathered(connection);
    const { sdp, type } = connection.localDescription;
    await connection.setRemoteDescription(await call(path, { method: "POST", body: { sdp, type } }));
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Browsers decode Opus as mono unless they say themselves that they want more. */
function inStereo({ type, sdp }) {
  if (sdp.includes("stereo=1")) return { type, sdp };
  return { type, sdp: sdp.replace("useinbandfec=1", "useinbandfec=1;stereo=1") };
}

/** All ways to reach this browser go into the one offer. */
function gathered(connection) {
  return new Promise((resolve) => {
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHERING_MS);
    look();
  });
}

function preferH264(transceiver, { getCapabilities }) {
  const codecs = getCapabilities("video")?.codecs ?? [];
  const rank = ({ mimeType }) => (mimeType === "video/H264" ? 0 : 1);
  transceiver.setCodecPreferences?.([...codecs].sort((a, b) => rank(a) - rank(b)));
}

function closing(connection, then) {
  return {
    close() {
      connection.onconnectionstatechange = null;
      connection.close();
      then();
    },
  };
}
