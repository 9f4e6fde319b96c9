// The sandbox's control API. Every verb resolves to the answer's JSON or rejects with an ApiError.

import { t } from "./i18n.js";

/** A refusal, or no answer at all. `message` is fit to be shown. */
export class ApiError extends Error {}

async function exchange(method, path, body) {
  const init = { method, headers: { accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    init.headers["content-type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(path, init);
    return { response, text: await response.text() };
  } catch {
    throw new ApiError(t("unreachable"));
  }
}

function refusal(response, answer) {
  const reason = typeof answer?.error === "string" ? answer.error : `HTTP ${response.status}`;
  return new ApiError(answer?.code ? `${reason} (${answer.code})` : reason);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not JSON: a proxy's page, or nothing; the status says enough
  }
}

async function call(method, path, body) {
  const { response, text } = await exchange(method, path, body);
  const answer = parsed(text);
  if (response.ok && answer !== null) return answer;
  throw refusal(response, answer);
}

async function read(path) {
  const { response, text } = await exchange("GET", path);
  if (response.ok) return text;
  throw refusal(response, parsed(text));
}

const ofChat = (number, contact) => new URLSearchParams({ number, contact });

export const getState = () => call("GET", "/sandbox/state");
export const getMessages = () => call("GET", "/sandbox/messages");
export const getDeliveries = () => call("GET", "/sandbox/deliveries");
export const postInbound = (message) => call("POST", "/sandbox/inbound", message);
export const postFlow = (flow) => call("POST", "/sandbox/flows", flow);
export const saveContact = (contact) => call("POST", "/sandbox/contacts", contact);
export const readChat = (number, contact) => call("POST", "/sandbox/read", { number, contact });
export const postMedia = (data, filename) => call("POST", "/sandbox/media", { data, filename });
export const advanceClock = (by) => call("POST", "/sandbox/clock", { advance: by });
export const setFaults = (faults) => call("POST", "/sandbox/faults", faults);
export const resend = (id) => call("POST", `/sandbox/deliveries/${encodeURIComponent(id)}/resend`, {});
export const getBots = (number, contact) => call("GET", `/sandbox/bot?${ofChat(number, contact)}`);
export const getChatFile = (number, contact) => read(`/sandbox/chatfile?${ofChat(number, contact)}`);
export const reset = () => call("POST", "/sandbox/reset", {});
