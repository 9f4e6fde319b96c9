// What the page knows: one plain object, changed by the functions below and drawn from scratch-free snapshots of it.

import { hue } from "./format.js";
import { recall, remember } from "./memory.js";

const RANK = { queued: 0, sent: 1, delivered: 2, read: 3, failed: 4, canceled: 4 };
const LOG_LENGTH = 200;
export const TYPING_MS = 10_000; // how long "typing" is shown

/** The page before anything was loaded. */
export function emptyState() {
  return {
    connection: "connecting",
    loaded: false,
    clockAhead: 0, // the sandbox's now minus this computer's, in milliseconds
    numbers: [],
    faults: {},
    chats: new Map(), // key -> chat
    messages: new Map(), // key -> rows in order
    rows: new Map(), // id -> row
    deliveries: new Map(), // id -> delivery, oldest first
    typing: new Map(), // key -> until when the bot is shown to type, by this computer's clock
    seen: recall("seen") ?? {}, // key -> createdAt of the last message looked at
    open: null, // key of the chat on the screen
    quote: null, // id of the message being answered
    found: null, // id of the message that was looked for, while it is lit up
    search: "", // what is looked for in the list of chats
    selected: null, // id of the message whose life the panel tells; null follows the latest
    bots: null, // what the bots know of the open chat, see inspect.js
    revision: 0, // how many events came
  };
}

export const keyOf = (number, contact) => `${number}|${contact}`;
export const now = (state) => Date.now() + state.clockAhead;
export const statusOf = (row) => String(row.status ?? "").toLowerCase();
export const textOf = (row) => row.text || row.caption || "";
export const fromBot = (row) => row.direction === "out" || row.fromMe === true;
export const rowsOf = (state, key) => state.messages.get(key) ?? [];
export const numberOf = (state, id) => state.numbers.find((number) => number.id === id || number.phone === id);
export const chatOf = (state, key) => state.chats.get(key) ?? null;

/** The colour of a person, from 0 to 11: that of a chat of theirs, first with this number, else one that goes with the address. */
export function colourOf(state, number, contact) {
  const chat = state.chats.get(keyOf(number, contact)) ?? [...state.chats.values()].find((each) => each.contact === contact);
  return chat?.colour ?? hue(contact);
}

export function setNow(state, iso) {
  const at = Date.parse(iso);
  if (Number.isFinite(at)) state.clockAhead = at - Date.now();
}

/** Replace everything the server knows; what only this browser knows stays. */
export function load(state, server, messages, deliveries) {
  state.loaded = true;
  setNow(state, server.now);
  state.numbers = server.numbers ?? [];
  state.faults = server.faults ?? {};
  state.chats = new Map();
  state.messages = new Map();
  state.rows = new Map();
  state.deliveries = new Map();
  // A sandbox that began anew may be behind what was read in an earlier life.
  const latest = new Date(now(state)).toISOString();
  for (const [key, at] of Object.entries(state.seen)) if (at > latest) delete state.seen[key];
  (server.chats ?? []).forEach((chat) => mergeChat(state, chat));
  messages.forEach((row) => mergeMessage(state, row));
  deliveries.forEach((delivery) => mergeDelivery(state, delivery));
  if (state.quote && !state.rows.has(state.quote)) state.quote = null;
  if (state.selected && !state.rows.has(state.selected)) state.selected = null;
  state.revision += 1;
}

/** One event of the stream. */
export function apply(state, event) {
  state.revision += 1;
  if (event.kind === "message") mergeMessage(state, event.message);
  else if (event.kind === "chat") mergeChat(state, event.chat);
  else if (event.kind === "delivery") mergeDelivery(state, event.delivery);
  else if (event.kind === "typing") state.typing.set(keyOf(event.number, event.contact), Date.now() + TYPING_MS);
  else if (event.kind === "clock") setNow(state, event.now);
  else if (event.kind === "faults") state.faults = event.faults;
}

/** Whether the bot is shown to type in a chat. */
export const typingIn = (state, key) => (state.typing.get(key) ?? 0) > Date.now();

export function mergeChat(state, chat) {
  const number = numberOf(state, chat.number)?.id ?? chat.number;
  const key = keyOf(number, chat.contact);
  state.chats.set(key, { ...state.chats.get(key), ...chat, number, key });
}

/** Add a row, or bring the known one up to date. Events may come late and out of order: a status never goes back. */
export function mergeMessage(state, row) {
  const known = state.rows.get(row.id);
  if (known) {
    const late = (RANK[statusOf(row)] ?? 0) < (RANK[statusOf(known)] ?? 0);
    Object.assign(known, late ? {} : row);
    return;
  }
  const number = numberOf(state, row.number)?.id ?? row.number;
  const fresh = { ...row, number, key: keyOf(number, row.contact) };
  if (!state.chats.has(fresh.key))
    mergeChat(state, { number, contact: row.contact, name: row.contactName, kind: kindOf(row.contact) });
  const rows = state.messages.get(fresh.key) ?? [];
  let at = rows.length;
  while (at > 0 && rows[at - 1].createdAt > fresh.createdAt) at -= 1;
  rows.splice(at, 0, fresh);
  state.messages.set(fresh.key, rows);
  if (fromBot(fresh)) state.typing.delete(fresh.key);
  state.rows.set(fresh.id, fresh);
}

