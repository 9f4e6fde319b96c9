// What the bots know of the open chat: asked through the sandbox, soon after something happened. Their answers come
// from other programs: each piece is looked at before it is used.

import { ApiError, getBots } from "./api.js";
import { chatOf } from "./state.js";

const PAUSE_MS = 300; // one question for many events
const AGAIN_MS = 1500; // a bot at work is asked again without an event

let asked = ""; // the chat and the moment that the last question was about
let timer = 0;
let asking = false;

/**
 * See that the answers are about the open chat as it is now; call it at each drawing while they are looked at.
 * They come as state.bots: {key, problem: ?string, bots: list}, null before the first answer for a chat.
 * @param {object} state
 * @param {() => void} changed called when state.bots changed
 */
export function keepAsking(state, changed) {
  if (state.bots && state.bots.key !== state.open) state.bots = null;
  const wanted = `${state.open} ${state.revision}`;
  if (!state.open || !state.loaded || asking || timer || wanted === asked) return;
  // The first look at a chat does not wait.
  timer = setTimeout(() => ask(state, changed), state.bots ? PAUSE_MS : 0);
}

async function ask(state, changed) {
  timer = 0;
  const key = state.open;
  const chat = key && chatOf(state, key);
  if (!chat) return;
  asked = `${key} ${state.revision}`;
  asking = true;
  let found;
  try {
    found = { key, problem: null, bots: list(await getBots(chat.number, chat.contact)).map(read) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    found = { key, problem: error.message, bots: [] };
  } finally {
    asking = false;
  }
  if (key === state.open) {
    state.bots = found;
    if (found.bots.some((bot) => bot.busy)) setTimeout(askAgain, AGAIN_MS, changed);
  }
  changed();
}

function askAgain(changed) {
  asked = "";
  changed();
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value.filter(isObject) : []);
const object = (value) => (isObject(value) ? value : {});
const count = (value) => (Number.isInteger(value) && value > 0 ? value : 0);

/** One webhook's answer in a shape that is safe to draw. `kind`: silent, refused, nonsense, discreet or open. */
function read({ name, url, status, answer, error }) {
  const about = { name: String(name ?? ""), url: String(url ?? ""), status, error: String(error ?? "") };
  if (!Number.isInteger(status)) return { ...about, kind: "silent" };
  if (status < 200 || status > 299) return { ...about, kind: "refused" };
  if (!isObject(answer)) return { ...about, kind: "nonsense" };
  if (typeof answer.bot !== "string") return { ...about, kind: answer.status === "unknown" ? "discreet" : "nonsense" };
  const chat = isObject(answer.chat) ? answer.chat : null;
  const waiting = object(chat?.waiting);
  return {
    ...about,
    kind: "open",
    bot: answer.bot,
    busy: count(waiting.events) + count(waiting.messages) > 0,
    chat: chat && {
      number: chat.number,
      window: object(chat.window),
      lastInboundAt: chat.lastInboundAt,
      states: object(chat.states),
      problems: object(chat.problems),
      menus: list(chat.menus),
      waiting: {
        events: count(waiting.events),
        messages: count(waiting.messages),
        held: count(waiting.held),
      },
    },
    turns: list(answer.turns),
    posts: list(answer.posts),
    aside: list(answer.aside),
  };
}

/** The bots that told what they know. */
export const openBots = (state) => (state.bots?.bots ?? []).filter((bot) => bot.kind === "open");

/** How the message was sent: {bot, post} of the bot that posted it, or null. */
export function postOf(state, row) {
  for (const bot of openBots(state)) {
    const post = row.idempotencyKey && bot.posts.find((each) => each.key === row.idempotencyKey);
    if (post) return { bot, post };
  }
  return null;
}

/** What was done about a contact's message: [{bot, turn}], the latest first. */
export const turnsOf = (state, row) =>
  openBots(state).flatMap((bot) =>
    bot.turns
      .filter((turn) => row.messageId && turn.messageId === row.messageId)
      .map((turn) => ({ bot, turn }))
      .reverse(),
  );
