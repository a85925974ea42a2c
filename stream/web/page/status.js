/** What the server tells of the run, twice a second. */

import { call, Refused } from "./api.js";

const PERIOD_MS = 500;
const NO_ACCESS = 401;

/**
 * Ask for the status again and again, for ever.
 * @param {object} on
 * @param {(status: any) => void} on.status
 * @param {() => void} on.noAccess the token is missing or no longer valid
 * @param {() => void} on.away the server does not answer
 */
export async function follow(on) {
  for (;;) {
    try {
      on.status(await call("/api/status"));
    } catch (error) {
      if (error instanceof Refused && error.status === NO_ACCESS) on.noAccess();
      else on.away();
    }
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}