export function kindOf(contact) {
  if (String(contact).endsWith("@g.us")) return "group";
  return String(contact).endsWith("@newsletter") ? "newsletter" : "contact";
}

export function mergeDelivery(state, delivery) {
  const id = delivery.id ?? `${delivery.url}|${delivery.event}|${delivery.body?.data?.id}`;
  state.deliveries.set(id, { ...delivery, id });
  for (const oldest of state.deliveries.keys()) {
    if (state.deliveries.size <= LOG_LENGTH) break;
    state.deliveries.delete(oldest);
  }
}

/** The HTTP status that a delivery was answered with, or null while there is none. */
export const answerOf = ({ status, statusCode }) =>
  [statusCode, status].find((code) => Number.isInteger(code) && code > 0) ?? null;

/** Whether the webhook answered 2xx to a delivery. */
export function accepted(delivery) {
  const answer = answerOf(delivery);
  return answer === null ? delivery.status === "SUCCESS" : answer >= 200 && answer < 300;
}

/** The ids of the contacts' messages that a bot has acknowledged. */
export function takenIds(state) {
  const taken = new Set();
  for (const delivery of state.deliveries.values()) {
    if (accepted(delivery) && delivery.body?.data?.id) taken.add(delivery.body.data.id);
  }
  return taken;
}

/** Chats for the list, latest first; one that nobody has written in stands where it was made. */
export function allChats(state) {
  const latest = (chat) => rowsOf(state, chat.key).at(-1)?.createdAt ?? chat.addedAt ?? "";
  return [...state.chats.values()].sort((a, b) => (latest(a) < latest(b) ? 1 : -1));
}

/** Everyone who has a chat of their own: each person once, by name. */
export function peopleOf(state) {
  const people = new Map();
  for (const chat of state.chats.values())
    if (chat.kind === "contact" && !people.has(chat.contact)) people.set(chat.contact, chat);
  return [...people.values()].sort((a, b) => String(a.name ?? a.contact).localeCompare(String(b.name ?? b.contact)));
}

/** How many of the bot's messages in a chat were not looked at yet. */
export function unread(state, chat) {
  const seen = state.seen[chat.key] ?? "";
  return rowsOf(state, chat.key).filter(
    (row) => row.direction === "out" && statusOf(row) !== "failed" && row.createdAt > seen,
  ).length;
}

/** Remember that the open chat was looked at up to its last message. Returns whether that is news. */
export function markSeen(state) {
  const last = state.open && rowsOf(state, state.open).at(-1)?.createdAt;
  if (!last || state.seen[state.open] === last) return false;
  state.seen[state.open] = last;
  remember("seen", state.seen);
  return true;
}

/** Forget what only this browser knows (the server was told to forget the rest). */
export function forget(state) {
  state.seen = {};
  state.open = null;
  state.quote = null;
  state.selected = null;
  remember("seen", {});
}

/** Where the window of a chat stands: {kind: "none" | "never" | "closed" | "open", left: milliseconds}. */
export function windowOf(state, chat) {
  const number = numberOf(state, chat.number);
  const meta = String(number?.kind ?? "")
    .toLowerCase()
    .startsWith("meta");
  if (chat.kind !== "contact" || !meta) return { kind: "none", left: 0 };
  const closes = Date.parse(chat.windowClosesAt ?? "");
  if (!Number.isFinite(closes)) return { kind: "never", left: 0 };
  const left = closes - now(state);
  return left > 0 ? { kind: "open", left } : { kind: "closed", left: 0 };
}

/** A message of a chat by either of its ids. */
export const messageOf = (state, key, id) =>
  (id && rowsOf(state, key).find((row) => row.messageId === id || row.id === id)) || null;

/** Who wrote a message: the address of the person, not of the group. */
export const writerOf = (row) => row.author ?? row.contact;

/** The reactions to a message that still stand: [{person, name, emoji}], each person's last one. */
export function reactionsOf(state, row) {
  const standing = new Map();
  for (const { reaction, ...by } of rowsOf(state, row.key)) {
    if (!reaction || ![row.id, row.messageId].includes(reaction.message)) continue;
    const person = writerOf(by);
    standing.delete(person);
    if (reaction.emoji) standing.set(person, { person, name: by.authorName ?? person, emoji: reaction.emoji });
  }
  return [...standing.values()];
}

/** The options under a message, in one shape: {kind: "reply" | "url" | "call" | "copy", label, detail, value}. */
export function optionsOf(row) {
  const KINDS = { url: "url", call: "call", phone_number: "call", copy: "copy", copy_code: "copy" };
  return (Array.isArray(row.buttons) ? row.buttons : []).map((option) => {
    if (typeof option === "string") return { kind: "reply", label: option, detail: "", value: "" };
    return {
      kind: KINDS[String(option.type ?? "").toLowerCase()] ?? "reply",
      label: String(option.label ?? option.title ?? option.text ?? ""),
      detail: String(option.description ?? ""),
      value: String(
        option.url ?? option.phoneNumber ?? option.phone_number ?? option.copyCode ?? option.example ?? "",
      ),
    };
  });
}
