/** Pictures by WebRTC, in either direction; one offer, one answer, then media. */

import { call } from "./api.js";

const GATHERING_MS = 2000;

/**
 * Watch by WebRTC.
 * @param {HTMLVideoElement} video shows what comes
 * @param {(state: "running" | "lost") => void} onState
 * @returns {Promise<{close: () => void}>}
 */
export async function watch(video, onState) {
  const connection = new RTCPeerConnection();
  const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
  connection.ontrack = ({ track, receiver, streams }) => {
    // The newest picture counts, not an even pace.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
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
    await connection.setLocalDescription();
    await gathered(connection);
    const { sdp, type } = connection.localDescription;
    await connection.setRemoteDescription(await call(path, { method: "POST", body: { sdp, type } }));
  } catch (error) {
    connection.close();
    throw error;
  }
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
