// The sandbox's control API. Every verb resolves to the answer's JSON or rejects with an ApiError.

import { t } from "./i18n.js";

/** A refusal, or no answer at all. `message` is fit to be shown. */
export class ApiError extends Error {}

async function call(method, path, body) {
  const init = { method, headers: { accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    init.headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(t("unreachable"));
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page, or nothing. The status below says enough.
  }
  if (response.ok && answer !== null) return answer;
  const reason = typeof answer?.error === "string" ? answer.error : `HTTP ${response.status}`;
  throw new ApiError(answer?.code ? `${reason} (${answer.code})` : reason);
}

export const getState = () => call("GET", "/sandbox/state");
export const getMessages = () => call("GET", "/sandbox/messages");
export const getDeliveries = () => call("GET", "/sandbox/deliveries");
export const postInbound = (message) => call("POST", "/sandbox/inbound", message);
export const advanceClock = (by) => call("POST", "/sandbox/clock", { advance: by });
export const setFaults = (faults) => call("POST", "/sandbox/faults", faults);
export const reset = () => call("POST", "/sandbox/reset", {});
