/** Requests to the server. */

/** What the server refused, in its own words. */
export class Refused extends Error {
  /**
   * @param {number} status HTTP status
   * @param {string} message one line for people
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 10_000;
const NO_CONTENT = 204;

/**
 * Ask for JSON.
 * @param {string} path
 * @param {{method?: string, body?: unknown}} [request]
 * @returns {Promise<any>}
 * @throws {Refused} the server said no
 * @throws {Error} it could not be reached
 */
export async function call(path, { method = "GET", body } = {}) {
  const response = await fetch(path, {
    method,
    cache: "no-store",
    credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Refused(response.status, await reason(response));
  return response.status === NO_CONTENT ? null : response.json();
}

/** The address of a WebSocket of this server. */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

async function reason(response) {
  try {
    const { error, detail } = await response.json();
    return String(error ?? detail ?? response.statusText);
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
